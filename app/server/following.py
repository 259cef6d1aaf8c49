"""The editor follows the agent: the file it has just written is shown, without taking the focus from anybody.

Only the newest place of a workspace counts: an editor that is slow, or opens while the agent works, is shown where the
agent is now and not the way it came. An editor the user is typing in is left alone (the bridge sees to that).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from app.editor.bridge import Bridge
from app.problems import Fault
from app.schemas import Event

_WRITES = ("create", "str_replace", "insert", "undo_edit")


@dataclass(frozen=True)
class Spot:
    """Lines `start` to `end` (from 1) of a file that was written."""

    path: str
    start: int
    end: int


class Following:
    """`workspace_of` gives a task's workspace; `wanted` says whether the user wants to be led."""

    def __init__(
        self, bridge: Bridge, workspace_of: Callable[[str], Awaitable[str]], wanted: Callable[[], bool]
    ) -> None:
        self._bridge = bridge
        self._workspace_of = workspace_of
        self._wanted = wanted
        self._latest: dict[str, Spot] = {}
        self._showing: dict[str, asyncio.Task[None]] = {}

    def saw(self, event: Event) -> None:
        """An event was committed."""
        place = spot(event)
        if place is not None and self._wanted():
            self._start(event.task_id, self._lead(event.task_id, place))

    async def greet(self, workspace_id: str) -> None:
        """An editor window has opened on the workspace."""
        place = self._latest.get(workspace_id)
        if place is not None and self._wanted():
            await self._show(workspace_id, place)

    async def close(self) -> None:
        for task in list(self._showing.values()):
            task.cancel()

    def _start(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        before = self._showing.pop(key, None)
        if before is not None:
            before.cancel()  # the newer place replaces the one not shown yet
        task = self._showing[key] = asyncio.create_task(work)
        task.add_done_callback(lambda done: self._showing.pop(key) if self._showing.get(key) is done else None)

    async def _lead(self, task_id: str, place: Spot) -> None:
        workspace_id = await self._workspace_of(task_id)
        self._latest[workspace_id] = place
        await self._show(workspace_id, place)

    async def _show(self, workspace_id: str, place: Spot) -> None:
        with contextlib.suppress(Fault):  # no editor is open, or the file is gone again: there is nobody to lead
            await self._bridge.open(workspace_id, place.path, place.start, place.end, follow=True)


def spot(event: Event) -> Spot | None:
    """Where a file was written by this event, if it was."""
    observation: dict[str, Any] = event.data.get("observation") or {}
    if event.kind != "ObservationEvent" or observation.get("is_error"):
        return None
    path, after = observation.get("path"), observation.get("new_content")
    if observation.get("command") not in _WRITES or not isinstance(path, str) or not isinstance(after, str):
        return None
    old, new = str(observation.get("old_content") or "").splitlines(), after.splitlines()
    if not old:
        return Spot(path, 1, 1)
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    start = min(head + 1, max(len(new), 1))
    return Spot(path, start, max(start, len(new) - tail))
