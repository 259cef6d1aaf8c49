"""The scripted model without latency, which notes the moment of every request."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import Receive, Scope, Send

from app.demo import model


class Recorded:
    """An ASGI app around the model. `moments` are `time.monotonic()`, which all processes share."""

    def __init__(self, pace: float) -> None:
        self._app = model.build(pace)
        self.moments: list[float] = []
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/completions"):
            self.moments.append(time.monotonic())
        await self._app(scope, receive, send)

    def wait(self, count: int, seconds: float = 120) -> list[float]:
        """The moments, once there are so many."""
        until = time.monotonic() + seconds
        while len(self.moments) < count:
            assert time.monotonic() < until, f"{len(self.moments)} of {count} requests after {seconds} s"
            time.sleep(0.02)
        return self.moments


@contextmanager
def recorded(pace: float = 0.0) -> Iterator[Recorded]:
    app = Recorded(pace)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), name="model")
    thread.start()
    while not server.started:
        time.sleep(0.01)
    app.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    try:
        yield app
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
