"""The tasks: what the API, the command line and the gateway ask for.

A message or an approval is committed first and carried out after, by the task's attendant; so an answer here means
"will happen", whatever dies next.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy import Connection

from app.agent.blueprint import message_content
from app.agent.client import AgentClient, NoSuchConversation
from app.agent.hub import Hub
from app.problems import Fault
from app.runtimes.contract import RuntimeNotReady
from app.schemas import Event, Mode, NewMessage, NewTask, Problem, Task, TaskPatch, Tasks
from app.storage.facts import Facts, digest
from app.storage.journal import Journal, NewEvent
from app.storage.outbox import Outbox
from app.tasks.attendant import AT_REST, LINGER, Attendant
from app.tasks.meter import Meter
from app.tasks.models import Models
from app.tasks.reach import Lookup, Reach
from app.tasks.surroundings import Surroundings
from app.tasks.view import Announcer, view

TITLE = 80
"""Longest title made from a message."""

_WITHOUT_PLACE = Problem(
    code="workspace-forgotten",
    status=409,
    title="Its workspace was removed",
    detail="The task was stopped, since its workspace was removed from Twinseat. The folder is untouched.",
    remedy="Open the folder again and start a new task there.",
)
_EFFECT = 3.0
"""Seconds that an answer waits for the effect of a pause or an interrupt."""


class TaskService:
    """`default_mode` and `default_budget` are the settings' as of now. `meter` is what the gateway reports to."""

    def __init__(
        self,
        journal: Journal,
        hub: Hub,
        lookup: Lookup,
        models: Models,
        *,
        default_mode: Mode = "ask_risky",
        default_budget: float | None = None,
        linger: float = LINGER,
    ) -> None:
        self.default_mode: Mode = default_mode
        self.default_budget = default_budget
        self._journal = journal
        self._hub = hub
        self._reach = Reach(lookup)
        self._troubles: dict[str, Problem] = {}
        self._announcer = Announcer(journal, hub, self._troubles)
        self._linger = linger
        self._attendants: dict[str, Attendant] = {}
        self._orders: set[asyncio.Task[None]] = set()
        self.meter = Meter(journal, self._announcer, self._over, self._troubles)
        self._around = Surroundings(journal, hub, self._reach, models, self._announcer, self.meter.explain)

    async def recover(self) -> None:
        """At start: synchronise every conversation that was not at rest, and send what waits."""
        waiting = set(await self._journal.outbox.tasks())
        waiting.update(one.task_id for one in await self._journal.conversations.unsettled())
        for task_id in sorted(waiting):
            try:
                await self._attend(task_id)
            except Fault as fault:  # its workspace is not there any more: no reason for nothing to start
                await self._abandon(task_id, fault.problem())

    async def leave(self, workspace_id: str) -> None:
        """Before a workspace is forgotten: stop what its tasks do. Their history stays, and says so."""
        for task_id, attendant in list(self._attendants.items()):
            if attendant.workspace_id != workspace_id:
                continue
            with contextlib.suppress(Fault):
                await self.interrupt(task_id)
            del self._attendants[task_id]
            await attendant.close()
            await self._abandon(task_id, _WITHOUT_PLACE)

    async def close(self) -> None:
        """Stop looking after the tasks; agents at work go on."""
        for order in self._orders:
            order.cancel()
        await asyncio.gather(*self._orders, return_exceptions=True)
        await asyncio.gather(*(one.close() for one in self._attendants.values()))
        await self._announcer.close()
        await self._reach.close()

    # ── the user ──

    async def create(self, new: NewTask) -> Task:
        """Raises Fault when there is no such workspace."""
        self._reach.place(new.workspace_id)
        task_id = uuid.uuid4().hex
        await self._journal.tasks.add(
            task_id=task_id,
            workspace_id=new.workspace_id,
            title=new.title or "New task",
            titled=new.title is not None,
            mode=new.mode or self.default_mode,
            model_id=new.model_id,
            budget_usd=new.budget_usd if new.budget_usd is not None else self.default_budget,
        )
        self._announcer.announce(task_id)
        if new.message is not None:
            await self.send(task_id, new.message)
        else:
            await self._attend(task_id, warm=True)
        return await self.get(task_id)

    async def list(
        self, query: str | None = None, workspace: str | None = None, limit: int = 50, before: str | None = None
    ) -> Tasks:
        rows, more = await self._journal.tasks.list(query, workspace, limit, before)
        totals = await self._journal.usage.totals([row.id for row in rows])
        return Tasks(tasks=[view(row, totals[row.id], self._troubles.get(row.id)) for row in rows], more=more)

    async def get(self, task_id: str) -> Task:
        row, usage = await self._journal.tasks.get(task_id), await self._journal.usage.total(task_id)
        return view(row, usage, self._troubles.get(task_id))

    async def patch(self, task_id: str, patch: TaskPatch) -> Task:
        """Fields that are set are changed; `budget_usd` set to null lifts the budget."""
        row = await self._journal.tasks.get(task_id)
        fields: dict[str, Any] = {}
        if patch.title is not None:
            fields |= {"title": patch.title.strip() or row.title, "titled": 1}
        if patch.model_id is not None:
            fields["model_id"] = patch.model_id
        if "budget_usd" in patch.model_fields_set:
            fields["budget_usd"] = patch.budget_usd
        if patch.mode is not None and patch.mode != row.mode:
            fields["mode"] = patch.mode
            # Before the row changes: the attendant must not send a policy that the journal does not expect.
            await self._around.tell(task_id, "ModeChange", {"mode": patch.mode, "former": row.mode})
        if fields:
            await self._journal.tasks.update(task_id, **fields)
        attendant = self._attendants.get(task_id)
        if attendant is not None and not attendant.done:
            attendant.wake()
        self._announcer.announce(task_id)
        return await self.get(task_id)

    async def delete(self, task_id: str) -> None:
        """With its history, here and at the agent. The workspace's files stay."""
        row = await self._journal.tasks.get(task_id)
        attendant = self._attendants.pop(task_id, None)
        if attendant is not None:
            await attendant.close()
        for conversation in await self._journal.conversations.of_task(task_id):
            if conversation.made and (client := self._client(row.workspace_id)) is not None:
                try:
                    await client.interrupt(conversation.id)
                    await client.delete(conversation.id)
                except Fault:
                    pass  # gone already, or not to be reached: nothing of it can call a model any more
        await self._journal.delete(task_id)
        self._hub.forget(task_id)
        self.meter.forget(task_id)
        self._hub.publish({"type": "status", "task": task_id, "state": None})

    async def send(self, task_id: str, message: NewMessage) -> Event:
        """Commit the message and have it sent. The same id again returns what was stored the first time."""
        row = await self._journal.tasks.get(task_id)
        self._reach.place(row.workspace_id)  # nothing is accepted that could never be sent
        content = message_content(message)
        conversation = await self._journal.conversations.main(task_id)
        new = NewEvent(
            id=message.id or uuid.uuid4().hex,
            kind="UserMessage",
            source="user",
            data={**message.model_dump(mode="json", exclude={"id"}), "digest": digest(content)},
            conversation_id=None if conversation is None else conversation.id,
        )

        def enqueue(connection: Connection, events: list[Event]) -> None:
            Outbox.put(connection, task_id, new.id, events[0].position, content)

        committed = await self._journal.append(task_id, [new], enqueue)
        if not committed:
            known = await self._journal.find(task_id, new.id)
            if known is None:
                raise _not_stored()
            return known
        if not row.titled and committed[0].position == 1:
            first = message.text.strip().splitlines()[0].strip()
            await self._journal.tasks.update(task_id, title=first if len(first) <= TITLE else first[: TITLE - 1] + "…")
        self.meter.forget(task_id)
        self._around.spread(committed)
        (await self._attend(task_id)).wake()
        return committed[0]

    async def pause(self, task_id: str) -> Task:
        """Let the current step end, then hold. During a long command that takes as long as the command."""
        row = await self._journal.tasks.get(task_id)
        if row.facts.state == "waiting":
            return await self._stop_waiting(task_id)
        if row.facts.state == "running":
            client, conversation_id = await self._live(task_id, row.workspace_id)
            await asyncio.wait({self._aside(client.pause(conversation_id))}, timeout=1)
        return await self.get(task_id)

    async def interrupt(self, task_id: str) -> Task:
        """Stop now, also in the middle of a command or an answer of the model."""
        row = await self._journal.tasks.get(task_id)
        if row.facts.state == "waiting":
            return await self._stop_waiting(task_id)
        if row.facts.state in ("running", "stopped"):
            client, conversation_id = await self._live(task_id, row.workspace_id)
            await client.interrupt(conversation_id)
            await self._until(task_id, lambda now: now.status != "running")
        return await self.get(task_id)

    async def resume(self, task_id: str) -> Task:
        """Go on after a pause, an interrupt, a failure or a budget stop. Raises 409 while an approval is due."""
        row = await self._journal.tasks.get(task_id)
        if row.facts.state == "waiting":
            raise Fault(
                code="needs-approval",
                status=409,
                title="It waits for your approval",
                detail="The agent waits for you to approve or reject what it wants to do.",
                remedy="Approve or reject the action.",
            )
        if row.facts.state in AT_REST:
            self.meter.forget(task_id)
            (await self._attend(task_id)).resume()
        return await self.get(task_id)

    async def approve(self, task_id: str, action_id: str) -> Task:
        """Let the agent take this action. It acts once all that wait together are approved. 409 `not-pending`."""
        await self._decide(task_id, action_id, {"decision": "approved"})
        return await self.get(task_id)

    async def reject(self, task_id: str, action_id: str, reason: str = "") -> Task:
        """Refuse the action, and with it those that wait together with it. 409 `not-pending`."""
        await self._decide(task_id, action_id, {"decision": "rejected", "reason": reason})
        return await self.get(task_id)

    # ── inside ──

    async def _over(self, task_id: str, data: dict[str, Any]) -> None:
        """The meter found the budget used up."""
        await self._around.tell(task_id, "BudgetStop", data)
        self._aside(self.interrupt(task_id))

    def _aside(self, order: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        """Carry out an order that nobody waits for."""
        task = asyncio.create_task(_quietly(order))
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)
        return task

    async def _attend(self, task_id: str, *, warm: bool = False) -> Attendant:
        attendant = self._attendants.get(task_id)
        if attendant is None or attendant.done:
            row = await self._journal.tasks.get(task_id)
            attendant = self._attendants.get(task_id)
            if attendant is None or attendant.done:
                attendant = Attendant(task_id, row.workspace_id, self._around, warm=warm, linger=self._linger)
                self._attendants[task_id] = attendant
        return attendant

    async def _decide(self, task_id: str, action_id: str, data: dict[str, Any], stop: bool = False) -> None:
        def still_pending(facts: Facts) -> None:
            if all(one.id != action_id for one in facts.pending):
                raise _not_pending()

        await self._journal.tasks.get(task_id)
        conversation = await self._journal.conversations.main(task_id)
        row = NewEvent(
            id=f"decision-{action_id}",
            kind="Approval",
            source="user",
            data={"action_id": action_id, "stop": stop, **data},
            conversation_id=None if conversation is None else conversation.id,
        )
        committed = await self._journal.append(task_id, [row], given=still_pending)
        if not committed:
            raise _not_pending()
        self._around.spread(committed)
        (await self._attend(task_id)).wake()

    async def _stop_waiting(self, task_id: str) -> Task:
        """The agent-server ignores an interrupt while it waits, and a later run would approve: so reject and pause."""
        facts = await self._journal.facts(task_id)
        if facts.pending:
            data = {"decision": "rejected", "reason": "The user stopped the task."}
            await self._decide(task_id, facts.pending[0].id, data, stop=True)
            await self._until(task_id, lambda now: now.rejected is None)
        return await self.get(task_id)

    async def _until(self, task_id: str, reached: Callable[[Facts], bool]) -> None:
        await (await self._attend(task_id)).until(reached, _EFFECT)

    async def _abandon(self, task_id: str, problem: Problem) -> None:
        """Nothing more can come of it where it is."""
        if (await self._journal.facts(task_id)).state not in AT_REST:
            data = {"phase": "failed", "problem": problem.model_dump(mode="json")}
            await self._around.tell(task_id, "RuntimePhase", data)

    async def _live(self, task_id: str, workspace_id: str) -> tuple[AgentClient, str]:
        conversation = await self._journal.conversations.main(task_id)
        client = self._client(workspace_id)
        if conversation is None or not conversation.made or client is None:
            raise Fault(
                code="agent-not-ready",
                status=409,
                title="The agent can't be reached",
                detail="The agent's server is not running at the moment, so there is nothing to stop.",
                remedy="Wait until it is back, or press Continue to start it.",
            )
        return client, conversation.id

    def _client(self, workspace_id: str) -> AgentClient | None:
        try:
            return self._reach.client(workspace_id)
        except (RuntimeNotReady, Fault):
            return None


async def _quietly(order: Coroutine[Any, Any, object]) -> None:
    """Carry out an order whose failure shows in the task's state anyway."""
    try:
        await order
    except (Fault, NoSuchConversation, RuntimeNotReady):
        return


def _not_pending() -> Fault:
    return Fault(
        code="not-pending",
        status=409,
        title="No longer pending",
        detail="This action does not wait for approval any more: it was decided, or the agent moved on.",
        remedy="Nothing needs to be done.",
    )


def _not_stored() -> Fault:
    return Fault(
        code="id-in-use",
        status=409,
        title="The id is taken",
        detail="Another event of this task already has this id.",
        remedy="Send the message with a new id.",
    )
