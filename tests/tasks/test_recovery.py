"""What dies and comes back: backend, agent-server, conversation, runtime, model, budget."""

import asyncio
import sys
from typing import NoReturn

import aiohttp
import pytest

from app.problems import Fault, not_found
from app.schemas import NewMessage, Problem, TaskPatch, Usage
from app.tasks import TaskService
from tests.tasks.conftest import Open, Seat
from tests.tasks.real import AgentServer


async def _agrees(seat: Seat, server: AgentServer, task_id: str) -> None:
    """The journal has exactly the agent-server's events, each once, and positions without gaps."""
    conversation = await seat.journal.conversations.main(task_id)
    assert conversation is not None
    events = await seat.events(task_id)
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    stored = {
        event.seq: event.id for event in events if event.conversation_id == conversation.id and event.seq is not None
    }
    assert len(stored) == len([event for event in events if event.seq is not None])
    url = f"{server.endpoint.url}/api/conversations/{conversation.id}/events/search"
    upstream: list[str] = []
    page: str | None = None
    async with aiohttp.ClientSession(headers=dict(server.endpoint.headers)) as http:
        while True:
            async with http.get(url, params={"page_id": page} if page else {}) as response:
                body = await response.json()
            upstream += [event["id"] for event in body["items"]]
            page = body["next_page_id"]
            if page is None:
                break
    assert [stored[seq] for seq in sorted(stored)] == upstream


@pytest.mark.parametrize("wait", [0.3, 1.4, 2.0, 3.0])
async def test_a_killed_backend_loses_and_doubles_nothing(open_seat: Open, server: AgentServer, wait: float) -> None:
    seat = await open_seat()
    await seat.journal.close()
    text = "run: " + " ;; ".join(f"echo {index}" for index in range(12))
    journal = str(seat.folder.parent / "journal.sqlite")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.tasks.victim", journal, str(seat.folder)),
        *(server.endpoint.url, server.key, seat.model.url, text),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    task_id = (await process.stdout.readline()).decode().strip()
    await asyncio.sleep(wait)  # anywhere in its work
    process.kill()
    await process.wait()
    again = await open_seat()
    await again.service.recover()
    await again.when(task_id, lambda now: now.state == "finished" and not now.queue)
    assert (await again.texts(task_id)).count(f"user: {text}") == 1
    await _agrees(again, server, task_id)


async def test_the_agent_works_on_while_the_backend_is_away(open_seat: Open, server: AgentServer) -> None:
    seat = await open_seat()
    task = await seat.task("run: sleep 2; echo survived")
    await seat.when(task.id, lambda now: bool(now.activity and now.activity.startswith("Running sleep")))
    await seat.service.close()
    await seat.journal.close()
    again = await open_seat()
    await again.service.recover()
    await again.reach(task.id, "finished")
    await _agrees(again, server, task.id)


async def test_a_killed_agent_server_interrupts_and_continue_goes_on(seat: Seat, server: AgentServer) -> None:
    task = await seat.task("run: sleep 100")
    await seat.when(task.id, lambda now: now.activity == "Running sleep 100")
    server.kill()
    seat.runtime.tell()
    dead = await seat.reach(task.id, "interrupted")
    assert dead.problem is not None
    assert dead.problem.remedy == "Press Continue to go on from where it was."
    await seat.service.resume(task.id)
    await seat.reach(task.id, "finished")
    await _agrees(seat, server, task.id)


async def test_a_returning_agent_server_leaves_the_task_to_the_user(seat: Seat, server: AgentServer) -> None:
    task = await seat.task("run: sleep 100")
    await seat.when(task.id, lambda now: now.activity == "Running sleep 100")
    server.kill()
    await asyncio.to_thread(server.start)
    seat.runtime.tell()
    await seat.reach(task.id, "interrupted")
    await seat.say(task.id, "go on")
    await seat.when(task.id, lambda now: now.state == "finished" and not now.queue)
    assert (await seat.texts(task.id))[-1] == "agent: Heard: go on"


async def test_messages_wait_for_the_runtime_across_restarts(open_seat: Open, server: AgentServer) -> None:
    server.kill()
    seat = await open_seat()  # starts it
    server.kill()
    seat.runtime.refusal = Fault(
        code="no-disk", status=507, title="Full", detail="The disk is full.", remedy="Free it."
    )
    task = await seat.task("first")
    failed = await seat.reach(task.id, "failed")
    assert failed.problem is not None
    assert failed.problem.detail == "The disk is full."
    await seat.say(task.id, "second")
    assert [message.text for message in (await seat.service.get(task.id)).queue] == ["first", "second"]
    await seat.service.close()
    await seat.journal.close()
    again = await open_seat()
    await again.service.recover()
    await again.when(task.id, lambda now: now.state == "finished" and not now.queue)
    said = [text for text in await again.texts(task.id) if text.startswith("user")]
    assert said == ["user: first", "user: second"]


