"""The workspaces' rows: a folder of code, where it runs, and what the user decided about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Row, delete, insert, select, update

from app.problems import not_found
from app.schemas import RuntimeKind, Trust
from app.storage.database import Database
from app.storage.tables import workspaces

GitChoice = Literal["undecided", "init", "scratch"]


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """`editor_port` and `editor_secret` make the origin of its editor, remembered so that the layout is kept."""

    id: str
    name: str
    path: str
    runtime: RuntimeKind
    trust: Trust
    git_decision: GitChoice | None
    editor_port: int | None
    editor_secret: str
    created_at: datetime
    last_opened_at: datetime


class Workspaces:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        *,
        workspace_id: str,
        name: str,
        path: str,
        editor_secret: str,
        runtime: RuntimeKind = "local",
        trust: Trust = "undecided",
        git_decision: GitChoice | None = None,
        editor_port: int | None = None,
    ) -> WorkspaceRow:
        now = datetime.now(UTC)
        row = WorkspaceRow(workspace_id, name, path, runtime, trust, git_decision, editor_port, editor_secret, now, now)
        statement = insert(workspaces).values(
            id=workspace_id,
            name=name,
            path=path,
            runtime=runtime,
            trust=trust,
            git_decision=git_decision,
            editor_port=editor_port,
            editor_secret=editor_secret,
            created_at=now.isoformat(),
            last_opened_at=now.isoformat(),
        )
        await self._database.run(statement)
        return row

    async def get(self, workspace_id: str) -> WorkspaceRow:
        """Raises Fault `not-found`."""
        row = await self._database.first(select(workspaces).where(workspaces.c.id == workspace_id))
        if row is None:
            raise not_found("workspace", workspace_id)
        return _workspace(row)

    async def list(self) -> Sequence[WorkspaceRow]:
        """The one opened last first."""
        query = select(workspaces).order_by(workspaces.c.last_opened_at.desc(), workspaces.c.id)
        return [_workspace(row) for row in await self._database.all(query)]

    async def update(self, workspace_id: str, **fields: Any) -> WorkspaceRow:
        """Change columns; times as datetime. Raises Fault `not-found`."""
        values = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in fields.items()}
        statement = update(workspaces).where(workspaces.c.id == workspace_id).values(**values)
        if await self._database.run(statement) == 0:
            raise not_found("workspace", workspace_id)
        return await self.get(workspace_id)

    async def delete(self, workspace_id: str) -> None:
        """Forget it. Its folder is not touched, and its tasks keep their history."""
        statement = delete(workspaces).where(workspaces.c.id == workspace_id)
        await self._database.run(statement)


def _workspace(row: Row[Any]) -> WorkspaceRow:
    return WorkspaceRow(
        row.id,
        row.name,
        row.path,
        row.runtime,
        row.trust,
        row.git_decision,
        row.editor_port,
        row.editor_secret,
        datetime.fromisoformat(row.created_at),
        datetime.fromisoformat(row.last_opened_at),
    )
