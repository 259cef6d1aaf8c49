"""One loopback listener: a uvicorn server in the running loop, one of several."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Generator

import uvicorn

from app.problems import Fault
from app.server.guard import App

LOOPBACK = "127.0.0.1"


class Listener:
    """`port` is the one asked for; with `insist` its being taken is a Fault, otherwise another one is used."""

    def __init__(
        self, app: App, name: str, *, port: int | None, insist: bool = False, frame_bytes: int = 1 << 20
    ) -> None:
        self._bound = _bind(port, name, insist)
        self.port: int = self._bound.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._server = _Server(
            uvicorn.Config(
                app,
                loop="none",
                ws="websockets-sansio",
                ws_max_size=frame_bytes,
                ws_per_message_deflate=False,
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once it accepts connections."""
        self._serving = asyncio.create_task(self._server.serve([self._bound]))
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait([self._serving, ready], return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            ready.cancel()
            self._serving.result()

    async def stop(self) -> None:
        """Finish what is being answered, two seconds at most."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        self._bound.close()


class _Server(uvicorn.Server):
    """Signals belong to the process, not to one of its listeners."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _bind(port: int | None, name: str, insist: bool) -> socket.socket:
    for candidate in [port or 0] if insist or not port else [port, 0]:
        # Named as TCP, since only then does asyncio switch Nagle off: an answer in two writes would wait 40 ms.
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((LOOPBACK, candidate))
            bound.listen(512)
        except OSError as error:
            bound.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            continue
        bound.setblocking(False)
        return bound
    raise Fault(
        code="port-in-use",
        status=503,
        title="The port is in use",
        detail=f"{name} can't listen at port {port}: another program does, or the system keeps it.",
        remedy="End that program, or set APP_PORT to another number.",
    )
