"""A real backend on real ports, its agent not started."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from app import config
from app.server import logs
from app.server.backend import Backend


class Clock:
    """Seconds since the epoch, which a test can move."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def configuration(tmp_path: Path, **environ: str) -> config.Config:
    places = {
        "TWINSEAT_DATA_DIR": str(tmp_path / "data"),
        "TWINSEAT_CACHE_DIR": str(tmp_path / "cache"),
        "WORKSPACE_BASE": str(tmp_path / "base"),
    }
    return config.load(environ={**places, **environ}, directory=tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def backend(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Backend]:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    running = Backend(configuration(tmp_path), clock=clock)
    running.paths.create()
    logs.start(running.paths.logs, "debug")
    await running.open()
    yield running
    await running.close()


@pytest.fixture
async def owner(backend: Backend) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that holds the launch secret."""
    headers = {"Authorization": f"Bearer {backend.parts.secret}"}
    async with aiohttp.ClientSession(backend.url, headers=headers) as session:
        yield session


@pytest.fixture
async def stranger(backend: Backend) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(backend.url) as session:
        yield session
