"""The journal: every event of every task once, in the order in which it was committed.

A row's `position` counts from 1 within its task without gaps and is the only cursor a client sees. Rows of the
agent-server are unique by (conversation, seq), our own by their id. `append` returns only after the commit, with the
facts of the task's row changed in the same transaction.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self, get_args

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from app.problems import not_found
from app.schemas import Event, Events
from app.storage import facts as facts_module
from app.storage.conversations import Conversations
from app.storage.database import Database
from app.storage.facts import Facts
from app.storage.idempotency import Idempotency
from app.storage.outbox import Outbox
from app.storage.tables import events, tasks
from app.storage.tasks import Tasks
from app.storage.tokens import Tokens
from app.storage.usage import UsageLedger
from app.storage.workspaces import Workspaces

Source = Literal["user", "agent", "environment", "twinseat"]
Alongside = Callable[[Connection, list[Event]], object]
"""Runs in the transaction that commits the events, in the journal's own thread."""


# Built once: putting these two together for each append would cost as much as carrying them out.
_APPEND = insert(events)
_ADVANCE = (
    update(tasks)
    .where(tasks.c.id == bindparam("its_id"))
    .values(
        position=bindparam("its_position"),
        state=bindparam("its_state"),
        facts=bindparam("its_facts"),
        updated_at=bindparam("now"),
    )
)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A row to append. With `seq` it is the agent-server's, without it is ours."""

    id: str
    kind: str
    source: Source
    data: dict[str, Any]
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    conversation_id: str | None = None
    seq: int | None = None


@dataclass(slots=True)
class _Seen:
    """Which of a conversation's numbers are stored: all up to `through`, and the ones in `beyond`."""

    through: int
    beyond: set[int]

    def has(self, seq: int) -> bool:
        return seq <= self.through or seq in self.beyond

    def add(self, seq: int) -> None:
        self.beyond.add(seq)
        while self.through + 1 in self.beyond:
            self.through += 1
            self.beyond.remove(self.through)


@dataclass(slots=True)
class _Head:
    """A task as of its last commit."""

    position: int
    facts: Facts


