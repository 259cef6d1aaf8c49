"""The models the user set up: kept without keys, changed with care."""

import stat
from pathlib import Path

import pytest

from app.config import load
from app.gateway.profiles import Profiles
from app.paths import Paths
from app.problems import Fault
from app.schemas import NewModelProfile
from tests.gateway.parts import KEY, MemoryKeys


def made(folder: Path, keys: MemoryKeys | None = None, **environ: str) -> Profiles:
    return Profiles(load(environ=environ, directory=folder), keys or MemoryKeys(), Paths(folder, folder))


async def test_kept_without_the_key(tmp_path: Path) -> None:
    keys = MemoryKeys()
    profile = await made(tmp_path, keys).create(
        NewModelProfile(provider="anthropic", model="claude-sonnet-4-5", key=KEY)
    )
    file = tmp_path / "models.json"
    assert KEY not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = made(tmp_path, keys)
    assert again.list() == [profile]
    assert profile.has_key
    assert profile.is_default
    assert profile.protocol == "anthropic"
    assert profile.price_in == 3
    assert await again.key(profile.id) == KEY
    assert again.stored(profile.id).price_in is None


async def test_named_after_what_tells_it_apart(tmp_path: Path) -> None:
    profiles = made(tmp_path)
    known = await profiles.create(NewModelProfile(provider="mistral", model="codestral", key=KEY))
    other = await profiles.create(NewModelProfile(provider="custom", model="qwen", base_url="http://127.0.0.1:8080/v1"))
    assert known.name == "Mistral · codestral"
    assert other.name == "qwen · 127.0.0.1:8080"


async def test_the_best_protocol_is_chosen(tmp_path: Path) -> None:
    profiles = made(tmp_path)

    async def protocol(provider: str, model: str) -> str:
        return (await profiles.create(NewModelProfile(provider=provider, model=model, key="k" * 9))).protocol

    assert await protocol("openai", "gpt-5.1-codex") == "responses"
    assert await protocol("openai", "gpt-4.1") == "openai"
    assert await protocol("gemini", "gemini-2.5-pro") == "gemini"
    assert await protocol("groq", "openai/gpt-oss-20b") == "openai"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("api.example.com/v1", "https://api.example.com/v1"),
        ("localhost:8000/v1", "http://localhost:8000/v1"),
        ("  http://10.0.0.5:8000/v1/models ", "http://10.0.0.5:8000/v1"),
    ],
)
async def test_addresses_as_people_paste_them(tmp_path: Path, typed: str, kept: str) -> None:
    profile = await made(tmp_path).create(NewModelProfile(provider="custom", base_url=typed, model="m"))
    assert profile.base_url == kept


@pytest.mark.parametrize("address", ["", "ftp://x/v1", "https://", "file:///etc/passwd"])
async def test_addresses_that_are_none(tmp_path: Path, address: str) -> None:
    with pytest.raises(Fault) as fault:
        await made(tmp_path).create(NewModelProfile(provider="custom", base_url=address, model="m"))
    assert fault.value.code == "invalid-model"


async def test_change_and_delete(tmp_path: Path) -> None:
    keys = MemoryKeys()
    profiles = made(tmp_path, keys)
    first = await profiles.create(NewModelProfile(provider="openai", model="gpt-4.1", key=KEY))
    second = await profiles.create(NewModelProfile(provider="ollama", model="qwen3-coder", make_default=False))
    assert profiles.default_id == first.id
    changed = await profiles.update(first.id, {"model": "gpt-4o", "name": "Mine", "temperature": 0.2})
    assert (changed.model, changed.name, changed.temperature, changed.has_key) == ("gpt-4o", "Mine", 0.2, True)
    await profiles.update(second.id, {"make_default": True})
    assert profiles.default_id == second.id
    await profiles.delete(second.id)
    assert profiles.default_id == first.id
    await profiles.delete(first.id)
    assert keys.values == {}
    assert profiles.list() == []
    for change in ({"nonsense": 1}, {"temperature": "hot"}):
        with pytest.raises(Fault):
            await profiles.update(first.id, change)


async def test_a_key_does_not_follow_to_another_address(tmp_path: Path) -> None:
    keys = MemoryKeys()
    profiles = made(tmp_path, keys)
    profile = await profiles.create(NewModelProfile(provider="openai", model="gpt-4.1", key=KEY))
    moved = await profiles.update(profile.id, {"base_url": "https://elsewhere.example/v1"})
    assert not moved.has_key
    assert await profiles.key(profile.id) is None
    again = await profiles.update(profile.id, {"base_url": "https://third.example/v1", "key": KEY})
    assert again.has_key


async def test_a_broken_file_is_put_aside(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"profiles": 3}', '{"profiles": [{"id": 1}]}'):
        (tmp_path / "models.json").write_text(text)
        profiles = made(tmp_path)
        assert profiles.list() == []
        assert profiles.warning
        assert (tmp_path / "models.broken.json").read_text() == text


@pytest.mark.parametrize(
    ("environ", "provider", "protocol", "model", "base_url"),
    [
        ({"LLM_MODEL": "gpt-4.1"}, "openai", "openai", "gpt-4.1", "https://api.openai.com/v1"),
        ({"LLM_MODEL": "openai/gpt-5.1"}, "openai", "responses", "gpt-5.1", "https://api.openai.com/v1"),
        ({"LLM_MODEL": "anthropic/claude-x"}, "anthropic", "anthropic", "claude-x", "https://api.anthropic.com"),
        (
            {"LLM_MODEL": "openrouter/anthropic/claude-x"},
            "openrouter",
            "openai",
            "anthropic/claude-x",
            "https://openrouter.ai/api/v1",
        ),
        (
            {"LLM_MODEL": "openai/my-model", "LLM_BASE_URL": "http://10.0.0.1:9/v1/"},
            "custom",
            "openai",
            "my-model",
            "http://10.0.0.1:9/v1",
        ),
        (
            {"LLM_MODEL": "deepseek-chat", "LLM_BASE_URL": "https://api.deepseek.com/v1"},
            "deepseek",
            "openai",
            "deepseek-chat",
            "https://api.deepseek.com/v1",
        ),
    ],
)
async def test_from_the_environment(
    tmp_path: Path, environ: dict[str, str], provider: str, protocol: str, model: str, base_url: str
) -> None:
    profiles = made(tmp_path, **environ, LLM_TEMPERATURE="0.3", LLM_MAX_TOKENS="100")
    (profile,) = profiles.list()
    got = (profile.id, profile.provider, profile.protocol, profile.model, profile.base_url)
    assert got == ("env", provider, protocol, model, base_url)
    assert (profile.temperature, profile.max_tokens) == (0.3, 100)
    assert profiles.default_id == "env"
    with pytest.raises(Fault) as fault:
        await profiles.update("env", {"model": "x"})
    assert fault.value.code == "model-read-only"


async def test_the_demo_is_there_but_not_listed(tmp_path: Path) -> None:
    profiles = made(tmp_path)
    assert profiles.get("demo").name == "Scripted demo"
    assert profiles.list() == []
    with pytest.raises(Fault) as fault:
        profiles.get(None)
    assert fault.value.code == "no-model"
