"""A task's conversations with the agent-server: its main one, forks, sub-agents."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Row, insert, select, update

from app.schemas import Mode
from app.storage.database import Database
from app.storage.tables import conversations

ConversationKind = Literal["main", "fork", "sub"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """`made` once the agent-server has it; `settled` when all of it is in the journal and it was at rest."""

    id: str
    task_id: str
    kind: ConversationKind
    parent_id: str | None
    made: bool
    settled: bool
    mode: Mode | None
    model_id: str | None


class Conversations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, task_id: str, kind: ConversationKind = "main", parent_id: str | None = None) -> Conversation:
        """A new one, with an id that the agent-server will be asked to use."""
        conversation_id = str(uuid.uuid4())
        statement = insert(conversations).values(
            id=conversation_id,
            task_id=task_id,
            kind=kind,
            parent_id=parent_id,
            made=0,
            settled=1,
            created_at=datetime.now(UTC).isoformat(),
        )
        await self._database.run(statement)
        return Conversation(
            conversation_id, task_id, kind, parent_id, made=False, settled=True, mode=None, model_id=None
        )

    async def of_task(self, task_id: str) -> Sequence[Conversation]:
        """The oldest first."""
        query = select(conversations).where(conversations.c.task_id == task_id).order_by(conversations.c.created_at)
        return [_conversation(row) for row in await self._database.all(query)]

    async def main(self, task_id: str) -> Conversation | None:
        """The newest main one: the one that the task shows."""
        mains = [one for one in await self.of_task(task_id) if one.kind == "main"]
        return mains[-1] if mains else None

    async def unsettled(self) -> Sequence[Conversation]:
        """Those to synchronise again at start."""
        query = select(conversations).where(conversations.c.settled == 0).order_by(conversations.c.created_at)
        return [_conversation(row) for row in await self._database.all(query)]

    async def update(self, conversation_id: str, **fields: Any) -> None:
        statement = update(conversations).where(conversations.c.id == conversation_id).values(**fields)
        await self._database.run(statement)


def _conversation(row: Row[Any]) -> Conversation:
    return Conversation(
        row.id, row.task_id, row.kind, row.parent_id, bool(row.made), bool(row.settled), row.mode, row.model_id
    )