@pytest.mark.parametrize("delivered", [True, False])
async def test_a_message_whose_answer_got_lost_is_in_there_once(open_seat: Open, delivered: bool) -> None:
    seat = await open_seat()
    task = await seat.task("one")
    await seat.when(task.id, lambda now: now.state == "finished" and not now.queue)
    await seat.service.close()
    if delivered:
        message = (await seat.events(task.id))[0].id
    else:
        message = (await seat.say(task.id, "one")).id
        await seat.service.close()
    await seat.journal.outbox.mark(task.id, message, "sending")
    await seat.journal.close()
    again = await open_seat()
    await again.service.recover()
    while await again.journal.outbox.pending(task.id):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await again.when(task.id, lambda now: now.state == "finished" and not now.queue)
    assert (await again.texts(task.id)).count("user: one") == (1 if delivered else 2)


async def test_a_conversation_that_is_gone_begins_anew(open_seat: Open) -> None:
    seat = await open_seat()
    task = await seat.task("one")
    await seat.reach(task.id, "finished")
    former = await seat.journal.conversations.main(task.id)
    assert former is not None
    await seat.service._reach.client("w").delete(former.id)
    await seat.service.close()
    await seat.journal.close()
    again = await open_seat()
    await again.say(task.id, "two")
    await again.when(task.id, lambda now: now.state == "finished" and not now.queue)
    assert await again.texts(task.id) == ["user: one", "agent: Heard: one", "user: two", "agent: Heard: two"]
    assert any(event.kind == "Notice" for event in await again.events(task.id))


async def test_a_refused_key_is_a_sentence_and_continue_works_after(seat: Seat) -> None:
    seat.model.failing = (401, {"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}})
    task = await seat.task("hello")
    failed = await seat.reach(task.id, "failed")
    assert failed.problem is not None
    assert failed.problem.code == "model-key-refused"
    seat.model.failing = None
    await seat.service.resume(task.id)
    await seat.reach(task.id, "finished")
    assert (await seat.texts(task.id))[-1] == "agent: Heard: hello"


async def test_the_gateways_own_words_win(seat: Seat) -> None:
    seat.model.failing = (502, {"error": {"message": "Can't reach the model at m.example: no such name."}})
    problem = Problem(code="dns", status=502, title="No such name", detail="Can't reach m.example.", remedy="Check it.")
    task = await seat.task("hello")
    seat.service.meter.model_failed(task.id, problem)
    assert (await seat.reach(task.id, "failed")).problem == problem


async def test_without_them_the_models_own_words_are_found(seat: Seat) -> None:
    seat.model.failing = (502, {"error": {"message": "Can't reach the model at m.example: no such name."}})
    failed = await seat.reach((await seat.task("hello")).id, "failed")
    assert failed.problem is not None
    assert "Can't reach the model at m.example: no such name." in failed.problem.detail


async def test_the_budget_stops_and_more_budget_continues(seat: Seat) -> None:
    task = await seat.task("run: sleep 100", budget_usd=0.5)
    await seat.when(task.id, lambda now: now.activity == "Running sleep 100")
    await seat.service.meter.record_usage(task.id, Usage(cost_usd=0.2, requests=1))
    assert await seat.service.meter.over_budget(task.id) is None
    await seat.service.meter.record_usage(task.id, Usage(cost_usd=0.4, requests=1))
    assert await seat.service.meter.over_budget(task.id) is not None
    stopped = await seat.reach(task.id, "stopped")
    assert stopped.problem is not None
    assert stopped.problem.detail == "This task has used $0.60 of its budget of $0.50."
    await seat.when(task.id, lambda now: now.activity is None)
    await seat.service.patch(task.id, TaskPatch(budget_usd=5))
    assert await seat.service.meter.over_budget(task.id) is None
    await seat.settled(task.id, lambda now: now.status != "running")
    await seat.service.resume(task.id)
    await seat.reach(task.id, "finished")


async def test_a_task_without_a_workspace_keeps_nothing_from_starting(seat: Seat) -> None:
    def forgotten(workspace_id: str) -> NoReturn:
        raise not_found("workspace", workspace_id)

    task = await seat.task("run: sleep 100")
    await seat.reach(task.id, "running")
    await seat.service.close()
    service = TaskService(seat.journal, seat.hub, forgotten, seat.model.choose)
    for _ in range(2):
        await service.recover()
    found = await service.get(task.id)
    assert found.state == "failed"
    assert found.problem is not None
    assert found.problem.code == "not-found"
    assert [event.data.get("phase") for event in await seat.events(task.id)].count("failed") == 1
    with pytest.raises(Fault):
        await service.send(task.id, NewMessage(text="Go on"))
    assert (await service.get(task.id)).state == "failed"
    await service.close()


async def test_a_workspace_is_left_with_its_tasks_stopped(seat: Seat) -> None:
    task = await seat.task("run: sleep 100")
    await seat.when(task.id, lambda now: now.activity == "Running sleep 100")
    await seat.service.leave("w")
    found = await seat.service.get(task.id)
    assert found.state in ("paused", "failed")
    facts = await seat.journal.facts(task.id)
    assert facts.status != "running", "the agent was stopped, not only left alone"
