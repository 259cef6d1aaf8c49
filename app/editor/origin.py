"""An origin for each workspace's editor: a loopback listener of its own behind an unguessable path.

The editor's page can open a terminal, so whoever can load it or open its socket is the user. What protects it:
the path's first segment (256 bits, in no cookie, sent to nobody as a referrer), Host and Origin that have to be the
listener's own (DNS rebinding, other sites), and a frame that only the app's own pages may put around it. Ports of
127.0.0.1 are the same *site*, so nothing here relies on SameSite; there are no cookies at all. The port is remembered,
because VS Code keeps its layout per origin.
"""

import asyncio
import contextlib
import hmac
import json
import logging
import random
import secrets
import socket
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import aiohttp
import uvicorn

from app.editor.failure import Failure, page
from app.editor.proxy import Headers, Message, Proxy, Receive, Scope, Send
from app.problems import Fault, describe
from app.runtimes.contract import Endpoint, RuntimeNotReady
from app.schemas import Part

LOOPBACK = "127.0.0.1"
# Below the systems' ranges for outgoing connections, so that a remembered port is rarely in somebody's way.
_PORTS = range(20_000, 32_000)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Origin:
    """Where a workspace's editor is. `moved` when the port asked for was taken and another had to be used."""

    workspace_id: str
    url: str
    port: int
    secret: str
    moved: bool = False


class Origins:
    """The listeners of all open workspaces, in the running event loop.

    `target` gives the code-server to use for a workspace, at each request, and may raise `RuntimeNotReady`; `part`
    its state in words; `app_origins` are the pages that may frame an editor, such as `http://127.0.0.1:8000`.
    """

    def __init__(
        self,
        target: Callable[[str], Endpoint],
        part: Callable[[str], Part] | None = None,
        app_origins: Sequence[str] = (),
    ) -> None:
        self._target = target
        self._part = part
        self.app_origins = tuple(app_origins)
        self._listeners: dict[str, _Listener] = {}

    async def start(self, workspace_id: str, port: int | None = None, secret: str | None = None) -> Origin:
        """Listen for a workspace, on its remembered port where that is free. Started already: the same again."""
        if running := self._listeners.get(workspace_id):
            return running.origin
        bound = _bind(port)
        actual = int(bound.getsockname()[1])
        secret = secret or secrets.token_urlsafe(32)
        origin = Origin(
            workspace_id, f"http://{LOOPBACK}:{actual}/{secret}/", actual, secret, moved=port not in (None, actual)
        )
        listener = _Listener(self, origin)
        self._listeners[workspace_id] = listener
        listener.start(bound)
        return origin

    def get(self, workspace_id: str) -> Origin | None:
        listener = self._listeners.get(workspace_id)
        return listener.origin if listener else None

    async def stop(self, workspace_id: str) -> None:
        if listener := self._listeners.pop(workspace_id, None):
            await listener.stop()

    async def close(self) -> None:
        await asyncio.gather(*(self.stop(workspace_id) for workspace_id in list(self._listeners)))

    def target(self, workspace_id: str) -> Endpoint:
        return self._target(workspace_id)

    def state(self, workspace_id: str) -> Part | None:
        return self._part(workspace_id) if self._part else None


