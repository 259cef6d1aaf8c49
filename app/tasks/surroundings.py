"""What everything that looks after a task works with."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.agent.hub import Hub
from app.schemas import Event
from app.storage.journal import Journal, NewEvent
from app.tasks.models import Models
from app.tasks.reach import Reach
from app.tasks.view import Announcer


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`explain` gives the gateway's own problem with a task's last model call, as JSON, if there was one."""

    journal: Journal
    hub: Hub
    reach: Reach
    models: Models
    announcer: Announcer
    explain: Callable[[str], dict[str, Any] | None]

    async def tell(
        self, task_id: str, kind: str, data: dict[str, Any], conversation_id: str | None = None
    ) -> list[Event]:
        """Commit an event of our own and hand it out."""
        row = NewEvent(id=str(uuid.uuid4()), kind=kind, source="twinseat", data=data, conversation_id=conversation_id)

        async def commit() -> list[Event]:
            events = await self.journal.append(task_id, [row])
            self.spread(events)
            return events

        return await asyncio.shield(commit())  # what is committed is handed out, also when the caller is cancelled

    def spread(self, events: list[Event]) -> None:
        """Hand out what was committed."""
        for event in events:
            self.hub.publish_event(event)
            self.announcer.announce(event.task_id)