class Journal:
    """The store. Its repositories share the database and its one-writer rule.

    Positions, facts and cursors of the tasks in use are kept in memory: this process is the only writer of the data
    directory (its lock sees to that), and a commit costs two statements instead of five.
    """

    def __init__(self, database: Database, mask: Callable[[str], str] | None = None) -> None:
        self.database = database
        self.tasks = Tasks(database)
        self.conversations = Conversations(database)
        self.outbox = Outbox(database)
        self.workspaces = Workspaces(database)
        self.usage = UsageLedger(database)
        self.tokens = Tokens(database)
        self.idempotency = Idempotency(database)
        self._mask = mask
        self._heads: dict[str, _Head] = {}
        self._seen: dict[str, _Seen] = {}

    @classmethod
    async def open(cls, url_or_path: str | Path, mask: Callable[[str], str] | None = None) -> Self:
        """Open or make the journal and bring it to the newest format.

        `mask` takes secrets out of an event's strings before it is stored. Raises Fault when the file is unusable.
        """
        return cls(await Database.open(url_or_path), mask)

    async def close(self) -> None:
        await self.database.close()

    async def append(
        self,
        task_id: str,
        rows: Sequence[NewEvent],
        alongside: Alongside | None = None,
        given: Callable[[Facts], None] | None = None,
    ) -> list[Event]:
        """Commit the rows that are new, in this order, and return them with their positions.

        A duplicate returns nothing. `alongside` runs in the same transaction, with the new rows, and only when there
        are any. `given` may refuse by raising, and sees the facts that the rows would be added to, with nothing in
        between. Raises Fault `not-found` when the task does not exist (any more).
        """

        def work(connection: Connection) -> tuple[list[Event], Facts]:
            head = self._head(connection, task_id)
            fresh = self._fresh(connection, task_id, rows)
            if not fresh:
                return [], head.facts
            if given is not None:
                given(head.facts)
            numbered, after, stored = self._number(task_id, head, fresh)
            connection.execute(_APPEND, [_values(event) for event in numbered])
            now = datetime.now(UTC).isoformat()
            position = numbered[-1].position
            connection.execute(
                _ADVANCE,
                {
                    "its_id": task_id,
                    "its_position": position,
                    "its_state": after.state,
                    "its_facts": stored,
                    "now": now,
                },
            )
            if alongside is not None:
                alongside(connection, numbered)
            return numbered, after

        def committed(result: tuple[list[Event], Facts]) -> None:
            numbered, after = result
            if numbered:
                self._heads[task_id] = _Head(numbered[-1].position, after)
            for event in numbered:
                if event.conversation_id is not None and event.seq is not None:
                    self._seen[event.conversation_id].add(event.seq)

        return (await self.database.write(work, committed))[0]

    async def events(
        self, task_id: str, after: int | None = None, before: int | None = None, limit: int = 200
    ) -> Events:
        """A window in ascending order: after or before a position, or the last `limit` without either."""
        window = select(events).where(events.c.task_id == task_id)
        if after is not None:
            window = window.where(events.c.position > after).order_by(events.c.position)
        else:
            if before is not None:
                window = window.where(events.c.position < before)
            window = window.order_by(events.c.position.desc())

        def work(connection: Connection) -> tuple[Sequence[Row[Any]], int | None]:
            newest = select(func.max(events.c.position)).where(events.c.task_id == task_id)
            return connection.execute(window.limit(limit + 1)).all(), connection.scalar(newest)

        rows, last = await self.database.read(work)
        more = len(rows) > limit
        found = [_event(row) for row in rows[:limit]]
        if after is not None:
            return Events(events=found, more_before=after > 0 and bool(last), more_after=more)
        found.reverse()
        return Events(events=found, more_before=more, more_after=bool(found) and found[-1].position < (last or 0))

    async def find(self, task_id: str, event_id: str) -> Event | None:
        """Our own event of this id."""
        query = select(events).where(events.c.task_id == task_id, events.c.id == event_id, events.c.seq.is_(None))
        row = await self.database.first(query)
        return None if row is None else _event(row)

    async def last_seq(self, conversation_id: str) -> int | None:
        """The agent-server's number up to which nothing is missing here: the cursor to ask it from."""
        seen = await self.database.read(lambda connection: self._seen_of(connection, conversation_id))
        return None if seen.through < 0 else seen.through

    async def position(self, task_id: str) -> int:
        """The last committed position. Raises Fault `not-found`."""
        return (await self._head_now(task_id)).position

    async def facts(self, task_id: str) -> Facts:
        """The facts as of the last commit; not to be changed. Raises Fault `not-found`."""
        return (await self._head_now(task_id)).facts

    def facts_now(self, task_id: str) -> Facts | None:
        """The facts of a task in use, without waiting."""
        head = self._heads.get(task_id)
        return None if head is None else head.facts

    async def delete(self, task_id: str) -> None:
        """Delete a task with everything of it."""
        for conversation in await self.conversations.of_task(task_id):
            self._seen.pop(conversation.id, None)
        await self.tokens.revoke(task_id)
        await self.tasks.delete(task_id)
        self._heads.pop(task_id, None)
        self.usage.forget(task_id)

    async def _head_now(self, task_id: str) -> _Head:
        head = self._heads.get(task_id)
        if head is None:
            head = await self.database.read(lambda connection: self._head(connection, task_id))
        return head

    def _number(self, task_id: str, head: _Head, fresh: Sequence[NewEvent]) -> tuple[list[Event], Facts, str]:
        """The rows as events with their positions, the facts after them, and these as they are stored."""
        numbered = [
            Event(
                position=position,
                id=row.id,
                task_id=task_id,
                conversation_id=row.conversation_id,
                seq=row.seq,
                kind=row.kind,
                source=row.source,
                at=row.at.astimezone(UTC),
                data=row.data,
            )
            for position, row in enumerate(fresh, start=head.position + 1)
        ]
        after, numbered = facts_module.fold(head.facts, numbered)
        if self._mask is not None:
            numbered = [event.model_copy(update={"data": _masked(event.data, self._mask)}) for event in numbered]
            after = Facts.model_validate(_masked(after.model_dump(mode="json"), self._mask))
        stored = after.model_dump_json()
        return numbered, after, stored

    def _head(self, connection: Connection, task_id: str) -> _Head:
        head = self._heads.get(task_id)
        if head is None:
            row = connection.execute(select(tasks.c.position, tasks.c.facts).where(tasks.c.id == task_id)).first()
            if row is None:
                raise not_found("task", task_id)
            head = self._heads.setdefault(task_id, _Head(row.position, Facts.model_validate_json(row.facts)))
        return head

    def _fresh(self, connection: Connection, task_id: str, rows: Sequence[NewEvent]) -> list[NewEvent]:
        fresh: list[NewEvent] = []
        batch: set[tuple[str | None, object]] = set()
        for row in rows:
            key = (row.conversation_id, row.seq) if row.seq is not None else (None, row.id)
            if key in batch or self._stored(connection, task_id, row):
                continue
            batch.add(key)
            fresh.append(row)
        return fresh

    def _stored(self, connection: Connection, task_id: str, row: NewEvent) -> bool:
        if row.seq is not None:
            if row.conversation_id is None:
                raise ValueError("an event of the agent-server needs its conversation")
            return self._seen_of(connection, row.conversation_id).has(row.seq)
        query = select(events.c.position).where(
            events.c.task_id == task_id, events.c.id == row.id, events.c.seq.is_(None)
        )
        return connection.scalar(query) is not None

    def _seen_of(self, connection: Connection, conversation_id: str) -> _Seen:
        seen = self._seen.get(conversation_id)
        if seen is None:
            query = select(events.c.seq).where(events.c.conversation_id == conversation_id, events.c.seq.is_not(None))
            loaded = _Seen(-1, set())
            for seq in connection.execute(query.order_by(events.c.seq)).scalars():
                loaded.add(seq)
            seen = self._seen.setdefault(conversation_id, loaded)
        return seen


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    """String by string: a mask over the JSON text could take a quote's backslash with it."""
    match value:
        case str():
            return mask(value)
        case dict():
            return {key: _masked(inner, mask) for key, inner in value.items()}
        case list():
            return [_masked(inner, mask) for inner in value]
        case _:
            return value


def _values(event: Event) -> dict[str, Any]:
    return {
        "task_id": event.task_id,
        "position": event.position,
        "id": event.id,
        "conversation_id": event.conversation_id,
        "seq": event.seq,
        "kind": event.kind,
        "source": event.source,
        "at": event.at.isoformat(),
        "data": json.dumps(event.data, ensure_ascii=False, separators=(",", ":")),
    }


def _event(row: Row[Any]) -> Event:
    return Event.model_construct(
        position=row.position,
        id=row.id,
        task_id=row.task_id,
        conversation_id=row.conversation_id,
        seq=row.seq,
        kind=row.kind,
        source=row.source,
        at=datetime.fromisoformat(row.at),
        data=json.loads(row.data),
    )


def source_of(value: object) -> Source:
    """Upstream's source in our vocabulary; what we do not know counts as the environment."""
    return value if value in get_args(Source) else "environment"  # pyright: ignore[reportReturnType]
