"""The model gateway: the agent comes with its task's token, the provider is asked with the real key.

An ASGI app of its own, on a port of its own, since its clients are the agents and not the page. It passes answers
through as they arrive, counts what they cost, and refuses when a task's budget is spent. What it changes in a request:
credential, model name, and `stream_options.include_usage`; nothing in an answer.

| path | protocol |
|---|---|
| `/v1/chat/completions`, `/v1/responses`, `/v1/models` | OpenAI |
| `/anthropic/v1/messages`, `/anthropic/v1/messages/count_tokens` | Anthropic Messages |
| `/gemini/models/{model}:{method}` (also below `/v1beta`) | Gemini |
| `/bridge` (WebSocket) | handler given by the caller |
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import structlog

from app.gateway import agents, failures, refusals, wire
from app.gateway.agents import AsgiApp, Headers, Receive, Scope, Send
from app.gateway.meter import Garbage, Meter
from app.gateway.prices import Counts
from app.gateway.profiles import Profiles
from app.gateway.providers import find
from app.gateway.upstream import Upstream
from app.problems import Fault
from app.schemas import ModelProfile, Problem, Usage
from app.schemas import Protocol as WireProtocol

log = structlog.get_logger()

LARGEST_ERROR = 256 * 1024
ADAPTATIONS = 3
"""How often a request is tried again without a parameter that was refused."""

_GEMINI = re.compile(r"/gemini(?:/v1|/v1beta)?/models/[^:]+:(generateContent|streamGenerateContent|countTokens)")
_OPERATIONS: dict[str, tuple[WireProtocol, str]] = {
    "/v1/chat/completions": ("openai", "chat/completions"),
    "/v1/responses": ("responses", "responses"),
    "/anthropic/v1/messages": ("anthropic", "messages"),
    "/anthropic/v1/messages/count_tokens": ("anthropic", "messages/count_tokens"),
}
_FREE = {"messages/count_tokens", "countTokens"}
"""Operations that cost nothing and are not metered."""


class Tokens(Protocol):
    """Who a task token belongs to."""

    async def resolve(self, token: str) -> str | None:
        """The task's id, or None for a token that is not, or no longer, good."""
        ...


class DemoServer(Protocol):
    """Where the scripted model listens, and the key it asks for."""

    url: str
    key: str | None


@dataclass(frozen=True)
class _Exchange:
    """One request of an agent, and who it is for."""

    task_id: str
    protocol: WireProtocol
    operation: str
    profile: ModelProfile
    key: str | None
    headers: Mapping[str, str]
    body: bytes
    query: str


class _Refused(Exception):
    """A provider's refusal, with what of it goes on to the agent: Retry-After, and its own error code."""

    def __init__(self, problem: Problem, headers: Mapping[str, str], codes: tuple[str, ...]) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = agents.passed_back(headers)
        self.code = next((code for code in reversed(codes) if not code.isdigit()), "")


