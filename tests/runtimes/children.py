"""Quick children for the keeper's tests, and looking for what is left of them."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from app.runtimes import process
from app.runtimes.child import Spec
from app.runtimes.keeper_client import KeeperClient, KeeperPlace, Known, tree_name

QUICK = {"first_delay": 0.05, "longest_delay": 0.2, "term": 0.3, "stall": 30.0}


def spec(name: str, data: Path, script: str, *, ready: str | None = "pipe") -> Spec:
    """A shell as the child. With `ready="pipe"` the script reports on descriptor $TWINSEAT_READY_FD itself."""
    return Spec(
        name=name,
        argv=["/bin/sh", "-c", script],
        env={"PATH": os.environ["PATH"]},
        cwd="/",
        log=str(data / f"{name}.log"),
        payload={"session_key": "k"} if ready == "pipe" else None,
        ready=ready,
    )


# dash can't write to a descriptor of two digits by `>&$fd`; /proc can.
REPORT = 'echo \'{"ready": {"port": 1}}\' > /proc/self/fd/$TWINSEAT_READY_FD; '


def marked(data: Path) -> list[int]:
    """Everything alive that a keeper of `data` ever started."""
    return process.marked(f"{tree_name(data / 'keeper')}:")


async def until(condition: Callable[[], object], limit: float = 60) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.02)


class Keeping:
    """A keeper with quick children, and what it last said."""

    def __init__(self, data: Path, grace: float = 30.0, **pace: float) -> None:
        self.data = data
        self.place = KeeperPlace(data / "keeper", grace, QUICK | pace)
        self.lost = False
        self.history: list[tuple[str, str]] = []
        self.client = KeeperClient(self._heard, self._gone)

    async def open(self) -> bool:
        self.lost = False
        self.client = KeeperClient(self._heard, self._gone)
        return await self.client.open(self.place)

    def state(self, name: str = "child") -> str:
        return self.client.children[name].report.state if name in self.client.children else "unknown"

    async def reaches(self, state: str, name: str = "child") -> Known:
        await until(lambda: self.state(name) == state)
        return self.client.children[name]

    def _heard(self, known: Known) -> None:
        self.history.append((known.name, known.report.state))

    def _gone(self) -> None:
        self.lost = True


@contextlib.asynccontextmanager
async def keeping(data: Path, grace: float = 30.0, **pace: float) -> AsyncIterator[Keeping]:
    one = Keeping(data, grace, **pace)
    await one.open()
    try:
        yield one
    finally:
        if not one.lost:
            await one.client.end()
        await one.client.close()
        process.signal_all(marked(data), signal.SIGKILL)
