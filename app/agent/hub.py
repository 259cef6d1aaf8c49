"""From the one place where events are committed to everybody who looks.

Frames are dicts ready for JSON, as `/ws/agent` sends them. Durable frames reach a subscriber once and in order,
however it connects: from the journal first, then live. Token deltas are passed on and kept only for the item in flight,
so that a late viewer starts with all text so far. A subscriber that does not keep up is dropped and told so; it comes
back with its cursor and has lost nothing (the agent-server's own session socket does the same).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from app.schemas import Event, Events, Problem

Frame = dict[str, Any]
Replay = Callable[[str, int, int], Awaitable[Events]]
"""task, after, limit → the journal's events."""

PAGE = 200
LONGEST_QUEUE = 5000
"""Frames. At 100 deltas a second that is almost a minute behind."""


@dataclass(slots=True)
class _Item:
    """An item in flight: what has been streamed of it so far."""

    attempt: int
    texts: dict[str, list[str]] = field(default_factory=dict)
    order: int = -1


@dataclass(slots=True)
class _Following:
    """`cursor` is the last position handed out; while `behind`, the journal is read and live frames are left out."""

    cursor: int
    behind: bool


class Hub:
    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._subscriptions: set[Subscription] = set()
        self._items: dict[str, dict[str, _Item]] = {}
        self._positions: dict[str, int] = {}
        self._witnesses: list[Callable[[Event], None]] = []

    def watch(self, saw: Callable[[Event], None]) -> None:
        """Call `saw` with every event of every task once it is committed; it must return at once."""
        self._witnesses.append(saw)

    def subscribe(self) -> "Subscription":
        """A new connection's frames. Close it when the connection ends."""
        subscription = Subscription(self, self._replay)
        self._subscriptions.add(subscription)
        return subscription

    def publish(self, frame: Frame) -> None:
        """Hand a frame out at once: `durable` and the items' frames to the task's followers, the rest to all."""
        task_id = frame.get("task")
        if frame["type"] == "durable":
            self._positions[frame["task"]] = max(frame["position"], self.position(frame["task"]))
        self._track(frame)
        private = frame["type"] in ("durable", "item_started", "delta", "item_aborted")
        for subscription in list(self._subscriptions):
            if private:
                subscription.offer_followed(str(task_id), frame)
            else:
                subscription.offer(frame)

    def publish_event(self, event: Event) -> None:
        """A committed event."""
        self.publish(durable(event))
        for saw in self._witnesses:
            saw(event)

    def abort_items(self, task_id: str, reason: str) -> None:
        """Retire what is in flight, because nobody will finish it: the connection to its agent is gone."""
        for item_id, item in list(self._items.get(task_id, {}).items()):
            self.publish(
                {
                    "type": "item_aborted",
                    "task": task_id,
                    "item_id": item_id,
                    "attempt": item.attempt,
                    "reason": reason,
                }
            )

    def snapshot(self, task_id: str) -> list[Frame]:
        """What brings a late viewer up to date with the items in flight."""
        frames: list[Frame] = []
        for item_id, item in self._items.get(task_id, {}).items():
            head: Frame = {"task": task_id, "item_id": item_id, "attempt": item.attempt}
            frames.append({"type": "item_started", **head})
            for kind, texts in item.texts.items():
                if len(texts) > 1:
                    texts[:] = ["".join(texts)]
                frames.append({"type": "delta", **head, "order": item.order, "kind": kind, "content": texts[0]})
        return frames

    def position(self, task_id: str) -> int:
        """The last position published for the task by this process, 0 before the first."""
        return self._positions.get(task_id, 0)

    def forget(self, task_id: str) -> None:
        """The task is deleted."""
        self._items.pop(task_id, None)
        self._positions.pop(task_id, None)

    def drop(self, subscription: "Subscription") -> None:
        self._subscriptions.discard(subscription)

    def _track(self, frame: Frame) -> None:
        task_id = str(frame.get("task"))
        items = self._items.setdefault(task_id, {}) if frame["type"] == "item_started" else self._items.get(task_id)
        if items is None:
            return
        match frame["type"]:
            case "item_started":
                items[frame["item_id"]] = _Item(frame["attempt"])
            case "delta":
                item = items.get(frame["item_id"])
                if item is not None and item.attempt == frame["attempt"]:
                    item.texts.setdefault(frame["kind"], []).append(frame["content"])
                    item.order = frame["order"]
            case "item_aborted":
                items.pop(frame["item_id"], None)
            case "durable":
                items.pop(frame["event"]["id"], None)
            case _:
                pass
        if not items:
            del self._items[task_id]


