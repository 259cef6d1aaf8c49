"""The scripted model inside the backend: started when it is first asked, so that it costs nothing before."""

import asyncio
import secrets

from app.demo import model


class Host:
    """Call it to get the running server. It asks for a key of its own, so that only the gateway can use it."""

    def __init__(self, pace: float = model.PACE) -> None:
        self._pace = pace
        self._running: model.Running | None = None
        self._lock = asyncio.Lock()

    async def __call__(self) -> model.Running:
        async with self._lock:
            if self._running is None:
                self._running = await model.start(self._pace, key=secrets.token_urlsafe(24))
            return self._running

    async def stop(self) -> None:
        """Stop it if it was started."""
        async with self._lock:
            if self._running is not None:
                await self._running.stop()
                self._running = None
