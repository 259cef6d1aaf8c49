"""What stands in front of every route and socket: who may ask, from where, and how much.

A pure ASGI wrapper, so nothing mounted behind it can be reached around it. The rules, and the incidents they were
learned from, are in docs/security.md:

- Host must be one that we serve, else a name that an attacker points at 127.0.0.1 reads everything (DNS rebinding).
- A browser says where a request comes from: `Origin` must be the host's own, `Sec-Fetch-Site` same-origin or none.
- Everything but health, the sign-in and the page's static files needs a bearer token: a header on requests,
  `bearer.<token>` among the subprotocols on sockets. Never a cookie: cookies ignore ports.
- Bodies are JSON, bounded in size and depth, and read before anything else looks at them.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from app.problems import Fault
from app.schemas import Problem
from app.server.sessions import Identity, Sessions

type Scope = dict[str, Any]
type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type App = Callable[[Any, Any, Any], Awaitable[None]]

OPEN = {("GET", "/api/health"), ("HEAD", "/api/health"), ("POST", "/api/session")}
BODY_BYTES = 1 << 20
MESSAGE_BODY_BYTES = 32 << 20
"""Messages may carry images."""
JSON_DEPTH = 64

_PROTECTED = ("/api", "/ws")


class Guard:
    """`hosts` are the `host:port` names served; they are known once the port is, so they are set later.

    `seen` hears of each request that was let in with a credential.
    """

    def __init__(
        self,
        app: App,
        sessions: Sessions,
        allowed_origins: Iterable[str] = (),
        seen: Callable[[], None] = lambda: None,
    ) -> None:
        self._app = app
        self._seen = seen
        self._sessions = sessions
        self._foreign = {origin.lower(): urlsplit(origin.lower()).netloc for origin in allowed_origins}
        self.hosts: set[str] = set()

    def serve_at(self, port: int) -> None:
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        send = _with_headers(scope, send)
        try:
            identity = self._admit(scope)
            scope.setdefault("state", {})["identity"] = identity
            if identity is not None:
                self._seen()
            if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS"):
                receive = await _whole_body(scope, receive)
        except Fault as fault:
            await refuse(scope, receive, send, fault.problem())
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> Identity | None:
        """Raises Fault unless it may pass. None where nobody needs to be known."""
        headers = _headers(scope)
        host = _only(headers, b"host").lower()
        if host not in self.hosts and host not in self._foreign.values():
            raise Fault(
                code="foreign-host",
                status=421,
                title="Not a host of this server",
                detail="This server answers only at 127.0.0.1 and localhost, and at the hosts in ALLOWED_ORIGINS.",
                remedy="Open the address that Twinseat printed, or add yours to ALLOWED_ORIGINS.",
            )
        path: str = scope["path"]
        protected = path.startswith(_PROTECTED)
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if protected or changes:
            self._same_origin(host, headers)
        if not changes and not protected:
            return None
        if scope["type"] == "http" and (scope["method"], path) in OPEN:
            return None
        identity = self._sessions.identify(_token(scope, headers))
        if identity is None:
            raise Fault(
                code="not-signed-in",
                status=401,
                title="Not signed in",
                detail="This needs a valid sign-in: there was none, or it has expired.",
                remedy="Run `twinseat` on that machine to get a fresh link.",
            )
        return identity

    def _same_origin(self, host: str, headers: dict[bytes, list[bytes]]) -> None:
        site = [value.decode("latin-1") for value in headers.get(b"sec-fetch-site", [])]
        origins = [value.decode("latin-1").lower() for value in headers.get(b"origin", [])]
        own = host in self.hosts
        for origin in origins:
            if not (origin == f"http://{host}" if own else self._foreign.get(origin) == host):
                raise _foreign_origin()
        if any(value not in ("same-origin", "none") for value in site):
            raise _foreign_origin()


def _foreign_origin() -> Fault:
    return Fault(
        code="foreign-origin",
        status=403,
        title="Not from this page",
        detail="The request came from another site's page, and those may not ask anything here.",
        remedy="Use the page that Twinseat serves.",
    )


def _headers(scope: Scope) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.lower(), []).append(value)
    return found


def _only(headers: dict[bytes, list[bytes]], name: bytes) -> str:
    """The header's value; empty unless it is there exactly once, since two values are a trick."""
    values = headers.get(name, [])
    return values[0].decode("latin-1") if len(values) == 1 else ""