class _Listener:
    """The ASGI application of one origin, and its server."""

    def __init__(self, origins: Origins, origin: Origin) -> None:
        self.origin = origin
        self._origins = origins
        self._hosts = {f"{name}:{origin.port}".encode() for name in (LOOPBACK, "localhost")}
        self._proxy: Proxy | None = None
        config = uvicorn.Config(
            self,
            ws="websockets-sansio",
            # VS Code sends whole files in one message, and both ends are on this machine.
            ws_max_size=2**40,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
            backlog=512,
        )
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    def start(self, bound: socket.socket) -> None:
        """`bound` listens already, so a browser may come before the server's first turn."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[bound]))

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        if self._proxy is not None:
            await self._proxy.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
            return
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        _, _, rest = raw[1:].partition(b"/")
        if raw.count(b"/") < 2:  # the slashless form would break every relative address in the page
            location = raw.rpartition(b"/")[2] + b"/" + (b"?" + query if query else b"")
            await _answer(send, 308, b"", [(b"location", location)])
            return
        path = "/" + rest.decode("latin-1") + ("?" + query.decode("latin-1") if query else "")
        try:
            proxy = await self._upstream()
            if scope["type"] == "websocket":
                await proxy.websocket(scope, receive, send, path)
            else:
                await self._http(proxy, scope, receive, send, path)
        except (RuntimeNotReady, Fault, aiohttp.ClientError, OSError) as error:
            await self._failed(scope, send, error)

    async def _http(self, proxy: Proxy, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await proxy.http(scope, receive, watched, path, self._added())
        except (aiohttp.ClientError, OSError):
            if not started:
                raise
            log.debug("An answer of the editor was cut off", exc_info=True)

    def _added(self) -> Headers:
        ancestors = " ".join(("'self'", *self._origins.app_origins))
        return [
            (b"referrer-policy", b"no-referrer"),
            (b"content-security-policy", f"frame-ancestors {ancestors}".encode()),
        ]

    async def _upstream(self) -> Proxy:
        """The proxy to the workspace's code-server of this moment: another one after a restart, or a trust decision."""
        endpoint = self._origins.target(self.origin.workspace_id)
        if self._proxy is not None and self._proxy.endpoint == endpoint:
            return self._proxy
        former, self._proxy = self._proxy, Proxy(endpoint)
        if former is not None:
            await former.close()
        return self._proxy

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Why a request may not even reach the proxy."""
        headers = {name: value for name, value in scope["headers"] if name in _CHECKED}
        host: bytes = headers.get(b"host", b"").lower()
        if host not in self._hosts:
            return 421, "This address is not served here."
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        if not hmac.compare_digest(raw[1:].partition(b"/")[0], self.origin.secret.encode()):
            return 404, "Not found."
        own = headers.get(b"origin") == b"http://" + host
        if not own and (scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")):
            return 403, "Only the editor's own page may do this."
        site, mode = headers.get(b"sec-fetch-site"), headers.get(b"sec-fetch-mode")
        if site in (b"cross-site", b"same-site") and mode != b"navigate":
            return 403, "Another page may not load this."
        return None

    async def _failed(self, scope: Scope, send: Send, error: Exception) -> None:
        if scope["type"] == "websocket":
            with contextlib.suppress(RuntimeError):
                await send({"type": "websocket.close", "code": 1013, "reason": "the editor is not running"})
            return
        failure = self._failure(error)
        headers = dict(scope["headers"])
        if headers.get(b"sec-fetch-mode") == b"navigate" or b"text/html" in headers.get(b"accept", b""):
            body, policy = page(failure)
            added = [(n, v) for n, v in self._added() if n != b"content-security-policy"]
            ancestors = self._added()[1][1].decode()
            added += [
                (b"content-type", b"text/html; charset=utf-8"),
                (b"content-security-policy", f"{policy}; {ancestors}".encode()),
            ]
        else:
            body = json.dumps({"title": failure.title, "status": 503, "detail": failure.reason}).encode()
            added = [(b"content-type", b"application/problem+json")]
        await _answer(send, 503, body, [*added, (b"cache-control", b"no-store"), (b"retry-after", b"1")])

    def _failure(self, error: Exception) -> Failure:
        state = self._origins.state(self.origin.workspace_id)
        problem = state.problem if state else None
        if problem is None:
            message = str(error)
            problem = None if isinstance(error, RuntimeNotReady) else describe(error, "VS Code's server", 503)
            reason = message if problem is None else problem.detail
        else:
            reason = problem.detail
        return Failure(
            starting=state is not None and state.state == "starting",
            reason=reason,
            remedy=problem.remedy if problem else None,
            log_tail=state.log_tail if state else "",
        )


_CHECKED = {b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode"}


class _Server(uvicorn.Server):
    """Signals belong to the process, not to one of its many listeners."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _bind(port: int | None) -> socket.socket:
    """A listening socket on `port`, or on the next best one when it is taken or none is remembered."""
    chosen = [] if port is None else [port]
    for candidate in [*chosen, *random.sample(_PORTS, 20), 0]:
        # With the protocol named, asyncio switches Nagle's algorithm off for what is accepted; without, each answer in
        # two writes waits 40 ms for the browser's acknowledgement.
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((LOOPBACK, candidate))
            bound.listen(512)
        except OSError:
            bound.close()
            continue
        bound.setblocking(False)
        return bound
    raise Fault(
        code="no-free-port",
        status=503,
        title="No free port",
        detail="The editor can't be shown: this machine has no free port left for it on 127.0.0.1.",
        remedy="Close programs that hold many connections, then try again.",
    )


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before the hand-shake: a plain 403
        return
    await _answer(send, status, text.encode(), [(b"content-type", b"text/plain; charset=utf-8")])


async def _answer(send: Send, status: int, body: bytes, headers: Headers) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode()), (b"referrer-policy", b"no-referrer")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
