"""`/ws/agent`: one socket for everything that happens.

The client names the tasks that it looks at and the position it has seen; frames are those of app.agent.hub. A client
that sends rubbish is told what is wrong with it, and after a while of it the socket is closed.
"""

import asyncio
import contextlib
import json
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, WebSocket
from pydantic import Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocketDisconnect

from app.agent.hub import Frame, Subscription
from app.problems import Fault
from app.schemas import Problem, Shape
from app.server.parts import Caller, Has, Parts

PROTOCOL = "twinseat.v1"
MESSAGE_BYTES = 64 << 10
MOST_MISTAKES = 50

log = structlog.get_logger()
router = APIRouter()


class Subscribe(Shape):
    """Follow a task. `after` null means only what is new: the history was loaded otherwise."""

    type: Literal["subscribe"]
    task: Annotated[str, Field(max_length=100)]
    after: Annotated[int | None, Field(ge=0, le=2**53)] = None


class Unsubscribe(Shape):
    type: Literal["unsubscribe"]
    task: Annotated[str, Field(max_length=100)]


class Ping(Shape):
    type: Literal["ping"]


_REQUEST: TypeAdapter[Subscribe | Unsubscribe | Ping] = TypeAdapter(
    Annotated[Subscribe | Unsubscribe | Ping, Field(discriminator="type")]
)


@router.websocket("/ws/agent")
async def agent_socket(websocket: WebSocket, parts: Has, caller: Caller) -> None:
    if PROTOCOL not in websocket.scope["subprotocols"]:
        await websocket.close(1002, f"offer the subprotocol {PROTOCOL}")
        return
    await websocket.accept(PROTOCOL)
    subscription = parts.hub.subscribe()
    parts.clients.came()
    ended = parts.sessions.ended(caller)
    work = [
        asyncio.create_task(_listen(websocket, parts, caller, subscription)),
        asyncio.create_task(_speak(websocket, subscription)),
        asyncio.create_task(_until(ended)),
    ]
    try:
        done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            error = task.exception()
            if error is not None and not isinstance(error, WebSocketDisconnect | OSError):
                log.error("socket failed", exc_info=error)
    finally:
        subscription.close()
        parts.clients.left()
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, OSError):
            await websocket.close(1008 if ended.is_set() else 1013)


async def _until(ended: asyncio.Event) -> None:
    await ended.wait()


async def _speak(websocket: WebSocket, subscription: Subscription) -> None:
    """Returns when the subscription is over, as for a client that was too slow."""
    async for frame in subscription:
        await websocket.send_text(json.dumps(frame, separators=(",", ":"), ensure_ascii=False))


async def _listen(websocket: WebSocket, parts: Parts, caller: Caller, subscription: Subscription) -> None:
    """Returns when the client is gone, has signed out or sends nothing but rubbish."""
    mistakes = 0
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect" or not parts.sessions.still(caller):
            return
        try:
            await _answer(message.get("text") or "", parts, subscription)
        except Fault as fault:
            subscription.offer(_error(fault.problem()))
        except ValidationError as error:
            mistakes += 1
            if mistakes > MOST_MISTAKES:
                return
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(step) for step in first["loc"])
            subscription.offer(_error(_rubbish(f"{where}: {first['msg']}" if where else first["msg"])))


async def _answer(text: str, parts: Parts, subscription: Subscription) -> None:
    match _REQUEST.validate_json(text):
        case Ping():
            subscription.offer({"type": "pong"})
        case Unsubscribe(task=task):
            subscription.unfollow(task)
        case Subscribe(task=task, after=after):
            try:
                await parts.tasks.get(task)
            except Fault as fault:
                subscription.offer({**_error(fault.problem()), "task": task})
                return
            subscription.follow(task, after, await parts.journal.position(task))


def _error(problem: Problem) -> Frame:
    return {"type": "error", "problem": problem.model_dump(exclude_none=True)}


def _rubbish(reason: str) -> Problem:
    return Problem(
        code="bad-frame",
        status=400,
        title="Not a frame",
        detail=f"The socket does not understand this: {reason}.",
        remedy="Send subscribe, unsubscribe or ping, as docs/api.md has them.",
    )
