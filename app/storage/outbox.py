"""Messages on their way to the agent-server.

A message is `waiting` until it is its turn, `sending` from just before the request until its answer, `sent` after.
One found `sending` at start was or was not delivered: the conversation's events decide.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

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
    async def put(
        connection: AsyncConnection, task_id: str, message_id: str, position: int, content: list[dict[str, Any]]
    ) -> None:
        """Within the transaction that commits the message's event."""
        await connection.execute(
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
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [OutgoingMessage(row.id, row.task_id, json.loads(row.content), row.state) for row in rows]

    async def tasks(self) -> Sequence[str]:
        """Ids of the tasks that have something to send."""
        query = select(outbox.c.task_id).where(outbox.c.state != "sent").distinct()
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalars().all()

    async def mark(self, task_id: str, message_id: str, state: OutboxState) -> None:
        """What is sent keeps its row, for the record, but not its content: the event has that."""
        values: dict[str, Any] = {"state": state}
        if state == "sent":
            values["content"] = "[]"
        async with self._database.write() as connection:
            await connection.execute(
                update(outbox).where(outbox.c.task_id == task_id, outbox.c.id == message_id).values(**values)
            )
