"""Every route and every socket: without, with a wrong and with an expired credential; foreign Host, Origin and site."""

import asyncio
import re

import aiohttp
import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute

from app.server import application
from app.server.backend import Backend
from app.server.guard import OPEN
from tests.server.conftest import Clock

TABLE = [route for module in (*application.ROUTERS, application.socket) for route in module.router.routes]
ROUTES = [
    ("GET", "/api/openapi.json"),
    *(
        (method, re.sub(r"\{[^}]+\}", "x", route.path))
        for route in TABLE
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ),
]
SOCKETS = [route.path for route in TABLE if isinstance(route, APIWebSocketRoute)]
CLOSED = [route for route in ROUTES if route not in OPEN]

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "rubbish"},
]
HOSTS = ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "[::1]", "0.0.0.0", "localhost", ""]  # noqa: S104


async def _session(backend: Backend, stranger: aiohttp.ClientSession) -> str:
    answer = await stranger.post("/api/session", json={"code": backend.parts.sessions.new_code()})
    assert answer.status == 200
    return (await answer.json())["token"]


def test_the_table_is_not_empty() -> None:
    documented = {
        (method.upper(), re.sub(r"\{[^}]+\}", "x", path))
        for path, operations in application.routes().openapi()["paths"].items()
        for method in operations
    }
    assert documented | {("GET", "/api/openapi.json")} == set(ROUTES)
    assert len(ROUTES) > 40
    assert SOCKETS == ["/ws/agent"]
    assert OPEN - {("HEAD", "/api/health")} <= set(ROUTES)


async def test_no_route_without_a_good_credential(
    backend: Backend, stranger: aiohttp.ClientSession, clock: Clock
) -> None:
    signed_out = await _session(backend, stranger)
    headers = {"Authorization": f"Bearer {signed_out}"}
    assert (await stranger.get("/api/settings", headers=headers)).status == 200
    assert (await stranger.delete("/api/session", headers=headers)).status == 204
    expired = await _session(backend, stranger)
    clock.ahead = 8 * 86400
    secret = backend.parts.secret
    credentials = [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {signed_out}"},
        {"Authorization": f"Bearer {expired}"},
        {"Authorization": f"Basic {secret}"},
        {"Authorization": f"Bearer {secret[:-1]}"},
        {"Authorization": "Bearer \xff"},
        {"Cookie": f"token={secret}; Authorization=Bearer {secret}"},
        {"X-Session-API-Key": secret},
    ]
    for method, path in CLOSED:
        for credential in credentials:
            answer = await stranger.request(method, path, headers=credential, json={} if method != "GET" else None)
            assert answer.status == 401, (method, path, credential)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert (await answer.json())["code"] == "not-signed-in"
        assert (await stranger.request(method, f"{path}?token={secret}&access_token={secret}")).status == 401


async def test_two_credentials_are_none(backend: Backend, stranger: aiohttp.ClientSession) -> None:
    from multidict import CIMultiDict

    twice = CIMultiDict(
        [("Authorization", f"Bearer {backend.parts.secret}"), ("Authorization", f"Bearer {backend.parts.secret}")]
    )
    assert (await stranger.get("/api/settings", headers=twice)).status == 401


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
async def test_no_route_from_another_page(owner: aiohttp.ClientSession, foreign: dict[str, str]) -> None:
    for method, path in ROUTES:
        answer = await owner.request(method, path, headers=foreign)
        assert answer.status == 403, (method, path)
        assert (await answer.json())["code"] == "foreign-origin"
        preflight = await owner.options(path, headers={**foreign, "Access-Control-Request-Method": method})
        assert preflight.status == 403
        assert not any(name.lower().startswith("access-control") for name in preflight.headers)


@pytest.mark.parametrize("host", HOSTS)
async def test_no_route_by_another_name(owner: aiohttp.ClientSession, host: str) -> None:
    for method, path in [*ROUTES, ("GET", "/"), ("GET", "/index.html")]:
        answer = await owner.request(method, path, headers={"Host": host})
        assert answer.status in (400, 421), (method, path)


async def test_our_own_page_may(backend: Backend, owner: aiohttp.ClientSession) -> None:
    own = {"Origin": backend.url, "Sec-Fetch-Site": "same-origin"}
    assert (await owner.get("/api/settings", headers=own)).status == 200
    assert (await owner.patch("/api/settings", headers=own, json={})).status == 200
    other = {"Origin": backend.url.replace("127.0.0.1", "localhost")}
    assert (await owner.get("/api/settings", headers=other)).status == 403


async def _socket(
    session: aiohttp.ClientSession, path: str, protocols: list[str], headers: dict[str, str] | None = None
) -> int:
    """The status with which a socket is refused, 101 if it is not."""
    try:
        line = await session.ws_connect(path, protocols=protocols, headers=headers or {})
    except aiohttp.WSServerHandshakeError as error:
        return error.status
    await line.close()
    return 101


