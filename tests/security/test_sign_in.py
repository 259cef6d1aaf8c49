"""Another user of the machine can reach our ports, and take them while we are away."""

import socket
from pathlib import Path

import aiohttp
import pytest

from app.paths import Paths
from app.server.backend import Backend
from app.server.remembered import Remembered
from tests.server.conftest import backend, clock, configuration, owner, stranger

__all__ = ["backend", "clock", "owner", "stranger"]


async def test_wrong_codes_do_not_lock_the_owner_out(backend: Backend, stranger: aiohttp.ClientSession) -> None:
    answers = [(await stranger.post("/api/session", json={"code": f"wrong{number}"})).status for number in range(12)]
    assert answers == [401] * 10 + [429] * 2
    good = await stranger.post("/api/session", json={"code": backend.parts.sessions.new_code()})
    assert good.status == 200


async def test_who_took_our_port_keeps_no_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that waits for us sends its token to whoever answers there."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    config = configuration(tmp_path)
    first = Backend(config)
    await first.open()
    token = first.parts.sessions.sign_in(first.parts.sessions.new_code()).token
    port = Remembered.read(config.paths).app
    await first.close()

    undisturbed = Backend(config)
    await undisturbed.open()
    assert undisturbed.parts.sessions.identify(token) is not None
    await undisturbed.close()

    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port or 0))
        squatter.listen()
        disturbed = Backend(config)
        await disturbed.open()
        try:
            assert Remembered.read(Paths.find(config.paths.data, config.paths.cache)).app != port
            assert disturbed.parts.sessions.identify(token) is None
        finally:
            await disturbed.close()
