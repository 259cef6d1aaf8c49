"""The tokens by which the gateway knows which task a model call belongs to.

They survive a restart, because an agent-server that goes on working keeps using its own. Only digests are stored.
"""

import hashlib
import secrets
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select

from app.storage.database import Database
from app.storage.tables import tokens

_PREFIX = "twinseat-task-"


class Tokens:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, str] = {}

    async def issue(self, task_id: str) -> str:
        """A new token of the task; earlier ones stay good, since a running agent may hold one."""
        token = _PREFIX + secrets.token_urlsafe(32)
        statement = insert(tokens).values(
            digest=_digest(token), task_id=task_id, created_at=datetime.now(UTC).isoformat()
        )
        await self._database.run(statement)
        self._known[_digest(token)] = task_id
        return token

    async def resolve(self, token: str) -> str | None:
        """The task it belongs to, or None."""
        digest = _digest(token)
        known = self._known.get(digest)
        if known is not None:
            return known
        row = await self._database.first(select(tokens.c.task_id).where(tokens.c.digest == digest))
        if row is None:
            return None
        self._known[digest] = row.task_id
        return row.task_id

    async def revoke(self, task_id: str) -> None:
        """Every token of the task."""
        statement = delete(tokens).where(tokens.c.task_id == task_id)
        await self._database.run(statement)
        self._known = {digest: owner for digest, owner in self._known.items() if owner != task_id}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