@pytest.mark.parametrize("path", [*SOCKETS, "/ws/other", "/api/settings", "/"])
async def test_no_socket_without_a_good_credential(
    backend: Backend, stranger: aiohttp.ClientSession, clock: Clock, path: str
) -> None:
    expired = await _session(backend, stranger)
    clock.ahead = 8 * 86400
    secret = backend.parts.secret
    for protocols in (
        ["twinseat.v1"],
        ["twinseat.v1", "bearer.wrong"],
        ["twinseat.v1", f"bearer.{expired}"],
        ["twinseat.v1", secret],
        ["twinseat.v1", f"bearer.{secret}", f"bearer.{secret}"],
    ):
        assert await _socket(stranger, path, protocols) == 401
    assert await _socket(stranger, f"{path}?token={secret}", ["twinseat.v1"]) == 401
    assert await _socket(stranger, path, ["twinseat.v1"], {"Authorization": f"Bearer {secret}"}) == 401
    good = ["twinseat.v1", f"bearer.{secret}"]
    for foreign in FOREIGN:
        assert await _socket(stranger, path, good, foreign) == 403
    assert await _socket(stranger, path, good, {"Host": "evil.example"}) == 421


async def test_signing_out_closes_the_sessions_sockets(backend: Backend, stranger: aiohttp.ClientSession) -> None:
    token = await _session(backend, stranger)
    line = await stranger.ws_connect("/ws/agent", protocols=["twinseat.v1", f"bearer.{token}"])
    assert line.protocol == "twinseat.v1"
    await line.send_json({"type": "ping"})
    assert (await line.receive_json())["type"] == "pong"
    await stranger.delete("/api/session", headers={"Authorization": f"Bearer {token}"})
    while (message := await line.receive()).type is aiohttp.WSMsgType.TEXT:
        pass
    assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert line.close_code == 1008


async def test_a_code_works_once_and_not_for_long(
    backend: Backend, owner: aiohttp.ClientSession, stranger: aiohttp.ClientSession, clock: Clock
) -> None:
    given = await (await owner.post("/api/session/codes")).json()
    assert given["url"] == f"{backend.url}/#code={given['code']}"
    assert (await stranger.post("/api/session", json={"code": given["code"]})).status == 200
    assert (await stranger.post("/api/session", json={"code": given["code"]})).status == 401
    late = backend.parts.sessions.new_code()
    clock.ahead = 61
    assert (await stranger.post("/api/session", json={"code": late})).status == 401


async def test_guessing_codes_is_slow(backend: Backend, stranger: aiohttp.ClientSession) -> None:
    statuses = [(await stranger.post("/api/session", json={"code": f"guess {n}"})).status for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    answer = await stranger.post("/api/session", json={"code": "guess"})
    assert answer.headers["Retry-After"] == "60"


async def test_a_session_is_no_owner(backend: Backend, stranger: aiohttp.ClientSession) -> None:
    headers = {"Authorization": f"Bearer {await _session(backend, stranger)}"}
    assert (await stranger.post("/api/session/codes", headers=headers)).status == 403


async def test_paths_in_disguise_reach_nothing(stranger: aiohttp.ClientSession, backend: Backend) -> None:
    host, port = backend.url.removeprefix("http://").split(":")
    for path in (
        "//api/settings",
        "/./api/settings",
        "/x/../api/settings",
        "/%61pi/settings",
        "/api%2fsettings",
        "/API/settings",
        "/api/settings/",
        "/api/health/../settings",
        "/..%2f..%2fbackend.py",
        "/../../config.py",
        "http://127.0.0.1/api/settings",
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        answer = (await reader.read()).decode(errors="replace")
        writer.close()
        assert "default_mode" not in answer, path
        assert "import" not in answer.partition("\r\n\r\n")[2].replace("important", ""), path


async def test_headers_of_every_answer(owner: aiohttp.ClientSession) -> None:
    for path in ("/", "/api/settings", "/api/nothing", "/assets/nothing.js"):
        answer = await owner.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Server" not in answer.headers
        assert not any(name.lower().startswith("access-control") for name in answer.headers)
    assert (await owner.get("/api/settings")).headers["Cache-Control"] == "no-store"


async def test_bodies_are_bounded(owner: aiohttp.ClientSession) -> None:
    json_type = {"Content-Type": "application/json"}
    assert (await owner.patch("/api/settings", data=b'"' + b"x" * (1 << 20) + b'"', headers=json_type)).status == 413
    deep = b"[" * 100_000 + b"]" * 100_000
    assert (await owner.patch("/api/settings", data=deep, headers=json_type)).status == 400
    flat = b'{"theme": "' + b"[" * 100_000 + b'"}'
    assert (await owner.patch("/api/settings", data=flat, headers=json_type)).status == 422
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = await owner.patch("/api/settings", data=b'{"theme": "dark"}', headers={"Content-Type": kind})
        assert answer.status == 415

    async def endless():
        while True:
            yield b"[" * 65536

    try:
        answer = await owner.patch("/api/settings", data=endless(), headers=json_type)
        assert answer.status == 413
    except aiohttp.ClientError:
        pass  # hung up on before the answer could be read
