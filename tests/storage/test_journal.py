"""Positions are dense, every event is there once, whatever comes how often and in which order."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.problems import Fault
from app.storage.database import Database
from app.storage.facts import Facts
from app.storage.journal import Journal, NewEvent
from app.storage.migrations import HEAD
from tests.storage.frames import action, said, status, upstream


async def new_task(journal: Journal, task_id: str = "t") -> None:
    await journal.tasks.add(
        task_id=task_id, workspace_id="w", title="T", titled=False, mode="ask_risky", model_id=None, budget_usd=None
    )


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncGenerator[Journal]:
    journal = await Journal.open(tmp_path / "journal.sqlite")
    await new_task(journal)
    yield journal
    await journal.close()


own = st.integers(0, 9).map(lambda n: NewEvent(f"own-{n}", "Notice", "twinseat", {"text": str(n)}))
foreign = st.tuples(st.integers(0, 30), st.sampled_from("ab")).map(
    lambda key: upstream(key[0], "StreamingThing", conversation=key[1])
)


@given(batches=st.lists(st.lists(st.one_of(own, foreign), max_size=8), max_size=20), reopen=st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_any_batches_give_each_event_once(batches: list[list[NewEvent]], reopen: int) -> None:
    import tempfile

    async def check(path: Path) -> None:
        journal = await Journal.open(path)
        await new_task(journal)
        returned = []
        for index, batch in enumerate(batches):
            if index == reopen:
                await journal.close()
                journal = await Journal.open(path)
            returned += await journal.append("t", batch)
        stored = (await journal.events("t", after=0, limit=1000)).events
        assert stored == returned
        assert [event.position for event in stored] == list(range(1, len(stored) + 1))
        key = [(event.conversation_id, event.seq) if event.seq is not None else event.id for event in stored]
        assert len(key) == len(set(key))
        sent = {row.id for batch in batches for row in batch}
        assert {event.id for event in stored} == sent
        for conversation in "ab":
            seqs = {event.seq for event in stored if event.conversation_id == conversation}
            through = next(n for n in range(40) if n not in seqs) - 1
            assert await journal.last_seq(conversation) == (None if through < 0 else through)
        await journal.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder) / "journal.sqlite"))


async def test_appends_at_the_same_time_share_out_positions(journal: Journal) -> None:
    batches = [[upstream(n, "Thing")] for n in range(40)] * 2
    await asyncio.gather(*(journal.append("t", batch) for batch in batches))
    stored = (await journal.events("t", after=0)).events
    assert [event.position for event in stored] == list(range(1, 41))


async def test_windows(journal: Journal) -> None:
    await journal.append("t", [upstream(n, "Thing") for n in range(10)])

    async def window(**which: int) -> tuple[list[int], bool, bool]:
        found = await journal.events("t", **which)
        return [event.position for event in found.events], found.more_before, found.more_after

    assert await window(limit=3) == ([8, 9, 10], True, False)
    assert await window(before=8, limit=3) == ([5, 6, 7], True, True)
    assert await window(before=3, limit=3) == ([1, 2], False, True)
    assert await window(after=0, limit=3) == ([1, 2, 3], False, True)
    assert await window(after=8, limit=3) == ([9, 10], True, False)
    assert await window(after=10, limit=3) == ([], True, False)


async def test_a_failed_transaction_leaves_nothing_behind(journal: Journal) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        await journal.append("t", [status(0, "running")], broken)
    assert await journal.position("t") == 0
    assert (await journal.facts("t")).state == "idle"
    assert await journal.last_seq("c") is None
    assert [event.position for event in await journal.append("t", [status(0, "running")])] == [1]


async def test_a_condition_is_checked_with_the_commit(journal: Journal) -> None:
    def never(facts: Facts) -> None:
        raise Fault(code="no", status=409, title="No", detail=facts.state)

    with pytest.raises(Fault, match="idle"):
        await journal.append("t", [status(0, "running")], given=never)
    assert await journal.position("t") == 0


async def test_unknown_and_deleted_tasks(journal: Journal) -> None:
    await journal.append("t", [said(0, "hi")])
    token = await journal.tokens.issue("t")
    assert await journal.tokens.resolve(token) == "t"
    await journal.delete("t")
    assert await journal.tokens.resolve(token) is None
    with pytest.raises(Fault) as gone:
        await journal.append("t", [said(0, "hi")])
    assert gone.value.status == 404
    assert (await journal.events("t")).events == []


async def test_secrets_are_masked_in_what_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = await Journal.open(path, mask=lambda text: re.sub(r"hunter2\S*", "•••", text))
    await new_task(journal)
    event, _ = await journal.append("t", [said(0, 'it is hunter2"\\ really'), action(1, "echo hunter2")])
    assert event.data["llm_message"]["content"][0]["text"] == "it is ••• really"
    await journal.close()
    assert b"hunter2" not in path.read_bytes()


async def test_the_file_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await (await Journal.open(path)).close()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"x" * 4096])
async def test_a_broken_file_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    with pytest.raises(Fault) as broken:
        await Journal.open(path)
    assert broken.value.code == "journal-unusable"


async def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await (await Journal.open(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Fault) as refused:
        await Journal.open(path)
    assert refused.value.code == "journal-too-new"


async def test_migrations_lead_to_the_tables(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine

    from app.storage.tables import metadata

    path = tmp_path / "journal.sqlite"
    await (await Database.open(path)).close()
    with create_engine(f"sqlite:///{path}").connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == HEAD
        assert compare_metadata(context, metadata) == []
