"""The agent-server's session socket, `/sockets/session/{id}?after_seq=N`, as frames that never end by accident.

Protocol: openhands.agent_server.session_protocol (1.58). Every event that is on the agent-server's disk comes as
`durable` with its number, at least once across reconnects; `sync` comes first on each connection. The snapshot of the
whole state (`transient`, `full_state`) comes after everything that `sync` announced, so it marks the end of a replay.

Taking that snapshot waits for the conversation's lock, which is fair: a message that was waiting to be put into the
conversation is in it, and in the replay, by the time of `sync`. The outbox relies on that.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import aiohttp

from app.agent.client import AgentClient
from app.problems import Fault
from app.runtimes.contract import RuntimeNotReady

Frame = dict[str, Any]
Connect = Callable[[], AgentClient]
"""A client of the agent-server as it is now; raises RuntimeNotReady or Fault while there is none."""

GONE = 4004
_SLOWEST = 2.0


async def frames(
    connect: Connect, conversation_id: str, cursor: Callable[[], Awaitable[int | None]]
) -> AsyncGenerator[Frame]:
    """The frames, across reconnects with back-off, each resumed after what `cursor` says is stored.

    Two of our own: `lost` after a connection ended or could not be made, with `tries` since the last good one, and
    `gone`, after which nothing comes, when the agent-server does not know the conversation.
    """
    tries = 0
    while True:
        try:
            websocket = await _open(connect(), conversation_id, await cursor())
        except (aiohttp.ClientError, TimeoutError, OSError, RuntimeNotReady, Fault) as exc:
            tries += 1
            yield {"type": "lost", "tries": tries, "reason": str(exc)}
            await asyncio.sleep(min(0.05 * 2**tries, _SLOWEST))
            continue
        try:
            async for message in websocket:
                if message.type is aiohttp.WSMsgType.TEXT and (frame := _parse(message.data)) is not None:
                    tries = 0
                    yield frame
        except aiohttp.ClientError:
            pass
        finally:
            await websocket.close()
        if websocket.close_code == GONE:
            yield {"type": "gone"}
            return
        tries += 1
        yield {"type": "lost", "tries": tries, "reason": f"the connection ended ({websocket.close_code})"}
        await asyncio.sleep(min(0.05 * 2**tries, _SLOWEST))


async def _open(client: AgentClient, conversation_id: str, after: int | None) -> aiohttp.ClientWebSocketResponse:
    after_seq = -1 if after is None else after
    async with asyncio.timeout(10):
        websocket = await client.socket(f"sockets/session/{conversation_id}?after_seq={after_seq}")
        await websocket.send_json(
            {"type": "auth", "session_api_key": client.endpoint.headers.get("X-Session-API-Key", "")}
        )
    return websocket


def _parse(text: str) -> Frame | None:
    """A frame, or None for what is none: rubbish on the socket costs that frame, not the connection."""
    try:
        frame = json.loads(text)
    except ValueError:
        return None
    return frame if isinstance(frame, dict) and isinstance(frame.get("type"), str) else None
