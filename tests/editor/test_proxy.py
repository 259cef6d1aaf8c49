"""The proxy and its origin against a real server and real clients: streams, aborts, sizes, and who may come in."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from app.editor.origin import Origin, Origins
from app.runtimes.contract import Endpoint, RuntimeNotReady
from app.schemas import Part, Problem


@dataclass
class Upstream:
    """A server that shows what reached it."""

    socket: Path
    aborted: asyncio.Event = field(default_factory=asyncio.Event)
    closed_with: asyncio.Future[int | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    sent: int = 0
    runner: web.AppRunner | None = None

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("http://code-server", {"X-Token": "runtime"}, self.socket)

    async def start(self) -> None:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/echo", self.echo)
        app.router.add_get("/endless", self.endless)
        app.router.add_get("/slow", self.slow)
        app.router.add_get("/broken", self.broken)
        app.router.add_get("/socket", self.websocket)
        app.router.add_get("/{rest:.*}", self.echo)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.UnixSite(self.runner, str(self.socket)).start()

    async def stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()
        self.socket.unlink(missing_ok=True)

    async def echo(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {
            "Set-Cookie": "a=b",
            "ETag": '"tag"',
            "Cache-Control": "public, max-age=31536000",
            "Referrer-Policy": "unsafe-url",
            "Service-Worker-Allowed": "/",
        }
        if request.headers.get("If-None-Match") == '"tag"':
            return web.Response(status=304, headers=headers)
        seen = {"path": request.raw_path, "headers": dict(request.headers), "size": len(body)}
        return web.json_response(seen, headers=headers)

    async def slow(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for number in range(3):
            await answer.write(f"{number}".encode())
            await asyncio.sleep(0.05)
        return answer

    async def broken(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "1000000"})
        await answer.prepare(request)
        await answer.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return answer

    async def endless(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b"x" * 65536)
                self.sent += 65536
        except (ConnectionError, asyncio.CancelledError):
            self.aborted.set()
            raise
        return answer

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(protocols=("vscode",), max_msg_size=0)
        await ws.prepare(request)
        async for message in ws:
            if message.type is aiohttp.WSMsgType.TEXT and message.data == "bye":
                await ws.close(code=4001)
            elif message.type is aiohttp.WSMsgType.TEXT:
                await ws.send_str(message.data)
            else:
                await ws.send_bytes(message.data)
        if not self.closed_with.done():
            self.closed_with.set_result(ws.close_code)
        return ws


@dataclass
class Way:
    """A browser's way to the upstream server, with the browser's own headers."""

    upstream: Upstream
    origins: Origins
    origin: Origin
    client: aiohttp.ClientSession

    @property
    def own(self) -> dict[str, str]:
        return {"Origin": f"http://127.0.0.1:{self.origin.port}"}

    def url(self, path: str) -> str:
        return self.origin.url + path


@pytest.fixture
async def way(tmp_path: Path) -> AsyncGenerator[Way]:
    upstream = Upstream(Path(f"/tmp/ts-{tmp_path.name[-40:]}-{id(tmp_path)}"))
    await upstream.start()
    problem = Problem(title="x", status=503, detail="It ended with <signal> 9.", remedy="Wait.", code="editor-died")
    part = Part(state="failed", problem=problem, log_tail="<b>last line</b>")
    origins = Origins(lambda _: upstream.endpoint, lambda _: part, ["http://127.0.0.1:8000", "http://localhost:8000"])
    origin = await origins.start("w")
    async with aiohttp.ClientSession() as client:
        yield Way(upstream, origins, origin, client)
    await origins.close()
    await upstream.stop()


async def test_what_reaches_the_server(way: Way) -> None:
    headers = {"Cookie": "session=1", "X-Forwarded-Host": "evil", "Forwarded": "host=evil", "Accept-Encoding": "br"}
    async with way.client.get(way.url("a%2Fb/c?x=1&y=%20"), headers=headers) as answer:
        seen = await answer.json()
    assert seen["path"] == "/a%2Fb/c?x=1&y=%20"
    assert "Cookie" not in seen["headers"]
    assert "Forwarded" not in seen["headers"]
    assert seen["headers"]["X-Forwarded-Host"] == f"127.0.0.1:{way.origin.port}"
    assert seen["headers"]["X-Token"] == "runtime"
    assert seen["headers"]["Accept-Encoding"] == "br"


async def test_what_comes_back(way: Way) -> None:
    async with way.client.get(way.url("echo")) as answer:
        headers = answer.headers
    assert "Set-Cookie" not in headers
    assert headers["ETag"] == '"tag"'
    assert headers["Cache-Control"] == "public, max-age=31536000"
    assert headers.getall("Referrer-Policy") == ["no-referrer"]
    policy = "frame-ancestors 'self' http://127.0.0.1:8000 http://localhost:8000"
    assert headers.getall("Content-Security-Policy") == [policy]
    async with way.client.get(way.url("echo"), headers={"If-None-Match": '"tag"'}) as answer:
        assert answer.status == 304
    async with way.client.head(way.url("echo")) as answer:
        assert answer.status == 200


async def test_bodies_stream_both_ways(way: Way) -> None:
    async def many() -> AsyncGenerator[bytes]:
        for _ in range(64):
            yield b"y" * 65536

    async with way.client.post(way.url("echo"), data=many(), headers=way.own) as answer:
        assert (await answer.json())["size"] == 64 * 65536
    async with way.client.post(way.url("echo"), data=b"z" * 10, headers=way.own) as answer:
        assert (await answer.json())["headers"]["Content-Length"] == "10"
    async with way.client.get(way.url("slow")) as answer:
        assert [chunk async for chunk in answer.content.iter_any()] == [b"0", b"1", b"2"]


async def test_a_browser_that_leaves_ends_the_request_and_a_slow_one_slows_it(way: Way) -> None:
    answer = await way.client.get(way.url("endless"))
    await answer.content.readexactly(10)
    before = -1
    while before != way.upstream.sent:  # nobody reads: the buffers fill, then it stands still
        before = way.upstream.sent
        await asyncio.sleep(0.2)
    assert way.upstream.sent < 64 * 2**20
    answer.close()
    await asyncio.wait_for(way.upstream.aborted.wait(), 10)


async def test_a_broken_answer_is_not_taken_for_a_whole_one(way: Way) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        async with way.client.get(way.url("broken")) as answer:
            await answer.read()


async def test_sockets(way: Way) -> None:
    url = way.url("socket")
    async with way.client.ws_connect(url, headers=way.own, protocols=("vscode",), max_msg_size=0) as ws:
        assert ws.protocol == "vscode"
        await ws.send_str("hällo")
        assert (await ws.receive()).data == "hällo"
        large = b"\0\xff" * (24 * 2**20)
        await ws.send_bytes(large)
        assert (await ws.receive()).data == large
        await ws.send_str("bye")
        assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE
        assert ws.close_code == 4001


async def test_a_socket_closed_by_the_browser_is_closed_above(way: Way) -> None:
    async with way.client.ws_connect(way.url("socket"), headers=way.own) as ws:
        await ws.send_str("hello")
        await ws.receive()
        await ws.close(code=4002)
    assert await asyncio.wait_for(way.upstream.closed_with, 10) == 4002


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example:80"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
    ],
)
async def test_who_may_read(way: Way, headers: dict[str, str], status: int) -> None:
    async with way.client.get(way.url("echo"), headers=headers) as answer:
        assert answer.status == status


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1"])
async def test_who_may_change_and_who_may_open_a_socket(way: Way, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        async with way.client.request(method, way.url("echo"), headers=headers) as answer:
            assert answer.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await way.client.ws_connect(way.url("socket"), headers=headers)
    assert refused.value.status == 403


async def test_outside_the_secret_path_there_is_nothing(way: Way) -> None:
    base = f"http://127.0.0.1:{way.origin.port}"
    secret = way.origin.secret
    for path in ("/", "/echo", "/favicon.ico", f"/{secret[:-1]}/echo", f"/{secret}x/echo", f"//{secret}/echo", "/..;/"):
        async with way.client.get(base + path) as answer:
            assert (answer.status, await answer.text()) == (404, "Not found.")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await way.client.ws_connect(base + "/socket", headers=way.own)
    async with way.client.get(f"{base}/{secret}?folder=/x", allow_redirects=False) as answer:
        assert answer.status == 308
        assert answer.headers["Location"] == f"{secret}/?folder=/x"


async def test_localhost_is_served_too(way: Way) -> None:
    base = f"http://localhost:{way.origin.port}"
    async with way.client.post(f"{base}/{way.origin.secret}/echo", headers={"Origin": base}, data=b"") as answer:
        assert answer.status == 200


async def test_a_dead_server_is_told_as_a_page_or_as_a_problem(way: Way) -> None:
    await way.upstream.stop()
    async with way.client.get(way.url(""), headers={"Accept": "text/html"}) as answer:
        page = await answer.text()
        assert answer.status == 503
        assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
    assert "It ended with &lt;signal&gt; 9." in page
    assert "&lt;b&gt;last line&lt;/b&gt;" in page
    async with way.client.get(way.url("some.js")) as answer:
        assert answer.status == 503
        assert (await answer.json(content_type=None))["detail"] == "It ended with <signal> 9."
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await way.client.ws_connect(way.url("socket"), headers=way.own)
    await way.upstream.start()
    async with way.client.get(way.url("echo")) as answer:
        assert answer.status == 200


async def test_without_a_state_the_reason_is_still_a_sentence() -> None:
    def target(_: str) -> Endpoint:
        raise RuntimeNotReady("The editor waits for the workspace.")

    origins = Origins(target)
    origin = await origins.start("w")
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        dead = Endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}")
    other = Origins(lambda _: dead)
    refused = await other.start("w")
    async with aiohttp.ClientSession(headers={"Accept": "text/html"}) as client:
        assert "The editor waits for the workspace." in await (await client.get(origin.url)).text()
        assert "nothing listens at that address" in await (await client.get(refused.url)).text()
    await origins.close()
    await other.close()


async def test_ports_are_remembered_and_a_taken_one_is_replaced(way: Way) -> None:
    assert await way.origins.start("w") == way.origin
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        moved = await way.origins.start("other", port, "kept-secret")
        assert moved.moved
        assert moved.port != port
        assert moved.secret == "kept-secret"
    await way.origins.stop("other")
    assert way.origins.get("other") is None
    again = await way.origins.start("other", moved.port, moved.secret)
    assert (again.port, again.moved) == (moved.port, False)
    assert again.secret != way.origin.secret
    assert len(way.origin.secret) >= 43
