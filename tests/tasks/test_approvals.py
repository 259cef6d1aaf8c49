"""Asking before risky actions, and orders that were not ours, with the real agent-server."""

import pytest

from app.problems import Fault
from app.schemas import TaskPatch
from tests.tasks.conftest import Seat


async def test_a_risky_action_waits_and_runs_once_approved(seat: Seat) -> None:
    victim = seat.folder / "victim"
    victim.mkdir()
    task = await seat.task("run: rm -rf victim")
    waiting = await seat.reach(task.id, "waiting")
    [action] = waiting.pending
    assert (action.tool, action.risk, action.arguments["command"]) == ("terminal", "high", "rm -rf victim")
    assert action.reason == "This is risky: it deletes files for good."
    assert victim.exists()
    await seat.service.approve(task.id, action.id)
    with pytest.raises(Fault) as twice:
        await seat.service.approve(task.id, action.id)
    assert (twice.value.status, twice.value.code) == (409, "not-pending")
    await seat.reach(task.id, "finished")
    assert not victim.exists()
    assert [event.kind for event in await seat.events(task.id) if event.kind in ("Approval", "Notice")] == ["Approval"]
    with pytest.raises(Fault):
        await seat.service.reject(task.id, action.id, "too late")


async def test_rejecting_goes_on_with_the_reason(seat: Seat) -> None:
    (seat.folder / "victim").mkdir()
    task = await seat.task("run: rm -rf victim")
    [action] = (await seat.reach(task.id, "waiting")).pending
    await seat.service.reject(task.id, action.id, "keep it")
    await seat.reach(task.id, "finished")
    assert (seat.folder / "victim").exists()
    assert "keep it" in str(seat.model.asked[-1]["messages"][-1])


async def test_actions_that_wait_together_run_once_all_are_approved(seat: Seat) -> None:
    task = await seat.task("run: echo one > 1 ;; echo two > 2", mode="ask_all")
    one, two = (await seat.reach(task.id, "waiting")).pending
    assert one.reason == "You asked to approve every action."
    rest = await seat.service.approve(task.id, two.id)
    assert [action.id for action in rest.pending] == [one.id]
    assert rest.state == "waiting"
    await seat.service.approve(task.id, one.id)
    await seat.reach(task.id, "finished")
    assert (seat.folder / "1").exists()
    assert (seat.folder / "2").exists()


async def test_a_message_does_not_approve(seat: Seat) -> None:
    """At the agent-server a message with run=true carries pending actions out: it has to wait here."""
    (seat.folder / "victim").mkdir()
    task = await seat.task("run: rm -rf victim")
    [action] = (await seat.reach(task.id, "waiting")).pending
    await seat.say(task.id, "what are you waiting for?")
    with pytest.raises(Fault) as refused:
        await seat.service.resume(task.id)
    assert refused.value.code == "needs-approval"
    still = await seat.service.get(task.id)
    assert (still.state, len(still.queue)) == ("waiting", 1)
    await seat.service.reject(task.id, action.id)
    await seat.when(task.id, lambda now: now.state == "finished" and not now.queue)
    assert (seat.folder / "victim").exists()
    assert "agent: Heard: what are you waiting for?" in await seat.texts(task.id)


async def test_stopping_while_it_waits_rejects(seat: Seat) -> None:
    """A later run would otherwise carry the action out."""
    (seat.folder / "victim").mkdir()
    task = await seat.task("run: rm -rf victim")
    await seat.reach(task.id, "waiting")
    assert (await seat.service.interrupt(task.id)).state == "paused"
    await seat.service.resume(task.id)
    await seat.reach(task.id, "finished")
    assert (seat.folder / "victim").exists()


async def test_the_mode_changes_in_mid_run(seat: Seat) -> None:
    task = await seat.task("hello")
    await seat.reach(task.id, "finished")
    assert (await seat.service.patch(task.id, TaskPatch(mode="ask_all"))).mode == "ask_all"
    await seat.say(task.id, "run: echo harmless")
    [action] = (await seat.reach(task.id, "waiting")).pending
    await seat.service.patch(task.id, TaskPatch(mode="ask_never"))
    await seat.service.approve(task.id, action.id)
    await seat.reach(task.id, "finished")
    await seat.say(task.id, "run: rm -rf nothing")
    await seat.when(task.id, lambda now: now.state == "finished" and not now.queue)
    assert not [event for event in await seat.events(task.id) if event.kind == "Notice"]


async def _notice(seat: Seat, task_id: str) -> str:
    await seat.when(task_id, lambda now: now.state not in ("running", "waiting", "starting"))
    while not (notices := [event for event in await seat.events(task_id) if event.kind == "Notice"]):
        await seat.when(task_id, lambda _: True)
    return notices[-1].data["text"]


async def test_a_foreign_policy_stops_the_task_and_is_undone(seat: Seat) -> None:
    task = await seat.task("count: 100")
    await seat.when(task.id, lambda now: now.position > 4)
    conversation = await seat.journal.conversations.main(task.id)
    assert conversation is not None
    client = seat.service._reach.client("w")
    await client.set_policy(conversation.id, {"kind": "NeverConfirm"})
    assert await _notice(seat, task.id) == (
        "The rule for when the agent has to ask was changed, and not by you. The task was stopped."
    )
    state = await client.conversation(conversation.id)
    assert state["confirmation_policy"]["kind"] == "ConfirmRisky"
    assert state["execution_status"] == "paused"


async def test_a_foreign_approval_stops_the_task(seat: Seat) -> None:
    task = await seat.task("run: sleep 30; rm -rf victim")
    await seat.reach(task.id, "waiting")
    conversation = await seat.journal.conversations.main(task.id)
    assert conversation is not None
    await seat.service._reach.client("w").respond(conversation.id, accept=True)
    assert await _notice(seat, task.id) == (
        "Actions that waited for your approval were carried out without it. The task was stopped."
    )
    assert (await seat.service.get(task.id)).state == "paused"