class Gateway:
    """Holds the keys and the way to the providers. `close()` when done.

    `model_of` says which profile a task uses (None: the default), at every request, so that a change takes effect
    with the next one. `over_budget` returns the problem to refuse with, or None; it is asked before a request, and
    after one that was streamed, so that whoever gives it can stop the task at once. `on_usage` gets what each request
    took, and is done before the task's next request is let through. `on_problem` gets why a request failed, after its
    `on_usage`. `demo` starts the scripted model when it is first asked for.
    """

    def __init__(
        self,
        *,
        tokens: Tokens,
        profiles: Profiles,
        model_of: Callable[[str], Awaitable[str | None]],
        on_usage: Callable[[str, Usage], Awaitable[None]],
        over_budget: Callable[[str], Awaitable[Problem | None]],
        on_problem: Callable[[str, Problem], None] | None = None,
        demo: Callable[[], Awaitable[DemoServer]] | None = None,
        upstream: Upstream | None = None,
    ) -> None:
        self._tokens = tokens
        self._profiles = profiles
        self._model_of = model_of
        self._on_usage = on_usage
        self._over_budget = over_budget
        self._on_problem = on_problem
        self._demo = demo
        self._upstream = upstream or Upstream()
        self._problems: dict[str, Problem] = {}
        self._refused: dict[tuple[str, str], frozenset[str]] = {}
        self._recording: dict[str, set[asyncio.Task[None]]] = {}
        self._after: set[asyncio.Task[None]] = set()

    def problem(self, task_id: str) -> Problem | None:
        """Why the task's last request failed; None when it did not."""
        return self._problems.get(task_id)

    async def close(self) -> None:
        """Drop all connections to providers, when what was used is recorded."""
        await self._upstream.close()
        await asyncio.gather(*self._after, return_exceptions=True)

    # ── A request ─────────────────────────────────────────────────────────────────────────────────────

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        path: str = scope["path"]
        protocol, operation = _operation(path)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if (stranger := agents.stranger(headers)) is not None:
            return await agents.answer(send, *failures.answer(stranger, protocol))
        task_id = await self._tokens.resolve(token) if (token := agents.token(headers)) else None
        if task_id is None:
            return await agents.answer(send, *failures.answer(refusals.BAD_TOKEN, protocol))
        try:
            if path == "/v1/models" and scope["method"] == "GET":
                return await self._models(send, task_id)
            if operation is None or scope["method"] != "POST":
                return await agents.answer(send, *failures.answer(refusals.no_such_path(path), protocol))
            body = await agents.read_body(receive, headers)
            exchange = await self._exchange(task_id, protocol, operation, headers, body, scope)
        except Fault as fault:
            self._note(task_id, fault.problem())
            return await agents.answer(send, *failures.answer(fault.problem(), protocol))
        except ConnectionResetError:
            return None
        talk = asyncio.ensure_future(self._talk(exchange, send))
        gone = asyncio.ensure_future(agents.disconnected(receive))
        try:
            await asyncio.wait({talk, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not talk.done():
                talk.cancel()
            await asyncio.gather(talk, return_exceptions=gone.done())
        finally:
            gone.cancel()
            talk.cancel()
        return None

    async def _exchange(
        self,
        task_id: str,
        protocol: WireProtocol,
        operation: str,
        headers: Mapping[str, str],
        body: bytes,
        scope: Scope,
    ) -> _Exchange:
        if recording := self._recording.get(task_id):
            await asyncio.wait(set(recording))
        if (over := await self._over_budget(task_id)) is not None:
            raise refusals.as_fault(over.model_copy(update={"status": 402}))
        profile = self._profiles.stored(await self._model_of(task_id))
        if _family(profile.protocol) != _family(protocol):
            raise refusals.other_protocol(profile)
        if profile.provider == "demo":
            if self._demo is None:
                raise refusals.no_demo()
            server = await self._demo()
            profile, key = profile.model_copy(update={"base_url": server.url}), server.key
        else:
            key = await self._profiles.key(profile.id)
            if not key and find(profile.provider).needs_key:
                raise refusals.no_key(profile)
        query = "alt=sse" if b"alt=sse" in scope.get("query_string", b"") else ""
        return _Exchange(task_id, protocol, operation, profile, key, headers, body, query)

    async def _talk(self, exchange: _Exchange, send: Send) -> None:
        """Ask the provider and pass its answer on."""
        try:
            answer, call = await self._ask(exchange)
        except _Refused as refusal:
            return await self._fail(exchange, send, refusal.problem, refusal.headers, refusal.code)
        except Fault as fault:
            return await self._fail(exchange, send, fault.problem())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return await self._fail(exchange, send, failures.unreachable(error, exchange.profile))
        async with answer:
            kind = answer.headers.get("Content-Type", "").lower()
            if "html" in kind:
                return await self._fail(exchange, send, failures.not_an_endpoint(exchange.profile, answer.status))
            if "event-stream" in kind or (call.stream and exchange.protocol == "gemini"):
                return await self._stream(exchange, answer, send, sse="event-stream" in kind)
            return await self._whole(exchange, answer, send)

    async def _ask(self, exchange: _Exchange) -> tuple[aiohttp.ClientResponse, wire.Call]:
        """The provider's good answer. Raises Fault for a refusal, after leaving out what was refused by name."""
        profile, place = exchange.profile, (exchange.profile.id, exchange.profile.model)
        for attempt in range(ADAPTATIONS + 1):
            try:
                call = wire.call(
                    profile,
                    exchange.protocol,
                    exchange.operation,
                    exchange.headers,
                    exchange.body,
                    exchange.key,
                    query=exchange.query,
                    refused=self._refused.get(place, frozenset()),
                )
            except ValueError:
                raise refusals.no_json() from None
            answer = await self._upstream.request("POST", call.url, call.headers, call.body)
            if answer.status < 300:
                return answer, call
            async with answer:
                text = await answer.content.read(LARGEST_ERROR)
                if answer.status in {400, 422} and attempt < ADAPTATIONS:
                    refused = wire.refused_parameters(call.body, text.decode("utf-8", "replace"))
                    if refused:
                        self._refused[place] = self._refused.get(place, frozenset()) | refused
                        continue
                if answer.status in {401, 403}:
                    self._profiles.reread_key(profile.id)
                kind = answer.headers.get("Content-Type", "").lower()
                problem = failures.refused(answer.status, kind, text, profile)
                if problem.code == "model-key-refused" and not exchange.key:
                    raise refusals.no_key(profile)
                raise _Refused(problem, answer.headers, failures.words(text)[1])
        raise AssertionError("unreachable")

    async def _stream(self, exchange: _Exchange, answer: aiohttp.ClientResponse, send: Send, *, sse: bool) -> None:
        meter = Meter(exchange.protocol, sse=sse)
        key = exchange.key.encode() if exchange.key else None
        problem: Problem | None = None
        await agents.start(send, answer.status, agents.passed_back(answer.headers))
        try:
            try:
                while chunk := await answer.content.readany():
                    meter.feed(chunk)
                    if key is not None and key in chunk:
                        chunk = chunk.replace(key, b"***")
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                if not meter.ended() and not (answer.headers.get("Transfer-Encoding") and meter.started):
                    problem = failures.cut_off(exchange.profile)
            except Garbage as error:
                problem = failures.garbage(exchange.profile, error.args[0])
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                problem = failures.cut_off(exchange.profile)
                if isinstance(error, TimeoutError):
                    problem = failures.unreachable(error, exchange.profile)
            if (error := meter.error()) is not None:
                problem = failures.in_stream(error, exchange.profile)  # the agent has it already, in their words
            elif problem is not None:
                # On a line of its own: the last one may be half.
                await agents.more(send, b"\n\n" + failures.event(problem, exchange.protocol))
            await agents.more(send, b"", last=True)
        finally:
            # Also when the agent hung up: what was said until then is paid for.
            self._settle(exchange, meter.counts(exchange.body), problem)

    async def _whole(self, exchange: _Exchange, answer: aiohttp.ClientResponse, send: Send) -> None:
        try:
            body = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return await self._fail(exchange, send, failures.cut_off(exchange.profile))
        problem = refusals.unsound(body, exchange.profile)
        if problem is not None:
            return await self._fail(exchange, send, problem)
        if exchange.key:
            body = body.replace(exchange.key.encode(), b"***")
        meter = Meter(exchange.protocol, sse=False)
        meter.feed(body)
        self._settle(exchange, meter.counts(exchange.body), None)
        return await agents.answer(send, answer.status, body, agents.passed_back(answer.headers))

    def _settle(self, exchange: _Exchange, counts: Counts, problem: Problem | None) -> None:
        """Record what a request took, then ask whether that was over the budget. The agent does not wait for it."""
        task_id = exchange.task_id
        if exchange.operation in _FREE:
            return
        recording = asyncio.create_task(self._record(exchange, counts))
        running = self._recording.setdefault(task_id, set())
        running.add(recording)

        async def after() -> None:
            try:
                await recording
            finally:
                running.discard(recording)
                if not running and self._recording.get(task_id) is running:
                    del self._recording[task_id]
                self._note(task_id, problem)
            await self._over_budget(task_id)

        task = asyncio.create_task(after())
        self._after.add(task)
        task.add_done_callback(self._done)

    async def _record(self, exchange: _Exchange, counts: Counts) -> None:
        profile = exchange.profile
        free = find(profile.provider).local and profile.price_in is None
        cost = 0.0 if free else self._profiles.prices.cost(profile, counts)
        usage = Usage(
            prompt_tokens=counts.prompt,
            completion_tokens=counts.completion,
            cached_tokens=counts.cached,
            reasoning_tokens=counts.reasoning,
            cost_usd=cost or 0.0,
            estimated=counts.estimated,
            priced=cost is not None,
            requests=1,
        )
        await self._on_usage(exchange.task_id, usage)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._after.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("usage not recorded", error=repr(error))

    def _note(self, task_id: str, problem: Problem | None) -> None:
        if problem is None:
            self._problems.pop(task_id, None)
            return
        self._problems[task_id] = problem
        if self._on_problem is not None:
            self._on_problem(task_id, problem)

    async def _fail(
        self, exchange: _Exchange, send: Send, problem: Problem, headers: Headers | None = None, code: str = ""
    ) -> None:
        self._note(exchange.task_id, problem)
        status, body = failures.answer(problem, exchange.protocol, code)
        await agents.answer(send, status, body, [pair for pair in headers or [] if pair[0] != b"content-type"])

    async def _models(self, send: Send, task_id: str) -> None:
        """The task's one model."""
        profile = self._profiles.stored(await self._model_of(task_id))
        entry = {"id": profile.model, "object": "model", "created": 0, "owned_by": profile.provider}
        await agents.answer(send, 200, json.dumps({"object": "list", "data": [entry]}).encode())


def build(gateway: Gateway, *, bridge: AsgiApp | None = None) -> AsgiApp:
    """The gateway as an ASGI app; `bridge` answers the WebSocket at `/bridge`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await gateway.serve(scope, receive, send)
            case "websocket" if bridge is not None and scope["path"] == "/bridge":
                await bridge(scope, receive, send)
            case "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 4404})
            case "lifespan":
                await agents.lifespan(receive, send)
            case _:
                pass

    return app


def _operation(path: str) -> tuple[WireProtocol, str | None]:
    if (known := _OPERATIONS.get(path)) is not None:
        return known
    if path.startswith("/gemini"):
        found = _GEMINI.fullmatch(path)
        return "gemini", found[1] if found else None
    return ("anthropic" if path.startswith("/anthropic") else "openai"), None


def _family(protocol: WireProtocol) -> WireProtocol:
    return "openai" if protocol == "responses" else protocol
