"""A key in an address would be stored in plain text, and shown."""

from pathlib import Path

import pytest

from app import git
from app.problems import Fault
from app.schemas import NewModelProfile
from tests.gateway.test_profiles import made


@pytest.mark.parametrize(
    "address",
    [
        "https://ada:hunter22@example.invalid/x.git",
        "https://ghp_0123456789abcdefghijABCDEFGHIJ@github.invalid/a/b",
        "http://0123456789abcdef0123456789@example.invalid/x",
        "ssh://ada:hunter22@example.invalid/x",
    ],
)
async def test_a_clone_keeps_no_credential(tmp_path: Path, address: str) -> None:
    with pytest.raises(Fault) as caught:
        await git.clone(address, tmp_path / "x")
    assert caught.value.code == "clone-credentials"
    told = str(caught.value.problem().model_dump())
    assert not any(secret in told for secret in ("hunter22", "0123456789"))


@pytest.mark.parametrize("address", ["https://org@dev.azure.invalid/a", "git@github.invalid:a/b"])
async def test_a_user_name_is_no_credential(tmp_path: Path, address: str) -> None:
    with pytest.raises(Fault) as caught:
        await git.clone(address, tmp_path / "x")
    assert caught.value.code != "clone-credentials"


@pytest.mark.parametrize(
    "address", ["https://ada:hunter22@models.example/v1", "https://models.example/v1?api-key=0123456789abcdef"]
)
async def test_a_models_address_keeps_no_credential(tmp_path: Path, address: str) -> None:
    profiles = made(tmp_path)
    with pytest.raises(Fault):
        await profiles.create(NewModelProfile(provider="custom", model="m", base_url=address))
    kept = await profiles.create(NewModelProfile(provider="custom", model="m", base_url="https://models.example/v1"))
    with pytest.raises(Fault):
        await profiles.update(kept.id, {"base_url": address})
    assert "example" not in "".join(one.base_url for one in profiles.list() if one.base_url != kept.base_url)
    text = (tmp_path / "models.json").read_text()
    assert "hunter22" not in text
    assert "0123456789abcdef" not in text
