"""The tasks' rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, and_, delete, exists, insert, or_, select, update

from app.problems import not_found
from app.schemas import Mode
from app.storage.database import Database
from app.storage.facts import Facts
from app.storage.tables import events, tasks


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as stored. `facts` say what its events mean."""

    id: str
    workspace_id: str
    title: str
    titled: bool
    mode: Mode
    model_id: str | None
    model_name: str | None
    budget_usd: float | None
    facts: Facts
    position: int
    created_at: datetime
    updated_at: datetime


class Tasks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        *,
        task_id: str,
        workspace_id: str,
        title: str,
        titled: bool,
        mode: Mode,
        model_id: str | None,
        budget_usd: float | None,
    ) -> None:
        now = datetime.now(UTC).isoformat()
        facts = Facts(mode=mode, modes=[mode])
        statement = insert(tasks).values(
            id=task_id,
            workspace_id=workspace_id,
            title=title,
            titled=int(titled),
            mode=mode,
            model_id=model_id,
            budget_usd=budget_usd,
            state=facts.state,
            facts=facts.model_dump_json(),
            position=0,
            created_at=now,
            updated_at=now,
        )
        await self._database.run(statement)

    async def get(self, task_id: str) -> TaskRow:
        """Raises Fault `not-found`."""
        row = await self._database.first(select(tasks).where(tasks.c.id == task_id))
        if row is None:
            raise not_found("task", task_id)
        return _task(row)

    async def list(
        self, query: str | None = None, workspace_id: str | None = None, limit: int = 50, before: str | None = None
    ) -> tuple[Sequence[TaskRow], bool]:
        """The newest first, and whether there are more. `query` is looked for in titles and in what the user wrote."""
        wanted = select(tasks).order_by(tasks.c.created_at.desc(), tasks.c.id.desc())
        if workspace_id is not None:
            wanted = wanted.where(tasks.c.workspace_id == workspace_id)
        if query:
            said = exists().where(
                and_(
                    events.c.task_id == tasks.c.id,
                    events.c.kind == "UserMessage",
                    events.c.data.icontains(query, autoescape=True),
                )
            )
            wanted = wanted.where(or_(tasks.c.title.icontains(query, autoescape=True), said))
        if before is not None:
            anchor = await self._database.first(select(tasks.c.created_at, tasks.c.id).where(tasks.c.id == before))
            if anchor is None:
                raise not_found("task", before)
            wanted = wanted.where(
                or_(
                    tasks.c.created_at < anchor.created_at,
                    and_(tasks.c.created_at == anchor.created_at, tasks.c.id < anchor.id),
                )
            )
        rows = await self._database.all(wanted.limit(limit + 1))
        return [_task(row) for row in rows[:limit]], len(rows) > limit

    async def update(self, task_id: str, **fields: Any) -> None:
        """Change columns of the row, those that events do not decide. Raises Fault `not-found`."""
        fields["updated_at"] = datetime.now(UTC).isoformat()
        if await self._database.run(update(tasks).where(tasks.c.id == task_id).values(**fields)) == 0:
            raise not_found("task", task_id)

    async def delete(self, task_id: str) -> None:
        statement = delete(tasks).where(tasks.c.id == task_id)
        await self._database.run(statement)

    async def in_states(self, states: Sequence[str]) -> Sequence[str]:
        """Ids of the tasks in one of these states, the oldest first."""
        query = select(tasks.c.id).where(tasks.c.state.in_(states)).order_by(tasks.c.created_at)
        return [row[0] for row in await self._database.all(query)]


def _task(row: Row[Any]) -> TaskRow:
    return TaskRow(
        id=row.id,
        workspace_id=row.workspace_id,
        title=row.title,
        titled=bool(row.titled),
        mode=row.mode,
        model_id=row.model_id,
        model_name=row.model_name,
        budget_usd=row.budget_usd,
        facts=Facts.model_validate_json(row.facts),
        position=row.position,
        created_at=datetime.fromisoformat(row.created_at),
        updated_at=datetime.fromisoformat(row.updated_at),
    )
