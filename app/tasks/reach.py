"""Getting at the agent-server of a workspace: one client for each server, and waiting until there is one."""

import asyncio
from collections.abc import Callable

from app.agent.client import AgentClient
from app.problems import Fault
from app.runtimes.contract import Place, Runtime, RuntimeNotReady

Lookup = Callable[[str], tuple[Runtime, Place]]
"""Workspace id → where it runs. Raises Fault when there is no such workspace (any more)."""


class Reach:
    """Clients are shared by all conversations of a server and closed when its address changes."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._clients: dict[str, AgentClient] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._starts: dict[str, asyncio.Task[None]] = {}

    def place(self, workspace_id: str) -> Place:
        return self._lookup(workspace_id)[1]

    def client(self, workspace_id: str) -> AgentClient:
        """A client of the agent-server as it is now. Raises RuntimeNotReady."""
        runtime, place = self._lookup(workspace_id)
        endpoint = runtime.agent(place)
        client = self._clients.get(workspace_id)
        if client is None or client.endpoint != endpoint:
            if client is not None:
                self._close(client)
            client = self._clients[workspace_id] = AgentClient(endpoint)
        return client

    def ready(self, workspace_id: str) -> bool:
        try:
            self.client(workspace_id)
        except RuntimeNotReady:
            return False
        return True

    def watch(self, workspace_id: str, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` when the runtime's status changes; returns the way to stop."""
        return self._lookup(workspace_id)[0].watch(changed)

    async def wait(self, workspace_id: str) -> None:
        """Start the runtime when it is not up and return once its agent can be used. Raises Fault when it failed."""
        runtime, place = self._lookup(workspace_id)
        changed = asyncio.Event()
        unwatch = runtime.watch(changed.set)
        try:
            while not self.ready(workspace_id):
                start = self._start(workspace_id, runtime, place)
                waiting = asyncio.create_task(changed.wait())
                await asyncio.wait({start, waiting}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                changed.clear()
                if start.done() and not self.ready(workspace_id):
                    raise _failed(runtime, place, start)
        finally:
            unwatch()

    async def close(self) -> None:
        for start in self._starts.values():
            start.cancel()
        await asyncio.gather(*self._starts.values(), return_exceptions=True)
        for client in self._clients.values():
            self._close(client)
        self._clients.clear()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _start(self, workspace_id: str, runtime: Runtime, place: Place) -> asyncio.Task[None]:
        """One start at a time for a workspace, however many tasks wait for it."""
        start = self._starts.get(workspace_id)
        if start is None or start.done():
            start = self._starts[workspace_id] = asyncio.create_task(runtime.start(place))
        return start

    def _close(self, client: AgentClient) -> None:
        closing = asyncio.create_task(client.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


def _failed(runtime: Runtime, place: Place, start: asyncio.Task[None]) -> Fault:
    error = None if start.cancelled() else start.exception()
    if isinstance(error, Fault):
        return error
    problem = runtime.status(place).agent.problem
    if problem is not None:
        return Fault(
            code=problem.code,
            status=problem.status,
            title=problem.title,
            detail=problem.detail,
            remedy=problem.remedy,
        )
    return Fault(
        code="runtime-failed",
        status=503,
        title="The agent did not start",
        detail=f"The agent's server did not start: {error or 'it is not running'}.",
        remedy="Press Continue to try again; `twinseat doctor` checks every part.",
    )
