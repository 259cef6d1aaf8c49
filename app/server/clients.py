"""How many look on, and when the last one left: it decides how long a backend that the window started stays."""

import asyncio

STAY_SECONDS = 60.0


class Clients:
    """Counts open sockets, and hears of requests."""

    def __init__(self) -> None:
        self._open = 0
        self._moved = asyncio.Event()

    def came(self) -> None:
        self._open += 1
        self._moved.set()

    def left(self) -> None:
        self._open -= 1
        self._moved.set()

    def seen(self) -> None:
        """A request came: whoever sent it looks on, if only from time to time."""
        self._moved.set()

    @property
    def open(self) -> int:
        return self._open

    async def gone(self, seconds: float = STAY_SECONDS) -> None:
        """Return once nobody has been there for so long."""
        while True:
            self._moved.clear()
            if self._open:
                await self._moved.wait()
                continue
            try:
                await asyncio.wait_for(self._moved.wait(), seconds)
            except TimeoutError:
                return
