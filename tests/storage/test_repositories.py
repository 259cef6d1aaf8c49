"""The tables beside the events."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from app.problems import Fault
from app.schemas import Usage
from app.storage.idempotency import StoredAnswer
from app.storage.journal import Journal, NewEvent


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncGenerator[Journal]:
    journal = await Journal.open(tmp_path / "journal.sqlite")
    yield journal
    await journal.close()


async def add(journal: Journal, task_id: str, workspace_id: str = "w") -> None:
    await journal.tasks.add(
        task_id=task_id,
        workspace_id=workspace_id,
        title=f"Title {task_id}",
        titled=False,
        mode="ask_risky",
        model_id=None,
        budget_usd=None,
    )


async def test_tasks_newest_first_in_pages_searched_in_titles_and_messages(journal: Journal) -> None:
    for number in range(5):
        await add(journal, f"t{number}", workspace_id="w" if number % 2 else "v")
    await journal.append("t3", [NewEvent("m", "UserMessage", "user", {"text": "mend the 100% leak"})])

    async def ids(**which: str | int) -> list[str]:
        return [row.id for row in (await journal.tasks.list(**which))[0]]  # pyright: ignore[reportArgumentType]

    assert await ids() == ["t4", "t3", "t2", "t1", "t0"]
    assert await ids(limit=2) == ["t4", "t3"]
    assert await ids(limit=2, before="t3") == ["t2", "t1"]
    assert await ids(workspace_id="w") == ["t3", "t1"]
    assert await ids(query="title T2") == ["t2"]
    assert await ids(query="100% LEAK") == ["t3"]
    assert await ids(query="_") == []
    with pytest.raises(Fault):
        await ids(before="nobody")


async def test_usage_adds_up_and_survives(journal: Journal, tmp_path: Path) -> None:
    await add(journal, "t")
    await journal.usage.record("t", Usage(prompt_tokens=3, cost_usd=0.5, requests=1))
    total = await journal.usage.record("t", Usage(completion_tokens=4, estimated=True, priced=False, requests=1))
    assert total == Usage(prompt_tokens=3, completion_tokens=4, cost_usd=0.5, estimated=True, priced=False, requests=2)
    again = await Journal.open(tmp_path / "journal.sqlite")
    assert await again.usage.totals(["t", "other"]) == {"t": total, "other": Usage()}
    await again.close()


async def test_tokens_survive_and_are_not_stored(journal: Journal, tmp_path: Path) -> None:
    await add(journal, "t")
    first, second = await journal.tokens.issue("t"), await journal.tokens.issue("t")
    again = await Journal.open(tmp_path / "journal.sqlite")
    assert [await again.tokens.resolve(token) for token in (first, second, "guess")] == ["t", "t", None]
    await again.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert first.encode() not in stored
    await journal.tokens.revoke("t")
    assert await journal.tokens.resolve(first) is None


async def test_idempotency_keeps_one_answer(journal: Journal) -> None:
    assert await journal.idempotency.get("k") is None
    await journal.idempotency.put("k", StoredAnswer("r", 201, "{}"))
    assert await journal.idempotency.get("k") == StoredAnswer("r", 201, "{}")


async def test_workspaces(journal: Journal) -> None:
    row = await journal.workspaces.add(workspace_id="w", name="W", path="/w", editor_secret="s")
    assert await journal.workspaces.get("w") == row
    changed = await journal.workspaces.update("w", trust="trusted", editor_port=4000)
    assert (changed.trust, changed.editor_port) == ("trusted", 4000)
    await journal.workspaces.delete("w")
    with pytest.raises(Fault):
        await journal.workspaces.get("w")
