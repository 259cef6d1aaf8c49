"""Messages on their way to the agent-server.

A message is `waiting` until it is its turn, `sending` from just before the request until its answer, `sent` after.
One found `sending` at start was or was not delivered: the conversation's events decide.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from app.storage.database import Database
from app.storage.tables import outbox

OutboxState = Literal["waiting", "sending", "sent"]


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    id: str
    task_id: str
    content: list[dict[str, Any]]
    state: OutboxState


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    @staticmethod
    def put(
        connection: Connection, task_id: str, message_id: str, position: int, content: list[dict[str, Any]]
    ) -> None:
        """Within the transaction that commits the message's event."""
        connection.execute(
            insert(outbox).values(
                id=message_id,
                task_id=task_id,
                position=position,
                content=json.dumps(content),
                state="waiting",
                created_at=datetime.now(UTC).isoformat(),
            )
        )

    async def pending(self, task_id: str) -> Sequence[OutgoingMessage]:
        """What is not sent yet, in order."""
        query = select(outbox).where(outbox.c.task_id == task_id, outbox.c.state != "sent").order_by(outbox.c.position)
        rows = await self._database.all(query)
        return [OutgoingMessage(row.id, row.task_id, json.loads(row.content), row.state) for row in rows]

    async def tasks(self) -> Sequence[str]:
        """Ids of the tasks that have something to send."""
        query = select(outbox.c.task_id).where(outbox.c.state != "sent").distinct()
        return [row[0] for row in await self._database.all(query)]

    async def mark(self, task_id: str, message_id: str, state: OutboxState) -> None:
        """What is sent keeps its row, for the record, but not its content: the event has that."""
        values: dict[str, Any] = {"state": state}
        if state == "sent":
            values["content"] = "[]"
        statement = update(outbox).where(outbox.c.task_id == task_id, outbox.c.id == message_id).values(**values)
        await self._database.run(statement)
