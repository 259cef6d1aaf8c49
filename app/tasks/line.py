"""The open line of a task to its agent: the relay of its conversation, kept while the task is live."""

import asyncio
from collections.abc import Callable

from app.agent.client import NoSuchConversation
from app.agent.relay import Relay
from app.storage.conversations import Conversation
from app.tasks.surroundings import Surroundings


class Line:
    def __init__(self, task_id: str, workspace_id: str, around: Surroundings, changed: Callable[[], None]) -> None:
        self._task_id = task_id
        self._workspace_id = workspace_id
        self._around = around
        self._changed = changed
        self._relay: Relay | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        return self._relay is not None

    @property
    def condition(self) -> object:
        """Changes when what `open` returns may have changed."""
        return None if self._relay is None else (self._relay.synced, self._relay.gone)

    async def open(self, conversation: Conversation) -> bool:
        """Have the conversation relayed; true once it is synchronised.

        Raises NoSuchConversation when the agent-server does not have it, and whatever ended the relay.
        """
        if self._running is not None and self._running.done():
            relay, error = self._relay, None if self._running.cancelled() else self._running.exception()
            self._relay = self._running = None
            if isinstance(error, ExceptionGroup):
                error = error.exceptions[0]
            if error is not None:
                raise error
            if relay is not None and relay.gone:
                raise NoSuchConversation(
                    code="no-such-conversation",
                    status=404,
                    title="The agent has forgotten this conversation",
                    detail="The agent's server does not have this conversation any more.",
                )
        if self._relay is None or self._relay.conversation_id != conversation.id:
            await self.close()
            if conversation.settled:
                await self._around.journal.conversations.update(conversation.id, settled=0)
            self._relay = Relay(
                self._task_id,
                conversation.id,
                journal=self._around.journal,
                hub=self._around.hub,
                connect=lambda: self._around.reach.client(self._workspace_id),
                changed=self._changed,
                explain=lambda: self._around.explain(self._task_id),
            )
            self._running = asyncio.create_task(self._relay.run(), name=f"relay {self._task_id}")
            self._running.add_done_callback(lambda _: self._changed())
        return self._relay.synced

    async def settle(self) -> None:
        """All that the agent-server had is here, and nothing more will come: the next start need not look."""
        if self._relay is not None and self._relay.synced:
            await self._around.journal.conversations.update(self._relay.conversation_id, settled=1)

    async def close(self) -> None:
        running, self._running, self._relay = self._running, None, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
