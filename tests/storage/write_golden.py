"""Writes the golden file of the newest format, once, when a migration made it. Files of older formats never change.

python -m tests.storage.write_golden
"""

import asyncio
import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from app.schemas import Usage
from app.storage.idempotency import StoredAnswer
from app.storage.journal import Journal, NewEvent
from app.storage.migrations import HEAD
from tests.storage.frames import action, observed, said, status

GOLDEN = Path(__file__).with_name("golden")
TOKEN = "twinseat-task-golden"


async def fill(journal: Journal) -> None:
    """Something in every table."""
    await journal.workspaces.add(workspace_id="w", name="Golden", path="/srv/golden", editor_secret="s3cret")
    await journal.workspaces.update("w", trust="trusted", editor_port=40001)
    for task_id in ("t", "u"):
        await journal.tasks.add(
            task_id=task_id,
            workspace_id="w",
            title=f"Task {task_id}",
            titled=True,
            mode="ask_risky",
            model_id="m",
            budget_usd=2.5,
        )
    message = NewEvent("m1", "UserMessage", "user", {"text": "Grüße 🪑", "digest": "d"})
    await journal.append("t", [message], lambda connection, events: journal.outbox.put(connection, "t", "m1", 1, [{}]))
    conversation = await journal.conversations.add("t")
    await journal.conversations.update(conversation.id, made=1, settled=0, mode="ask_risky", model_id="m")
    rows = [said(0, "Grüße 🪑"), status(1, "running"), action(2, "ls"), observed(3, 2), action(4, "rm -rf x", "HIGH")]
    await journal.append("t", [*rows, status(5, "waiting_for_confirmation")])
    await journal.usage.record("t", Usage(prompt_tokens=10, completion_tokens=5, cost_usd=0.25, requests=1), "m")
    await journal.usage.record("t", Usage(prompt_tokens=1, estimated=True, priced=False, requests=1))
    await journal.tokens.issue("t")
    await journal.idempotency.put("key", StoredAnswer("digest", 201, '{"a":1}'))


async def read(journal: Journal) -> dict[str, Any]:
    """Everything, as the repositories give it."""
    rows, _ = await journal.tasks.list()
    conversation = await journal.conversations.main("t")
    return {
        "workspaces": [repr(row) for row in await journal.workspaces.list()],
        "tasks": {row.id: json.loads(row.facts.model_dump_json()) for row in rows},
        "rows": {row.id: [row.title, row.titled, row.mode, row.model_id, row.budget_usd, row.position] for row in rows},
        "events": [event.model_dump(mode="json") for event in (await journal.events("t", after=0)).events],
        "conversation": repr(conversation),
        "unsettled": [one.id for one in await journal.conversations.unsettled()],
        "outbox": [repr(one) for one in await journal.outbox.pending("t")],
        "usage": (await journal.usage.total("t")).model_dump(),
        "last_seq": await journal.last_seq("c"),
    }


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        journal = await Journal.open(path)
        await fill(journal)
        expected = await read(journal)
        await journal.close()
        with sqlite3.connect(path) as connection:
            dump = "\n".join(connection.iterdump()) + "\n"
    (GOLDEN / f"{HEAD}.sql").write_text(dump)
    (GOLDEN / f"{HEAD}.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