class Subscription:
    """The frames for one connection: iterate over it, or call `get`.

    `follow` may be called at any time; the task's frames begin with `sync` and the events after its cursor.
    """

    def __init__(self, hub: Hub, replay: Replay) -> None:
        self._hub = hub
        self._replay = replay
        self._frames: deque[Frame] = deque()
        self._following: dict[str, _Following] = {}
        self._wake = asyncio.Event()
        self._closed = False

    def follow(self, task_id: str, after: int | None, through: int) -> None:
        """Begin (again) with the events after `after`, or only with new ones; `through` is the task's last position."""
        cursor = through if after is None else min(after, through)
        self.unfollow(task_id)
        self._following[task_id] = _Following(cursor, behind=True)
        self.offer({"type": "sync", "task": task_id, "after": cursor, "through": through})

    def unfollow(self, task_id: str) -> None:
        self._following.pop(task_id, None)

    def offer(self, frame: Frame) -> None:
        """Put a frame for this connection alone, such as an error."""
        if self._closed:
            return
        if len(self._frames) >= LONGEST_QUEUE:
            self._frames.clear()
            self._frames.append({"type": "error", "problem": _SLOW.model_dump(exclude_none=True)})
            self.close()
            return
        self._frames.append(frame)
        self._wake.set()

    def offer_followed(self, task_id: str, frame: Frame) -> None:
        following = self._following.get(task_id)
        if following is None or following.behind:
            return
        if frame["type"] == "durable":
            if frame["position"] <= following.cursor:
                return
            if frame["position"] > following.cursor + 1:
                following.behind = True  # something was committed and never published: the journal has it
                self._wake.set()
                return
            following.cursor = frame["position"]
        self.offer(frame)

    @property
    def pending(self) -> int:
        """Frames that wait to be read."""
        return len(self._frames)

    def close(self) -> None:
        """No more frames; what is queued can still be read."""
        self._closed = True
        self._hub.drop(self)
        self._wake.set()

    async def get(self) -> Frame | None:
        """The next frame, or None at the end."""
        while True:
            if self._frames:
                return self._frames.popleft()
            if self._closed:
                return None
            behind = next((task_id for task_id, one in self._following.items() if one.behind), None)
            if behind is not None:
                await self._catch_up(behind)
                continue
            self._wake.clear()
            await self._wake.wait()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Frame:
        frame = await self.get()
        if frame is None:
            raise StopAsyncIteration
        return frame

    async def _catch_up(self, task_id: str) -> None:
        following = self._following[task_id]
        page = await self._replay(task_id, following.cursor, PAGE)
        if self._following.get(task_id) is not following:
            return  # unfollowed or begun again meanwhile
        for event in page.events:
            following.cursor = event.position
            self.offer(durable(event))
        # An event is committed before it is published: what was published up to now is in a page or yet to be read.
        if not page.more_after and following.cursor >= self._hub.position(task_id):
            following.behind = False
            for frame in self._hub.snapshot(task_id):
                self.offer(frame)


def durable(event: Event) -> Frame:
    return {
        "type": "durable",
        "task": event.task_id,
        "position": event.position,
        "event": {**event.model_dump(exclude={"at"}), "at": event.at.isoformat()},
    }


_SLOW = Problem(
    code="slow-consumer",
    status=429,
    title="The connection can't keep up",
    detail="This connection read too slowly and was closed; nothing is lost.",
    remedy="Connect again with the last position you have.",
)
