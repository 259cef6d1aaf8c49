"""Answers to requests that carried an Idempotency-Key, so that a repeated request is answered and not done again."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select

from app.storage.database import Database
from app.storage.tables import idempotency

KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """`request` is a digest of what was asked: the same key with another request is an error of the client."""

    request: str
    status: int
    body: str


class Idempotency:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> StoredAnswer | None:
        oldest = (datetime.now(UTC) - KEPT).isoformat()
        query = select(idempotency).where(idempotency.c.key == key, idempotency.c.created_at > oldest)
        row = await self._database.first(query)
        return None if row is None else StoredAnswer(row.request, row.status, row.body)

    async def put(self, key: str, answer: StoredAnswer) -> None:
        """Store the answer, in place of an outdated one, and drop all that are outdated."""
        now = datetime.now(UTC)
        outdated = (idempotency.c.created_at <= (now - KEPT).isoformat()) | (idempotency.c.key == key)
        fresh = insert(idempotency).values(
            key=key, request=answer.request, status=answer.status, body=answer.body, created_at=now.isoformat()
        )
        await self._database.run(delete(idempotency).where(outdated), fresh)
