"""An ASGI proxy to one server, for HTTP and WebSockets, both ways streaming.

VS Code loads in some 175 small requests, so what counts is the time added to each: no framework, one pooled client
(aiohttp was ten times faster than httpx here), small answers in one piece. Measured in tests/bench/editor_proxy.py.

What it changes on the way: the path's prefix is off already (the caller passes the rest), hop-by-hop headers end here,
the browser's Host goes on as `X-Forwarded-Host` (code-server compares it with the Origin), and cookies pass in neither
direction, because a cookie of 127.0.0.1 would be seen by every port of it.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from app.runtimes.contract import Endpoint

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_NOT_FORWARDED = _HOP | {
    b"host",
    b"cookie",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-forwarded-for",
    b"forwarded",
}
_NOT_RETURNED = _HOP | {b"set-cookie", b"set-cookie2", b"referrer-policy"}
_HANDSHAKE = (
    b"sec-websocket-accept",
    b"sec-websocket-extensions",
    b"sec-websocket-key",
    b"sec-websocket-protocol",
    b"sec-websocket-version",
)

# Answers up to this many bytes are read whole and sent in one piece.
_ONE_PIECE = 512 * 1024


class Proxy:
    """Requests to `endpoint`, over its unix socket where it has one. Close it when the endpoint is no longer used."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._base = endpoint.url.rstrip("/")
        self._extra = [(name, value) for name, value in endpoint.headers.items()]
        self._session: aiohttp.ClientSession | None = None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            socket = self.endpoint.socket
            connector = aiohttp.UnixConnector(str(socket), limit=0) if socket else aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=10),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                max_line_size=65536,
                max_field_size=65536,
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def http(self, scope: Scope, receive: Receive, send: Send, path: str, added: Headers) -> None:
        """Forward a request as `path` (encoded, with its query). `added` headers are put on the answer.

        Raises aiohttp.ClientError or OSError while nothing was sent yet; later a broken answer is cut off, as it is
        upstream.
        """
        has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
        gone = asyncio.Event()
        request = self._client().request(
            scope["method"],
            URL(f"{self._base}{path}", encoded=True),
            headers=self._forwarded(scope),
            data=_body(receive, gone) if has_body else None,
            allow_redirects=False,
        )
        async with request as answer:
            length = answer.content_length
            headers = [pair for pair in _lowered(answer.raw_headers) if pair[0] not in _NOT_RETURNED] + added
            start = {"type": "http.response.start", "status": answer.status, "headers": headers}
            if scope["method"] == "HEAD" or (length is not None and length <= _ONE_PIECE):
                body = await answer.read()
                await send(start)
                await send({"type": "http.response.body", "body": body})
                return
            await send(start)
            await _while_connected(receive, gone, _stream(answer, send))

    async def websocket(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        """Join the browser's socket with one to `path`. The caller has not received `websocket.connect` yet.

        Raises aiohttp.ClientError or OSError when the other side can't be reached or refuses.
        """
        await receive()
        upstream = await self._client().ws_connect(
            URL(f"{self._base}{path}", encoded=True),
            headers=self._forwarded(scope, _HANDSHAKE),
            protocols=tuple(scope.get("subprotocols") or ()),
            max_msg_size=0,
            compress=0,
        )
        try:
            await send({"type": "websocket.accept", "subprotocol": upstream.protocol})
            with contextlib.suppress(OSError, RuntimeError, aiohttp.ClientError):  # one side went while the other wrote
                await _first(_downwards(upstream, send), _upwards(receive, upstream))
        finally:
            await upstream.close()

    def _forwarded(self, scope: Scope, without: Iterable[bytes] = ()) -> list[tuple[str, str]]:
        headers: list[tuple[str, str]] = []
        host = ""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1")
            elif name not in _NOT_FORWARDED and name not in without:
                headers.append((name.decode("latin-1"), value.decode("latin-1")))
        headers.append(("X-Forwarded-Host", host))
        headers.append(("X-Forwarded-Proto", "https" if scope["scheme"] in ("https", "wss") else "http"))
        if self.endpoint.socket is not None:
            headers.append(("Host", urlsplit(self._base).netloc))
        return headers + self._extra


def _lowered(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    return ((name.lower(), value) for name, value in headers)


async def _body(receive: Receive, gone: asyncio.Event) -> AsyncGenerator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            gone.set()
            raise ConnectionAbortedError("the browser went away while it was sending")
        if chunk := message.get("body"):
            yield chunk
        if not message.get("more_body"):
            return


async def _stream(answer: aiohttp.ClientResponse, send: Send) -> None:
    async for chunk in answer.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _while_connected(receive: Receive, gone: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Do `work` until it ends or the browser has gone, in which case upstream is let go as well."""

    async def leave() -> None:
        while not gone.is_set() and (await receive())["type"] != "http.disconnect":
            pass

    await _first(work, leave())


async def _first(*works: Coroutine[None, None, None]) -> None:
    """Run them side by side until one ends, then end the others. Raises what the one that ended raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _downwards(upstream: aiohttp.ClientWebSocketResponse, send: Send) -> None:
    """From the server to the browser. `send` waits while the browser's buffer is full."""
    async for message in upstream:
        if message.type is aiohttp.WSMsgType.BINARY:
            await send({"type": "websocket.send", "bytes": message.data})
        elif message.type is aiohttp.WSMsgType.TEXT:
            await send({"type": "websocket.send", "text": message.data})
    with contextlib.suppress(RuntimeError, OSError):  # the browser may have closed at the same moment
        await send({"type": "websocket.close", "code": _sendable(upstream.close_code)})


async def _upwards(receive: Receive, upstream: aiohttp.ClientWebSocketResponse) -> None:
    """From the browser to the server, until the browser leaves."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            await upstream.close(code=_sendable(message.get("code")))
            return
        if (data := message.get("bytes")) is not None:
            await upstream.send_bytes(data)
        else:
            await upstream.send_str(message["text"])


def _sendable(code: int | None) -> int:
    """Codes that only describe how a connection ended may not be sent (RFC 6455, 7.4.1)."""
    return code if code is not None and code not in (1004, 1005, 1006, 1015) else 1001
