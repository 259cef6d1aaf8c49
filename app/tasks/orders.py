"""What the agent-server is told for a task, one order at a time, from what the journal says is wanted."""

from collections.abc import Awaitable, Callable

import structlog

from app.agent.blueprint import ANALYZER, start_request
from app.agent.client import AgentClient
from app.storage.conversations import Conversation
from app.storage.facts import Alarm, Facts, fingerprint, policy
from app.tasks.surroundings import Surroundings

Until = Callable[[Callable[[Facts], bool], float], Awaitable[bool]]

_EFFECT = 10.0
"""Seconds for an order's effect to show in the events."""

_ALARMS = {
    "policy": "The rule for when the agent has to ask was changed, and not by you.",
    "analyzer": "The safety check of the agent's actions was changed, and not by you.",
    "approval": "Actions that waited for your approval were carried out without it.",
}

_LEFT_OVER = "It was interrupted, or it was not approved; it was not carried out."

log = structlog.get_logger()


class Orders:
    """`resume` is the one order that is not in the journal: it is lost with the process, and the user asks again."""

    def __init__(self, task_id: str, workspace_id: str, around: Surroundings, until: Until) -> None:
        self.resume = False
        self._task_id = task_id
        self._workspace_id = workspace_id
        self._around = around
        self._until = until

    async def waiting(self) -> bool:
        """Whether something is to be sent."""
        return self.resume or bool(await self._around.journal.outbox.pending(self._task_id))

    async def next(self, conversation: Conversation) -> bool:
        """Give the next order to a synchronised conversation; False when there is none."""
        facts = await self._around.journal.facts(self._task_id)
        if facts.alarm is not None:
            await self._answer(conversation, facts.alarm)
            return True
        if await self._adjust(conversation):
            return True
        if facts.status == "waiting_for_confirmation":
            return await self._decide(conversation, facts)
        if facts.rejected is not None and facts.status == "idle":
            await self._after_rejection(conversation, facts, stop=facts.rejected.stop)
            return True
        if facts.status != "running" and await self.waiting():
            await self._drop_left_over(conversation, facts)
        if await self._forward(conversation, facts):
            return True
        if self.resume:
            self.resume = False
            if facts.state != "running":
                await self._client().run(conversation.id)
            return True
        return False

    async def conversation(self) -> Conversation:
        """The task's main conversation, made at the agent-server."""
        journal = self._around.journal
        conversation = await journal.conversations.main(self._task_id)
        if conversation is None:
            conversation = await journal.conversations.add(self._task_id)
        if conversation.made:
            return conversation
        task = await journal.tasks.get(self._task_id)
        place = self._around.reach.place(self._workspace_id)
        choice = await self._around.models(task.model_id, await journal.tokens.issue(self._task_id))
        request = start_request(conversation.id, place.folder, place.trusted, choice.llm, task.mode)
        await self._client().create(request)
        await journal.conversations.update(conversation.id, made=1, mode=task.mode, model_id=choice.id)
        await journal.tasks.update(self._task_id, model_id=choice.id, model_name=choice.name)
        self._around.announcer.announce(self._task_id)
        return await journal.conversations.main(self._task_id) or conversation

    async def begin_anew(self) -> None:
        """The agent-server lost the conversation: begin another one. The history here stays."""
        conversations = self._around.journal.conversations
        former = await conversations.main(self._task_id)
        if former is not None:
            await conversations.update(former.id, settled=1)
        fresh = await conversations.add(self._task_id)
        text = "The agent no longer has this conversation, so it begins anew and does not remember what is above."
        await self._around.tell(
            self._task_id, "Notice", {"level": "warning", "recreated": True, "text": text}, fresh.id
        )

    def _client(self) -> AgentClient:
        return self._around.reach.client(self._workspace_id)

    async def _adjust(self, conversation: Conversation) -> bool:
        """Mode and model as the user set them."""
        journal = self._around.journal
        task = await journal.tasks.get(self._task_id)
        if conversation.mode != task.mode:
            await self._client().set_policy(conversation.id, policy(task.mode))
            await journal.conversations.update(conversation.id, mode=task.mode)
        elif task.model_id is not None and conversation.model_id != task.model_id:
            choice = await self._around.models(task.model_id, await journal.tokens.issue(self._task_id))
            await self._client().switch_llm(conversation.id, choice.llm)
            await journal.conversations.update(conversation.id, model_id=choice.id)
            await journal.tasks.update(self._task_id, model_name=choice.name)
            self._around.announcer.announce(self._task_id)
        else:
            return False
        fresh = await journal.conversations.main(self._task_id)
        return fresh is None or not await self._adjust(fresh)

    async def _decide(self, conversation: Conversation, facts: Facts) -> bool:
        """Pass the user's decision on. The agent-server knows only yes or no to all that wait together."""
        if facts.rejected is not None:
            reason = facts.rejected.reason or "The user rejected the action."
            await self._client().respond(conversation.id, accept=False, reason=reason)
        elif facts.actions and all(action in facts.approved for action in facts.actions):
            await self._client().respond(conversation.id, accept=True)
        else:
            return False
        return await self._until(lambda now: now.status != "waiting_for_confirmation", _EFFECT)

    async def _drop_left_over(self, conversation: Conversation, facts: Facts) -> None:
        """At the agent-server any run carries out what is open, whatever it waited for. Its state is in files that the
        agent can write to, so that it says nothing of an action's being approved."""
        if any(action not in facts.approved for action in facts.actions):
            await self._client().respond(conversation.id, accept=False, reason=_LEFT_OVER)

    async def _after_rejection(self, conversation: Conversation, facts: Facts, *, stop: bool) -> None:
        """Stop, or go on: with what the user said meanwhile, if anything."""
        if stop:
            await self._client().pause(conversation.id)
        elif not await self._forward(conversation, facts):
            await self._client().run(conversation.id)
        await self._until(lambda now: now.rejected is None, _EFFECT)

    async def _forward(self, conversation: Conversation, facts: Facts) -> bool:
        """Send the oldest message. One that was on its way when its answer got lost is sent again only if the
        conversation, synchronised since, does not have it."""
        outbox = self._around.journal.outbox
        pending = await outbox.pending(self._task_id)
        if not pending:
            return False
        message = pending[0]
        arrived = all(one.message.id != message.id for one in facts.awaited)
        if not (message.state == "sending" and arrived):
            await outbox.mark(self._task_id, message.id, "sending")
            await self._client().send(conversation.id, message.content)
        await outbox.mark(self._task_id, message.id, "sent")
        self.resume = False  # the message made it run
        return True

    async def _answer(self, conversation: Conversation, alarm: Alarm) -> None:
        """Somebody else gave orders to the agent: stop it, put our rule back, say so."""
        client = self._client()
        await client.interrupt(conversation.id)
        task = await self._around.journal.tasks.get(self._task_id)
        await client.set_policy(conversation.id, policy(task.mode))
        await client.set_analyzer(conversation.id, ANALYZER)
        check = fingerprint((await client.conversation(conversation.id)).get("security_analyzer"))
        text = f"{_ALARMS.get(alarm.what, _ALARMS['policy'])} The task was stopped."
        log.warning("foreign order", task=self._task_id, what=alarm.what)
        await self._around.tell(
            self._task_id,
            "Notice",
            {"level": "warning", "alarm": alarm.position, "analyzer": check, "text": text},
            conversation.id,
        )
