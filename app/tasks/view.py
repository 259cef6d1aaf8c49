"""A task as clients see it, and telling them when it changes."""

import asyncio
from collections.abc import Mapping
from typing import Any

from app.agent.hub import Hub
from app.problems import Fault
from app.schemas import Problem, Task, Usage
from app.storage.journal import Journal
from app.storage.tasks import TaskRow

INTERVAL = 0.1
"""Seconds between two status frames of a task; the last state is always sent."""


def view(row: TaskRow, usage: Usage, trouble: Problem | None = None) -> Task:
    """`trouble` is why the last model call failed, which the agent makes again for a while: never a silent wait."""
    facts = row.facts
    again = trouble if facts.state == "running" else None
    return Task(
        id=row.id,
        workspace_id=row.workspace_id,
        title=row.title,
        state=facts.state,
        problem=facts.problem or again,
        activity="Trying the model again" if again else facts.activity,
        mode=row.mode,
        model_id=row.model_id,
        model_name=row.model_name,
        budget_usd=row.budget_usd,
        usage=usage,
        pending=facts.pending,
        plan=facts.plan,
        queue=facts.queue,
        position=row.position,
        turn_started_at=facts.turn_started_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


class Announcer:
    """Sends a task's status frame to everybody, at once after a quiet time, then at most every `INTERVAL`."""

    def __init__(self, journal: Journal, hub: Hub, troubles: Mapping[str, Problem]) -> None:
        self._journal = journal
        self._hub = hub
        self._troubles = troubles
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    def announce(self, task_id: str) -> None:
        """The task changed."""
        if task_id in self._running:
            self._again.add(task_id)
            return
        self._running[task_id] = asyncio.create_task(self._send(task_id))

    async def close(self) -> None:
        sending = list(self._running.values())
        for one in sending:
            one.cancel()
        await asyncio.gather(*sending, return_exceptions=True)

    async def _send(self, task_id: str) -> None:
        last: dict[str, Any] | None = None
        try:
            while True:
                self._again.discard(task_id)
                row, usage = await self._journal.tasks.get(task_id), await self._journal.usage.total(task_id)
                task = view(row, usage, self._troubles.get(task_id))
                state = task.model_dump(mode="json")
                if state != last:
                    self._hub.publish({"type": "status", "task": task_id, "state": state})
                    last = state
                await asyncio.sleep(INTERVAL)
                if task_id not in self._again:
                    return
        except Fault:
            pass  # deleted meanwhile
        finally:
            self._running.pop(task_id, None)
            self._again.discard(task_id)
