"""The agent can write its conversation's files and kill its own server: neither may get it past the user.

Both lie open to it by nature: the agent-server runs as the same user, in the same place, as the agent's tools.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.tasks.conftest import Seat
from tests.tasks.real import AgentServer

State = dict[str, Any]


async def _tamper(seat: Seat, server: AgentServer, task_id: str, change: Callable[[State], object]) -> None:
    """As a process that the agent left behind: kill the server, rewrite what the conversation is, come back."""
    conversation = await seat.journal.conversations.main(task_id)
    assert conversation is not None
    server.kill()
    seat.runtime.tell()
    folder = Path(server.folder)
    files = [
        one for name in ("base_state.json", "meta.json") for one in folder.rglob(f"{UUID(conversation.id).hex}/{name}")
    ]
    assert len(files) == 2
    for file in files:
        state = json.loads(file.read_text())
        change(state)
        file.write_text(json.dumps(state))
    await asyncio.to_thread(server.start)
    seat.runtime.tell()


@pytest.mark.parametrize("status", ["idle", "error"])
async def test_an_action_that_waits_is_not_carried_out_by_going_on(
    seat: Seat, server: AgentServer, status: str
) -> None:
    victim = seat.folder / "victim"
    victim.mkdir()
    task = await seat.task("run: rm -rf victim")
    await seat.reach(task.id, "waiting")
    await _tamper(seat, server, task.id, lambda state: state.update(execution_status=status))
    await seat.say(task.id, "go on")
    await seat.when(task.id, lambda now: now.state not in ("running", "starting") and not now.queue)
    assert victim.exists()


async def test_going_on_after_a_pause_carries_nothing_out_either(seat: Seat, server: AgentServer) -> None:
    victim = seat.folder / "victim"
    victim.mkdir()
    task = await seat.task("run: rm -rf victim")
    await seat.reach(task.id, "waiting")
    await _tamper(seat, server, task.id, lambda state: state.update(execution_status="paused"))
    await seat.settled(task.id, lambda facts: not facts.lost)
    now = await seat.service.get(task.id)
    if now.state != "waiting":
        await seat.service.resume(task.id)
        await seat.when(task.id, lambda now: now.state not in ("running", "starting"))
    assert victim.exists()


REWRITTEN = {
    "rule": {"confirmation_policy": {"kind": "NeverConfirm"}},
    "safety check": {"security_analyzer": {"kind": "LLMSecurityAnalyzer"}},
}
"""The model's own word alone says that deleting is harmless."""


@pytest.mark.parametrize("what", REWRITTEN)
async def test_a_rule_that_was_rewritten_is_put_back(seat: Seat, server: AgentServer, what: str) -> None:
    task = await seat.task("hello")
    await seat.reach(task.id, "finished")
    await _tamper(seat, server, task.id, lambda state: state.update(REWRITTEN[what]))
    victim = seat.folder / "victim"
    victim.mkdir()
    await seat.say(task.id, "run: rm -rf victim")
    await seat.when(task.id, lambda now: now.state in ("waiting", "finished", "paused") and not now.queue)
    assert victim.exists()
    said = [event.data.get("text", "") for event in await seat.events(task.id) if event.kind == "Notice"]
    assert any(f"The {what}" in text and "not by you" in text for text in said)
