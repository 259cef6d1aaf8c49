"""Whole turns with the real agent-server."""

import pytest

from app.problems import Fault
from app.schemas import NewMessage
from tests.tasks.conftest import Seat


async def test_a_message_becomes_an_answer_with_every_event_once(seat: Seat) -> None:
    task = await seat.task("hello\nsecond line")
    assert task.title == "hello"
    assert [message.text for message in task.queue] == ["hello\nsecond line"]
    done = await seat.reach(task.id, "finished")
    events = await seat.events(task.id)
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    upstream = [event.seq for event in events if event.seq is not None]
    assert sorted(upstream) == list(range(len(upstream)))
    assert await seat.texts(task.id) == ["user: hello\nsecond line", "agent: Heard: hello\nsecond line"]
    own = [event for event in events if event.kind == "UserMessage"]
    echo = [event for event in events if event.kind == "MessageEvent" and event.source == "user"]
    assert [event.data["twinseat_message"] for event in echo] == [own[0].id]
    assert done.queue == []
    assert done.model_id == "obedient"
    assert done.activity is None


async def test_the_same_message_id_is_stored_and_sent_once(seat: Seat) -> None:
    task = await seat.task("first")
    await seat.reach(task.id, "finished")
    one = await seat.service.send(task.id, NewMessage(text="again", id="chosen"))
    two = await seat.service.send(task.id, NewMessage(text="again", id="chosen"))
    assert one == two
    await seat.when(task.id, lambda now: now.state == "finished" and not now.queue)
    assert (await seat.texts(task.id)).count("user: again") == 1


async def test_activity_and_the_queue_while_a_command_runs(seat: Seat) -> None:
    task = await seat.task("run: sleep 3; echo over")
    running = await seat.when(task.id, lambda now: now.activity == "Running sleep 3; echo over")
    assert running.turn_started_at is not None
    await seat.say(task.id, "meanwhile")
    assert [message.text for message in (await seat.service.get(task.id)).queue] == ["meanwhile"]
    await seat.when(task.id, lambda now: now.state == "finished" and not now.queue)
    assert "user: meanwhile" in await seat.texts(task.id)
    assert any("over" in str(event.data) for event in await seat.events(task.id) if event.kind == "ObservationEvent")


async def test_a_message_sent_while_the_model_answers_gets_its_own_call(seat: Seat) -> None:
    task = await seat.task("count: 40")
    subscription = seat.hub.subscribe()
    subscription.follow(task.id, 0, await seat.journal.position(task.id))
    while (frame := await subscription.get()) and frame["type"] != "delta":
        pass
    await seat.say(task.id, "and you?")
    await seat.when(task.id, lambda now: now.state == "finished" and not now.queue)
    await seat.when(task.id, lambda now: now.state == "finished" and len(seat.model.asked) == 2)
    assert "and you?" in str(seat.model.asked[1]["messages"])


async def test_interrupt_cuts_a_command_and_resume_goes_on(seat: Seat) -> None:
    task = await seat.task("run: sleep 100")
    await seat.when(task.id, lambda now: now.activity == "Running sleep 100")
    assert (await seat.service.interrupt(task.id)).state == "paused"
    await seat.service.resume(task.id)
    await seat.reach(task.id, "finished")
    assert (await seat.texts(task.id))[-1] == "agent: Done."


async def test_pause_lets_the_answer_end(seat: Seat) -> None:
    task = await seat.task("count: 20")
    await seat.when(task.id, lambda now: now.position > 4)
    await seat.service.pause(task.id)
    assert (await seat.reach(task.id, "paused", "finished")).pending == []


async def test_late_viewers_get_the_item_in_flight(seat: Seat) -> None:
    task = await seat.task("count: 30")
    early = seat.hub.subscribe()
    early.follow(task.id, 0, await seat.journal.position(task.id))
    heard = ""
    while heard.count(" ") < 5:
        frame = await early.get()
        assert frame is not None
        heard += frame["content"] if frame["type"] == "delta" else ""
    late = seat.hub.subscribe()
    late.follow(task.id, None, await seat.journal.position(task.id))
    text, ended = "", False
    while not ended:
        frame = await late.get()
        assert frame is not None
        if frame["type"] == "delta":
            text += frame["content"]
        ended = frame["type"] == "durable" and frame["event"]["kind"] == "MessageEvent"
    assert text == "".join(f"{index} " for index in range(30))


async def test_delete_leaves_nothing(seat: Seat) -> None:
    task = await seat.task("run: sleep 100")
    await seat.when(task.id, lambda now: now.activity == "Running sleep 100")
    await seat.service.delete(task.id)
    with pytest.raises(Fault):
        await seat.service.get(task.id)
    assert (await seat.service.list()).tasks == []
