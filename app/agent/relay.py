"""One live conversation: frames of its session socket into the journal, and from there to the hub.

Commit, then fan out: a durable event is handed out only once it is stored. What arrived while a commit was under way is
committed together with it, so a burst costs a few transactions. Deltas pass straight through, in their place.
"""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from app.agent import session
from app.agent.hub import Hub
from app.storage.facts import fingerprint, policy
from app.storage.failures import ANNOTATION
from app.storage.journal import Journal, NewEvent, source_of

Frame = dict[str, Any]

_QUEUED = 2000
_PATIENCE = 4
"""Failed tries before the agent counts as lost: about a second."""

log = structlog.get_logger()


class Relay:
    """`run` it as a task. `changed` is called after every commit and whenever `synced` or `lost` change.

    `synced`: everything that the agent-server had when the connection was made is in the journal. It is cleared when
    the connection is lost. `gone`: the agent-server does not have the conversation.
    """

    def __init__(
        self,
        task_id: str,
        conversation_id: str,
        *,
        journal: Journal,
        hub: Hub,
        connect: session.Connect,
        changed: Callable[[], None],
        explain: Callable[[], dict[str, Any] | None] = lambda: None,
    ) -> None:
        self.task_id = task_id
        self.conversation_id = conversation_id
        self.synced = False
        self.lost = False
        self.gone = False
        self._journal = journal
        self._hub = hub
        self._connect = connect
        self._changed = changed
        self._explain = explain
        self._queue: asyncio.Queue[Frame | None] = asyncio.Queue(_QUEUED)
        self._verify = False

    async def run(self) -> None:
        """Until cancelled, or the conversation is gone."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read())
                group.create_task(self._write())
        finally:
            self._hub.abort_items(self.task_id, "The connection to the agent was closed.")

    async def _read(self) -> None:
        async def cursor() -> int | None:
            await self._queue.join()  # what was read must be stored before we ask what comes after it
            return await self._journal.last_seq(self.conversation_id)

        async for frame in session.frames(self._connect, self.conversation_id, cursor):
            await self._queue.put(frame)
        await self._queue.put(None)

    async def _write(self) -> None:
        while True:
            frames = [await self._queue.get()]
            while not self._queue.empty():
                frames.append(self._queue.get_nowait())
            try:
                await self._handle([frame for frame in frames if frame is not None])
            finally:
                for _ in frames:
                    self._queue.task_done()
            if None in frames:
                return

    async def _handle(self, frames: Sequence[Frame]) -> None:
        """In order; neighbouring durable events in one commit."""
        batch: list[NewEvent] = []
        for frame in frames:
            if frame["type"] == "durable":
                row = self._row(frame)
                if row is not None:
                    batch.append(row)
                continue
            await self._commit(batch)
            batch = []
            await self._pass(frame)
        await self._commit(batch)

    async def _commit(self, rows: Sequence[NewEvent]) -> None:
        if rows:
            # Shielded: what is committed is handed out, also when the relay is being closed.
            await asyncio.shield(self._store(list(rows)))

    async def _store(self, rows: Sequence[NewEvent]) -> None:
        for event in await self._journal.append(self.task_id, rows):
            self._hub.publish_event(event)
        self._changed()

    async def _pass(self, frame: Frame) -> None:
        match frame["type"]:
            case "item_started" | "delta" | "item_aborted":
                wanted = ("type", "item_id", "attempt", "order", "kind", "content", "reason")
                self._hub.publish({"task": self.task_id, **{key: frame[key] for key in wanted if key in frame}})
            case "sync":
                self._verify = True
            case "transient":
                event = frame.get("event") or {}
                if self._verify and event.get("key") == "full_state":
                    self._verify = False
                    await self._replayed(event.get("value") or {})
            case "lost":
                await self._disconnected(frame)
            case "gone":
                self.gone, self.synced = True, False
                self._changed()
            case "error":
                log.warning("session socket error", code=frame.get("code"), conversation=self.conversation_id)
            case _:
                pass  # the protocol is meant to grow

    async def _replayed(self, state: Frame) -> None:
        """All that was on the agent-server's disk is stored. Does its state say the same as its events?"""
        facts = await self._journal.facts(self.task_id)
        rows: list[NewEvent] = []
        if facts.conversation_id in (None, self.conversation_id):
            status = state.get("execution_status")
            check = fingerprint(state["security_analyzer"]) if "security_analyzer" in state else None
            if facts.lost or facts.starting or status != facts.status or (facts.analyzer is None and check):
                phase = {"phase": "ready", "status": status}
                rows.append(self._own("RuntimePhase", phase | ({"analyzer": check} if check else {})))
            # The agent can write to the files that the agent-server has just read these from.
            in_force = state.get("confirmation_policy")
            if facts.alarm is None and all(policy(mode) != in_force for mode in facts.modes):
                rows.append(self._own("Notice", {"raise": "policy"}))
            elif facts.alarm is None and check and facts.analyzer not in (None, check):
                rows.append(self._own("Notice", {"raise": "analyzer"}))
        await self._commit(rows)
        self.synced, self.lost = True, False
        self._changed()

    async def _disconnected(self, frame: Frame) -> None:
        self.synced = False
        if frame["tries"] == 1:
            self._hub.abort_items(self.task_id, "The connection to the agent was lost.")
        if frame["tries"] >= _PATIENCE and not self.lost:
            self.lost = True
            facts = await self._journal.facts(self.task_id)
            if not facts.lost and facts.status in ("running", "waiting_for_confirmation"):
                await self._commit([self._own("RuntimePhase", {"phase": "lost", "reason": frame["reason"]})])
        self._changed()

    def _own(self, kind: str, data: dict[str, Any]) -> NewEvent:
        return NewEvent(
            id=str(uuid.uuid4()), kind=kind, source="twinseat", data=data, conversation_id=self.conversation_id
        )

    def _row(self, frame: Frame) -> NewEvent | None:
        event, seq = frame.get("event"), frame.get("seq")
        if not isinstance(event, dict) or not isinstance(seq, int) or not isinstance(event.get("id"), str):
            log.warning("not an event", conversation=self.conversation_id, seq=seq)
            return None
        event_id, kind = str(event["id"]), str(event.get("kind"))
        if kind == "ConversationErrorEvent" and (problem := self._explain()) is not None:
            event = {**event, ANNOTATION: problem}
        return NewEvent(
            id=event_id,
            kind=kind,
            source=source_of(event.get("source")),
            data=event,
            at=_when(event.get("timestamp")),
            conversation_id=self.conversation_id,
            seq=seq,
        )


def _when(timestamp: object) -> datetime:
    """Upstream's times are naive and in its own zone; for a local agent-server that is ours."""
    try:
        return datetime.fromisoformat(str(timestamp)).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)