def _token(scope: Scope, headers: dict[bytes, list[bytes]]) -> str:
    if scope["type"] == "websocket":
        offered: list[str] = scope.get("subprotocols", [])
        tokens = [one.removeprefix("bearer.") for one in offered if one.startswith("bearer.")]
        return tokens[0] if len(tokens) == 1 else ""
    scheme, _, token = _only(headers, b"authorization").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _whole_body(scope: Scope, receive: Receive) -> Receive:
    """Read the body within its bounds, then hand it on as one piece. Raises Fault."""
    headers = _headers(scope)
    path: str = scope["path"]
    limit = MESSAGE_BODY_BYTES if path == "/api/tasks" or path.endswith("/messages") else BODY_BYTES
    declared = _only(headers, b"content-length")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return _replay([message])
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            break
    if body:
        kind = _only(headers, b"content-type").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Fault(
                code="not-json",
                status=415,
                title="Not JSON",
                detail="A body must be JSON, and its Content-Type must say so.",
                remedy="Send Content-Type: application/json.",
            )
        if _depth(body) > JSON_DEPTH:
            raise Fault(
                code="too-deep",
                status=400,
                title="Nested too deeply",
                detail=f"JSON may be nested {JSON_DEPTH} levels deep here.",
                remedy="Send flatter data.",
            )
    whole = bytes(body)
    scope["state"]["body"] = whole
    return _replay([{"type": "http.request", "body": whole, "more_body": False}], receive)


def _replay(messages: list[Message], then: Receive | None = None) -> Receive:
    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        return await then() if then is not None else {"type": "http.disconnect"}

    return receive


def _too_large(limit: int) -> Fault:
    return Fault(
        code="too-large",
        status=413,
        title="Too large",
        detail=f"A body may have {limit:,} bytes here.",
        remedy="Send less at once; name large files by their path in place of sending them.",
    )


def _depth(body: bytearray) -> int:
    """How deep the brackets nest, strings left out. Cheap for the ordinary body, which has few."""
    if body.count(b"[") + body.count(b"{") <= JSON_DEPTH:
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for byte in body:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _policy(host: str) -> str:
    """Editors are framed from ports of their own that come and go with workspaces, so any loopback port may be."""
    return (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        f"font-src 'self' data:; connect-src 'self' ws://{host} wss://{host}; worker-src 'self' blob:; "
        "frame-src http://127.0.0.1:* http://localhost:*; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def _with_headers(scope: Scope, send: Send) -> Send:
    host = _only(_headers(scope), b"host")
    safe = (
        host
        if host and not set(host) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-[]")
        else ""
    )
    fixed = [
        (b"content-security-policy", _policy(safe or "127.0.0.1").encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), usb=(), payment=()"),
    ]
    no_store = [(b"cache-control", b"no-store")] if str(scope["path"]).startswith(_PROTECTED) else []

    async def wrapped(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            named = {name for name, _ in fixed} | {name for name, _ in no_store}
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in named]
            message = {**message, "headers": [*kept, *fixed, *no_store]}
        await send(message)

    return wrapped


async def refuse(scope: Scope, receive: Receive, send: Send, problem: Problem) -> None:
    """Answer with the problem, on a socket by denying the upgrade."""
    body = json.dumps(problem.model_dump(exclude_none=True)).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    if problem.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if problem.status == 429:
        headers.append((b"retry-after", b"60"))
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": problem.code})
            return
    prefix = "websocket." if scope["type"] == "websocket" else ""
    await send({"type": f"{prefix}http.response.start", "status": problem.status, "headers": headers})
    await send({"type": f"{prefix}http.response.body", "body": body})
