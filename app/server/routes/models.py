"""Models: the user's profiles, the providers' presets, and trying one before it is stored."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from app.gateway import providers
from app.problems import Fault
from app.schemas import (
    ModelList,
    ModelProfile,
    NewModelProfile,
    Probe,
    ProbeResult,
    Protocol,
    Provider,
    Shape,
)
from app.server import daytona
from app.server.parts import Has

router = APIRouter(prefix="/api", tags=["models"])


class Models(Shape):
    profiles: list[ModelProfile]


class ModelPatch(Shape):
    """Only what is named changes. An empty key deletes the stored one; a new address needs its key anew."""

    name: str | None = None
    provider: str | None = None
    protocol: Protocol | None = None
    base_url: str | None = None
    model: str | None = None
    key: str | None = Field(default=None, description="Write-only.")
    temperature: float | None = None
    max_tokens: int | None = None
    price_in: float | None = None
    price_out: float | None = None
    context_window: int | None = None
    make_default: bool | None = None


class DaytonaKey(Shape):
    """Without a key, the stored one is tried."""

    key: Annotated[str | None, Field(max_length=1000, description="Write-only.")] = None


@router.get("/models")
async def list_models(parts: Has) -> Models:
    """The user's models; one with the id `env` comes from the environment."""
    return Models(profiles=parts.profiles.list())


@router.post("/models")
async def new_model(parts: Has, body: NewModelProfile) -> ModelProfile:
    """Store a model; its key goes to the secret store and never comes back."""
    return await parts.profiles.create(body)


@router.patch("/models/{model_id}")
async def change_model(parts: Has, model_id: str, body: ModelPatch) -> ModelProfile:
    return await parts.profiles.update(model_id, body.model_dump(exclude_unset=True))


@router.delete("/models/{model_id}", status_code=204)
async def delete_model(parts: Has, model_id: str) -> None:
    """Delete a model and its key."""
    await parts.profiles.delete(model_id)


@router.get("/models/providers")
async def list_providers() -> list[Provider]:
    """The wizard's presets; the local ones are looked for."""
    return await providers.discover()


@router.post("/models/list")
async def list_offered(parts: Has, body: Probe) -> ModelList:
    """What a provider offers, asked of itself. A failure is in `problem`, in words."""
    return await parts.prober.list_models(body)


@router.post("/models/test")
async def try_model(parts: Has, body: Probe) -> ProbeResult:
    """One real request of one token. A failure is in `problem`, in words."""
    return await parts.prober.test(body)


@router.post("/daytona/test")
async def try_daytona(parts: Has, body: DaytonaKey | None = None) -> ProbeResult:
    """Whether a Daytona key works and may do what is needed."""
    key = (body.key if body else None) or await parts.secrets.get("daytona")
    if not key:
        raise Fault(
            code="no-key",
            status=422,
            title="No key to try",
            detail="No key was given, and none is stored.",
            remedy="Paste a key from app.daytona.io.",
        )
    return await daytona.check(key.strip(), parts.config.daytona_api_url)
