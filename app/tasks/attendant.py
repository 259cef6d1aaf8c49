"""Looks after one live task: sees to it that what was committed here happens at the agent-server.

The journal says what is wanted (messages in the outbox, approvals, the mode) and, through the relay, what is. One pass
compares the two and takes the next step; nothing that a crash could lose is kept here. Every step that changes
something upstream is taken once: when its answer is lost, the conversation is synchronised again before anything else,
and its events then say whether the step was taken.
"""

import asyncio
from collections.abc import Callable

import structlog

from app.agent.client import NoSuchConversation, Unanswered
from app.problems import Fault, describe
from app.runtimes.contract import RuntimeNotReady
from app.schemas import Problem, TaskState
from app.storage.facts import Facts
from app.tasks.line import Line
from app.tasks.orders import Orders
from app.tasks.surroundings import Surroundings

LINGER = 60.0
"""Seconds that the session socket of a task at rest stays open."""

AT_REST: frozenset[TaskState] = frozenset({"idle", "paused", "finished", "failed", "interrupted", "stopped"})

_RETRY = 0.2
_REPAIR = 5.0

log = structlog.get_logger()


class Attendant:
    """`wake` it after every change. It works until the task has been at rest for a while; then `done` is true.

    `warm` has it make the conversation before there is a message.
    """

    def __init__(
        self, task_id: str, workspace_id: str, around: Surroundings, *, warm: bool = False, linger: float = LINGER
    ) -> None:
        self.task_id = task_id
        self.workspace_id = workspace_id
        self._around = around
        self._linger = linger
        self._orders = Orders(task_id, workspace_id, around, self.until)
        self._line = Line(task_id, workspace_id, around, self._changed)
        self._wake = asyncio.Event()
        self._seen = asyncio.Event()
        self._asked = warm
        self._failed = False
        self._decisive: tuple[object, ...] = ()
        self._unwatch = around.reach.watch(workspace_id, self._wake.set)
        self._work = asyncio.create_task(self._run(), name=f"attendant {task_id}")

    @property
    def done(self) -> bool:
        return self._work.done()

    def wake(self) -> None:
        """The user wants something: try, whatever failed before."""
        self._asked = True
        self._wake.set()

    def resume(self) -> None:
        self._orders.resume = True
        self.wake()

    async def close(self) -> None:
        """Stop looking after it. An agent at work goes on; the next start synchronises."""
        if not self.done:
            await self._settle()
        self._work.cancel()
        await asyncio.gather(self._work, return_exceptions=True)

    async def until(self, reached: Callable[[Facts], bool], seconds: float) -> bool:
        """Wait for the task's facts to be so, at most this long."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    seen = self._seen
                    if reached(await self._facts()):
                        return True
                    await seen.wait()
        except TimeoutError:
            return False

    def _changed(self) -> None:
        """The relay stored something, or its connection changed. Only what may call for a step wakes us."""
        self._around.announcer.announce(self.task_id)
        seen, self._seen = self._seen, asyncio.Event()
        seen.set()
        facts = self._around.journal.facts_now(self.task_id)
        if facts is None:
            return
        decisive = (
            facts.status,
            facts.alarm,
            facts.rejected,
            len(facts.approved),
            len(facts.awaited),
            facts.state in AT_REST,
            self._line.condition,
        )
        if decisive != self._decisive:
            self._decisive = decisive
            self._wake.set()

    async def _run(self) -> None:
        try:
            while True:
                self._wake.clear()
                pause = await self._attend()
                try:
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                except TimeoutError:
                    if pause == self._linger and await self._settle() and not self._wake.is_set():
                        return
        except Fault as exc:
            if exc.code != "not-found":
                raise
            # The task was deleted, or its workspace.
        finally:
            self._unwatch()
            await self._line.close()

    async def _attend(self) -> float | None:
        """One pass. Returns for how long to wait for a change."""
        try:
            while await self._step():
                pass
        except NoSuchConversation:
            await self._line.close()
            await self._orders.begin_anew()
            return 0
        except (Unanswered, RuntimeNotReady):
            # What became of it is unknown: the events after the next synchronisation tell.
            await self._line.close()
            return _RETRY
        except Fault as exc:
            if exc.code == "not-found":
                raise
            await self._fail(exc.problem())
            return None
        except Exception as exc:
            log.exception("attendant failed", task=self.task_id)
            await self._fail(describe(exc, "the journal"))
            return _REPAIR
        return self._linger if (await self._facts()).state in AT_REST else None

    async def _step(self) -> bool:
        """Take the next step; True when there may be another."""
        if self._failed and not self._asked and not self._around.reach.ready(self.workspace_id):
            return False
        if not self._around.reach.ready(self.workspace_id) and not await self._started():
            return False
        self._failed = False
        conversation = await self._orders.conversation()
        self._asked = False
        if not await self._line.open(conversation):
            return False  # not synchronised yet; it wakes us
        return await self._orders.next(conversation)

    async def _started(self) -> bool:
        """Start the runtime, if anything calls for it. Raises Fault when it does not come up."""
        facts = await self._facts()
        wanted = self._asked or await self._orders.waiting()
        if wanted:
            await self._around.tell(self.task_id, "RuntimePhase", {"phase": "starting"})
        elif self._line.is_open:
            return False  # the relay tries on, and says when the agent is lost or back
        elif facts.state not in AT_REST and not facts.lost:
            await self._around.tell(self.task_id, "RuntimePhase", {"phase": "lost", "reason": "not connected yet"})
        await self._around.reach.wait(self.workspace_id)
        if wanted:
            await self._around.tell(self.task_id, "RuntimePhase", {"phase": "ready"})
        return True

    async def _fail(self, problem: Problem) -> None:
        self._failed, self._asked, self._orders.resume = True, False, False
        await self._line.close()
        try:
            data = {"phase": "failed", "problem": problem.model_dump(mode="json")}
            await self._around.tell(self.task_id, "RuntimePhase", data)
        except Exception:
            # Not even that can be stored, as on a full disk: at least those who look now are told.
            log.exception("could not store a failure", task=self.task_id)
            frame = {"type": "error", "task": self.task_id, "problem": problem.model_dump(exclude_none=True)}
            self._around.hub.publish(frame)

    async def _settle(self) -> bool:
        """Whether it may be left alone: at rest, synchronised, nothing to send."""
        if (await self._facts()).state not in AT_REST or await self._orders.waiting():
            return False
        await self._line.settle()
        return True

    async def _facts(self) -> Facts:
        return await self._around.journal.facts(self.task_id)
