"""A scripted model behind OpenAI's chat/completions: streaming or not, with tool calls, reasoning and faults.

    python -m app.demo.model --port 0 --pace 0.02

prints its base URL. The model's name chooses the script (`todo`, `edits-50`, `shell-50`, `ask`, `stream-2000`, `echo`)
or the fault (`fault-401`, …). `build()` is the same as an ASGI app, `start()` the same in the running loop.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import re
import socket
import sys
import time
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.demo import faults, scripts
from app.demo.chat import Chat, Json, Turn, message, parse

NAME = "Scripted demo"
"""What the model is called on screen."""
PACE = 0.02
"""Seconds a token, as a mid-sized hosted model would have it."""

_TOKENS = re.compile(r"\s*\S+\s?|\s+")


@dataclass(frozen=True)
class Options:
    """How the server behaves. `pace` is seconds a token; `slow` what `fault-slow` waits; `key` is required when set."""

    pace: float = PACE
    slow: float = 30.0
    key: str | None = None
    script: str | None = None


def build(pace: float = PACE, *, slow: float = 30.0, key: str | None = None, script: str | None = None) -> Starlette:
    """The server as an ASGI app with the routes `/v1/models` and `/v1/chat/completions`."""
    server = _Server(Options(pace, slow, key, script))
    routes = [
        Route("/v1/models", server.models),
        Route("/v1/chat/completions", server.completions, methods=["POST"]),
    ]
    return Starlette(routes=routes)


class Running:
    """A started server: its base URL (`http://127.0.0.1:PORT/v1`), the key it asks for, and the way to stop it."""

    def __init__(self, url: str, key: str | None, server: uvicorn.Server, task: asyncio.Task[None]) -> None:
        self.url = url
        self.key = key
        self._server = server
        self._task = task

    async def stop(self) -> None:
        """Stop serving; streams in flight are cut."""
        self._server.should_exit = self._server.force_exit = True
        await self._task


async def start(
    pace: float = PACE, *, port: int = 0, slow: float = 30.0, key: str | None = None, script: str | None = None
) -> Running:
    """Serve in the running loop on the loopback address; port 0 picks a free one."""
    listener = _listen(port)
    config = _config(build(pace, slow=slow, key=key, script=script))
    server = _Guest(config)
    task = asyncio.create_task(server.serve([listener]))
    await server.ready.wait()
    return Running(_url(listener), key, server, task)


class _Guest(uvicorn.Server):
    """A server in someone else's loop: it leaves the signals alone and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class _Server:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._failed: set[str] = set()

    async def models(self, request: Request) -> Response:
        if refusal := self._refuse(request):
            return refusal
        names = [*scripts.SCRIPTS, *faults.FAULTS]
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "twinseat"} for name in names]
        return JSONResponse({"object": "list", "data": data})

    async def completions(self, request: Request) -> Response:
        if refusal := self._refuse(request):
            return refusal
        raw = await request.body()
        try:
            body: Json = json.loads(raw)
            chat = parse(body)
        except (ValueError, AttributeError, TypeError):
            return _error(400, "The body is not a chat completion request.")
        model = self._options.script or str(body.get("model") or "").rpartition("/")[2]
        fault = self._fault(model, raw)
        if fault and fault.kind == "error":
            headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else None
            return _error(fault.status, fault.message, fault.type, fault.code, headers)
        if fault and fault.kind == "html":
            return HTMLResponse("<!doctype html><title>Welcome</title><h1>It works!</h1>")
        if fault and fault.kind == "slow":
            await asyncio.sleep(self._options.slow)
        is_fault = faults.find(model) is not None
        found = scripts.find("echo" if is_fault else model)
        if not found:
            return _error(
                404, f"The model `{model}` does not exist or you do not have access to it.", code="model_not_found"
            )
        name, next_turn, number = found
        # A call without tools is a side job of the agent (a title, a summary of the history), not a step of the script.
        turn = next_turn(chat, number) if chat.tools or name in {"echo", "stream"} else _side_job(chat)
        if fault and fault.kind == "empty":
            turn = Turn()
        answer = _Answer(str(body.get("model")), *message(chat, name, turn), prompt=len(raw) // 4)
        if not body.get("stream"):
            return (
                Response(b"{garbage", media_type="application/json")
                if fault and fault.kind == "garbage"
                else JSONResponse(answer.whole())
            )
        usage = bool((body.get("stream_options") or {}).get("include_usage"))
        kind = fault.kind if fault else None
        return _Stream(answer.chunks(usage=usage), self._options.pace, kind)

    def _fault(self, model: str, raw: bytes) -> faults.Fault | None:
        fault = faults.find(model)
        if fault and fault.once:
            # An attempt is the same when its body is: the agent repeats a failed request unchanged.
            digest = hashlib.sha256(raw).hexdigest()
            if digest in self._failed:
                self._failed.discard(digest)
                return None
            self._failed.add(digest)
        return fault

    def _refuse(self, request: Request) -> Response | None:
        key = self._options.key
        if key is None or hmac.compare_digest(
            request.headers.get("authorization", "").encode(), f"Bearer {key}".encode()
        ):
            return None
        return _error(401, "Incorrect API key provided.", code="invalid_api_key")


class _Answer:
    """One completion, whole or in chunks."""

    def __init__(self, model: str, reasoning: str, content: str, calls: list[Json], prompt: int) -> None:
        self._head: Json = {"id": f"chatcmpl-{time.monotonic_ns():x}", "created": int(time.time()), "model": model}
        self._reasoning, self._content, self._calls = reasoning, content, calls
        self._finish = "tool_calls" if calls else "stop"
        thought = len(_tokens(reasoning))
        completion = thought + len(_tokens(content)) + sum(len(call["function"]["arguments"]) // 4 for call in calls)
        self._usage = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": thought},
        }

    def whole(self) -> Json:
        answer: Json = {"role": "assistant", "content": self._content or None}
        if self._reasoning:
            answer["reasoning_content"] = self._reasoning
        if self._calls:
            answer["tool_calls"] = self._calls
        choice = {"index": 0, "message": answer, "finish_reason": self._finish}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage}

    def chunks(self, *, usage: bool) -> list[tuple[bytes, bool]]:
        """The SSE events, each with whether it is a token that takes its time."""
        events = [self._event({"role": "assistant", "content": ""}, paced=False)]
        events += [self._event({"reasoning_content": token}) for token in _tokens(self._reasoning)]
        events += [self._event({"content": token}) for token in _tokens(self._content)]
        for index, call in enumerate(self._calls):
            function = call["function"]
            opening = {
                "index": index,
                "id": call["id"],
                "type": "function",
                "function": {"name": function["name"], "arguments": ""},
            }
            events.append(self._event({"tool_calls": [opening]}, paced=False))
            # Arguments are not shown while they arrive, so they come in larger pieces than text.
            for start_ in range(0, len(function["arguments"]), 160):
                piece = {"index": index, "function": {"arguments": function["arguments"][start_ : start_ + 160]}}
                events.append(self._event({"tool_calls": [piece]}))
        events.append(self._event({}, finish=self._finish, paced=False))
        if usage:
            last = {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": self._usage}
            events.append((_sse(last), False))
        events.append((b"data: [DONE]\n\n", False))
        return events

    def _event(self, delta: Json, *, finish: str | None = None, paced: bool = True) -> tuple[bytes, bool]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _sse({**self._head, "object": "chat.completion.chunk", "choices": [choice]}), paced


class _Stream(Response):
    """Sends the events at the pace, on a clock of its own so that the pace does not drift."""

    media_type = "text/event-stream"

    def __init__(self, events: list[tuple[bytes, bool]], pace: float, fault: str | None) -> None:
        super().__init__(headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._events, self._pace, self._fault = events, pace, fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for data in self._paced():
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": data, "more_body": True})
            if self._fault != "midstream":  # leaving the body open makes the server cut the connection
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()

    async def _paced(self) -> AsyncIterator[bytes]:
        due = time.monotonic()
        for index, (data, paced) in enumerate(self._events):
            if paced and self._pace > 0:
                due += self._pace
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            elif index % 16 == 15:
                await asyncio.sleep(0)
            if index == 2 and self._fault == "midstream":
                return
            if index == 2 and self._fault == "garbage":
                yield b"data: {this is not JSON]]\n\n\x00\xff\xfe rubbish\n\n"
            yield data


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _side_job(chat: Chat) -> Turn:
    first = next((line for line in (chat.said[-1] if chat.said else "").splitlines() if line.strip()), "A demo task")
    return Turn(text=f"Scripted demo: {first[:200]}")


def _tokens(text: str) -> list[str]:
    return _TOKENS.findall(text)


def _sse(value: Json) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def _error(
    status: int,
    message: str,
    type_: str = "invalid_request_error",
    code: str | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    error: dict[str, Any] = {"message": message, "type": type_, "param": None, "code": code}
    return JSONResponse({"error": error}, status, headers)


def _listen(port: int) -> socket.socket:
    # Named as TCP, since only then does asyncio switch Nagle off: a token in two writes would wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", ws="none")


def main() -> None:
    """The command line: prints the base URL and serves until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m app.demo.model", description="The scripted model server.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--pace", type=float, default=PACE, help="seconds a token; 0 for none")
    parser.add_argument("--slow", type=float, default=30.0, help="seconds that fault-slow waits")
    parser.add_argument("--script", help="follow this script whatever model is asked for")
    options = parser.parse_args()
    listener = _listen(options.port)
    sys.stdout.write(_url(listener) + "\n")
    sys.stdout.flush()
    app = build(options.pace, slow=options.slow, script=options.script)
    uvicorn.Server(_config(app)).run([listener])


if __name__ == "__main__":
    main()
