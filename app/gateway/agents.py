"""The gateway's side towards the agents: ASGI in small pieces, and who may come in."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from app.gateway.upstream import is_loopback
from app.problems import Fault
from app.schemas import Problem

type Scope = dict[str, Any]
type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]
type AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
type Headers = list[tuple[bytes, bytes]]

LARGEST_REQUEST = 64 * 1024 * 1024

_PASSED_BACK = re.compile(
    rb"(?i)content-type|retry-after|retry-after-ms|x-request-id|request-id|cf-ray|x-ratelimit-.*|anthropic-ratelimit-.*"
)


def token(headers: Mapping[str, str]) -> str | None:
    """The task token, in whichever header the protocol has for it."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer.strip():
        return bearer.strip()
    return headers.get("x-api-key") or headers.get("x-goog-api-key")


def stranger(headers: Mapping[str, str]) -> Problem | None:
    """Web pages have no business here, nor has anyone who came by another name than the loopback's."""
    host = headers.get("host", "")
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    if is_loopback(name.strip("[]")) and "origin" not in headers and headers.get("sec-fetch-site") in {None, "none"}:
        return None
    return Problem(
        code="foreign-request",
        status=403,
        title="Not from here",
        detail="The model gateway only answers this machine's agents.",
    )


async def read_body(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The request's body. Raises Fault when it is too large, ConnectionResetError when the agent is gone."""
    length = headers.get("content-length", "0")
    parts: list[bytes] = []
    received = 0
    size = int(length) if length.isdigit() else 0
    while size <= LARGEST_REQUEST:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        parts.append(message.get("body", b""))
        received += len(parts[-1])
        if not message.get("more_body", False):
            return b"".join(parts)
        size = max(size, received)
    raise Fault(
        code="request-too-large",
        status=413,
        title="The request is too large",
        detail=f"The agent's request is larger than {LARGEST_REQUEST // 2**20} MB.",
        remedy="Start a new task, or leave out large pictures.",
    )


async def disconnected(receive: Receive) -> None:
    """Wait until the agent hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def passed_back(headers: Mapping[str, str]) -> Headers:
    """What of a provider's headers the agent may see."""
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return [(name, value) for name, value in pairs if _PASSED_BACK.fullmatch(name)]


async def start(send: Send, status: int, headers: Headers) -> None:
    """Send an answer's head."""
    extra = [(b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *extra]})


async def more(send: Send, body: bytes, *, last: bool = False) -> None:
    """Send a piece of an answer."""
    await send({"type": "http.response.body", "body": body, "more_body": not last})


async def answer(send: Send, status: int, body: bytes, headers: Headers | None = None) -> None:
    """Send a whole answer."""
    kept = headers or []
    if not any(name == b"content-type" for name, _ in kept):
        kept = [*kept, (b"content-type", b"application/json")]
    await start(send, status, [*kept, (b"content-length", str(len(body)).encode())])
    await more(send, body, last=True)


async def lifespan(receive: Receive, send: Send) -> None:
    """There is nothing to start or stop here."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
