"""Durable frames reach a follower once and in order, however late it comes and whatever it missed."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from app.agent import hub as hub_module
from app.agent.hub import Frame, Hub, Subscription
from app.schemas import Events
from app.storage.journal import Journal
from tests.storage.frames import upstream


async def drain(subscription: Subscription) -> list[Frame]:
    """What comes without anything more being published."""
    frames: list[Frame] = []
    while True:
        try:
            async with asyncio.timeout(0.02):
                frame = await subscription.get()
        except TimeoutError:
            return frames
        if frame is None:
            return frames
        frames.append(frame)


async def with_journal(path: Path) -> tuple[Journal, Hub]:
    journal = await Journal.open(path)
    await journal.tasks.add(
        task_id="t", workspace_id="w", title="T", titled=False, mode="ask_risky", model_id=None, budget_usd=None
    )

    async def replay(task: str, after: int, limit: int) -> Events:
        await asyncio.sleep(0)
        return await journal.events(task, after=after, limit=min(limit, 3))

    return journal, Hub(replay)


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("commit"), st.integers(1, 4)),
            st.just(("publish", 0)),
            st.just(("read", 0)),
            st.tuples(st.just("follow"), st.integers(0, 12)),
        ),
        max_size=25,
    )
)
@settings(max_examples=80, deadline=None)
def test_any_interleaving_gives_each_event_once(steps: list[tuple[str, int]]) -> None:
    async def check(path: Path) -> None:
        journal, hub = await with_journal(path)
        subscription = hub.subscribe()
        unpublished, seq = [], 0
        reader: asyncio.Task[Frame | None] | None = None
        seen: list[Frame] = []

        async def turn() -> None:
            nonlocal reader
            for _ in range(5):
                await asyncio.sleep(0)
                if reader is not None and reader.done():
                    frame = reader.result()
                    assert frame is not None
                    seen.append(frame)
                    reader = None

        for step, number in steps:
            match step:
                case "commit":
                    unpublished += await journal.append("t", [upstream(seq + n, "Thing") for n in range(number)])
                    seq += number
                case "publish":
                    for event in unpublished:
                        hub.publish_event(event)
                    unpublished = []
                case "follow":
                    subscription.follow("t", number, await journal.position("t"))
                case _:
                    reader = reader or asyncio.create_task(subscription.get())
            await turn()
        for event in unpublished:
            hub.publish_event(event)
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            if not reader.cancelled() and (frame := reader.result()) is not None:
                seen.append(frame)
        if any(step == "follow" for step, _ in steps):
            # A marker behind everything: what is not delivered by then never will be.
            after = await journal.append("t", [upstream(seq, "Thing")])
            hub.publish_event(after[0])
            while not seen or seen[-1].get("position") != seq + 1 or subscription.pending:
                frame = await subscription.get()
                assert frame is not None
                seen.append(frame)
            last = max(index for index, frame in enumerate(seen) if frame["type"] == "sync")
            positions = [frame["position"] for frame in seen[last:] if frame["type"] == "durable"]
            assert positions == list(range(seen[last]["after"] + 1, seq + 2))
        await journal.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder) / "journal.sqlite"))


async def nothing(task: str, after: int, limit: int) -> Events:
    return Events(events=[], more_before=False, more_after=False)


def delta(order: int, content: str, kind: str = "text") -> Frame:
    head = {"type": "delta", "task": "t", "item_id": "i", "attempt": 1}
    return {**head, "order": order, "kind": kind, "content": content}


async def test_a_late_viewer_gets_the_text_so_far() -> None:
    hub = Hub(nothing)
    hub.publish({"type": "item_started", "task": "t", "item_id": "i", "attempt": 1})
    for order, kind, content in [(0, "reasoning", "hm"), (1, "text", "a"), (2, "text", "b")]:
        hub.publish(delta(order, content, kind))
    late = hub.subscribe()
    late.follow("t", None, 0)
    frames = await drain(late)
    assert [frame["type"] for frame in frames] == ["sync", "item_started", "delta", "delta"]
    assert [(frame["kind"], frame["content"]) for frame in frames[2:]] == [("reasoning", "hm"), ("text", "ab")]
    hub.publish(delta(3, "c"))
    assert [frame["content"] for frame in await drain(late)] == ["c"]
    hub.abort_items("t", "gone")
    assert [frame["type"] for frame in await drain(late)] == ["item_aborted"]
    assert hub.snapshot("t") == []


async def test_status_goes_to_all_and_deltas_to_followers() -> None:
    hub = Hub(nothing)
    looking, elsewhere = hub.subscribe(), hub.subscribe()
    looking.follow("t", 0, 0)
    await drain(looking)
    hub.publish(delta(0, "x"))
    hub.publish({"type": "status", "task": "t", "state": {}})
    assert [frame["type"] for frame in await drain(looking)] == ["delta", "status"]
    assert [frame["type"] for frame in await drain(elsewhere)] == ["status"]


async def test_who_does_not_keep_up_is_dropped_and_told() -> None:
    hub = Hub(nothing)
    slow = hub.subscribe()
    for _ in range(hub_module.LONGEST_QUEUE + 1):
        hub.publish({"type": "status", "task": "t", "state": {}})
    frames = [frame async for frame in slow]
    assert [frame["problem"]["code"] for frame in frames] == ["slow-consumer"]
