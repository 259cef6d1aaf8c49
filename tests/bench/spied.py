"""The real backend in a process of its own, which also tells a benchmark where the agent-server is.

Only so can the way through us be compared with the agent-server alone: the same server, the same moment.
Line by line on stdin: `{"agent": workspace_id}` or `{"token": task_id}`; the answers come as JSON lines on stdout.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from app import config
from app.runtimes.contract import Endpoint
from app.server import logs
from tests.program import Program


class Spied(Program):
    """The program, with a line to it."""

    command = (sys.executable, "-m", "tests.bench.spied")

    def agent(self, workspace: str) -> Endpoint:
        """Where the agent-server of a ready workspace is, and its key."""
        told = self._tell({"agent": workspace})
        return Endpoint(told["url"], told["headers"], Path(told["socket"]) if told["socket"] else None)

    def token(self, task: str) -> str:
        """A gateway token of the task."""
        return self._tell({"token": task})

    def _tell(self, order: dict[str, str]) -> Any:
        assert self.process is not None
        assert isinstance(self.process, subprocess.Popen)
        line, answers = self.process.stdin, self.process.stdout
        assert line is not None
        assert answers is not None
        line.write(json.dumps(order).encode() + b"\n")
        line.flush()
        return json.loads(answers.readline())


async def _serve() -> None:
    from app.server.backend import Backend

    settings = config.load()
    settings.paths.create()
    logs.start(settings.paths.logs, settings.level)
    backend = Backend(settings)
    await backend.open()
    backend.stop_on_signals()
    answering = asyncio.create_task(_answer(backend, sys.stdin, sys.stdout))
    await backend.run()
    answering.cancel()


async def _answer(backend: Any, orders: IO[str], answers: IO[str]) -> None:
    while line := await asyncio.to_thread(orders.readline):
        order = json.loads(line)
        if "agent" in order:
            runtime, place = backend.parts.workspaces.place(order["agent"])
            found = runtime.agent(place)
            told = {"url": found.url, "headers": dict(found.headers), "socket": found.socket and str(found.socket)}
        else:
            told = await backend.parts.journal.tokens.issue(order["token"])
        answers.write(json.dumps(told) + "\n")
        answers.flush()


if __name__ == "__main__":
    asyncio.run(_serve())
