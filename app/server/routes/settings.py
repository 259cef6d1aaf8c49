"""Settings and secrets."""

import re
from typing import Annotated

from fastapi import APIRouter, Path

from app.problems import Fault
from app.schemas import Secrets, SecretValue, Settings, SettingsPatch
from app.server.parts import Has, Parts

router = APIRouter(prefix="/api", tags=["settings"])

Name = Annotated[str, Path(max_length=200, description="`model:<profile id>` or `daytona`.")]


@router.get("/settings")
async def get_settings(parts: Has) -> Settings:
    return _shown(parts)


@router.patch("/settings")
async def change_settings(parts: Has, body: SettingsPatch) -> Settings:
    """Change what is named; null clears a budget or a model."""
    if "default_model_id" in body.model_fields_set:
        parts.profiles.set_default(body.default_model_id)
    parts.settings.patch(body)
    return _shown(parts)


@router.get("/secrets")
async def list_secrets(parts: Has) -> Secrets:
    """Which keys are stored, and where. A value never comes back."""
    store, warning = await parts.secrets.where(), await parts.secrets.warning()
    return Secrets(secrets=parts.secrets.names(), store=store, warning=warning)


@router.put("/secrets/{name}", status_code=204)
async def store_secret(parts: Has, name: Name, body: SecretValue) -> None:
    """Store a key, write-only."""
    _check(name)
    await parts.secrets.set(name, body.value.strip())
    parts.profiles.reread_key(name.removeprefix("model:"))


@router.delete("/secrets/{name}", status_code=204)
async def delete_secret(parts: Has, name: Name) -> None:
    _check(name)
    await parts.secrets.delete(name)
    parts.profiles.reread_key(name.removeprefix("model:"))


def _shown(parts: Parts) -> Settings:
    """The default model is kept with the models."""
    return parts.settings.value.model_copy(update={"default_model_id": parts.profiles.default_id})


def _check(name: str) -> None:
    if not re.fullmatch(r"daytona|model:[A-Za-z0-9_-]{1,100}", name):
        raise Fault(
            code="secret-name",
            status=422,
            title="Not a key that is used here",
            detail="The names are `daytona` and `model:` with a model's id.",
            remedy="The models are listed at /api/models.",
        )
