"""What the gateway's tests share: a local provider that replays fixtures, and the real gateway in front of it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from aiohttp import web

from app.config import load
from app.demo import model as demo_model
from app.gateway.agents import AsgiApp
from app.gateway.app import Gateway, build
from app.gateway.profiles import Profiles
from app.gateway.upstream import Upstream
from app.paths import Paths
from app.schemas import ModelProfile, NewModelProfile, Problem, Protocol, SecretName, Usage

FIXTURES = Path(__file__).parent / "fixtures"
KEY = "sk-realkey-0123456789abcdefghij"
TOKEN = "task-token-of-one"
TASK = "task-1"


class MemoryKeys:
    """A secret store that keeps values in memory, as the real one does where there is no keyring."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.asked = 0

    async def get(self, name: str) -> str | None:
        self.asked += 1
        return self.values.get(name)

    async def set(self, name: str, value: str) -> None:
        self.values[name] = value

    async def delete(self, name: str) -> None:
        self.values.pop(name, None)

    def names(self) -> list[SecretName]:
        return [SecretName(name=name, stored=True, where="memory") for name in self.values]


class MemoryTokens:
    """Task tokens in memory."""

    def __init__(self) -> None:
        self.tasks = {TOKEN: TASK}

    async def resolve(self, token: str) -> str | None:
        return self.tasks.get(token)


class Provider:
    """A provider on this machine: answers as told and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[web.Request, bytes], Awaitable[web.StreamResponse]] = self._silence
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.path_qs, headers, json.loads(raw) if raw else {}))
        return await self.answer(request, raw)

    def replay(self, case: dict[str, Any]) -> None:
        """Answer as the fixture says from now on."""

        async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
            asked = json.loads(raw)
            if "stream" not in case or ("refuses" in case and case["refuses"] in asked):
                return plain(case)
            return await streamed(request, case["stream"], cut=case.get("end") == "cut", bytewise=case.get("bytewise"))

        self.answer = answer

    async def _silence(self, request: web.Request, raw: bytes) -> web.StreamResponse:
        raise web.HTTPNotFound


def plain(case: dict[str, Any]) -> web.Response:
    text = case["text"] if "text" in case else json.dumps(case["body"]).replace("{key}", KEY)
    headers = {"Content-Type": case.get("type", "application/json"), **case.get("headers", {})}
    return web.Response(status=case.get("status", 200), body=text.encode(), headers=headers)


async def streamed(
    request: web.Request, parts: list[str], *, cut: bool = False, bytewise: bool | None = False, pause: float = 0
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    for part in parts:
        data = part.encode()
        for piece in [data[index : index + 1] for index in range(len(data))] if bytewise else [data]:
            await response.write(piece)
            await asyncio.sleep(pause)
    if cut:
        assert request.transport is not None
        request.transport.close()
    return response


class House:
    """The gateway with everything around it."""

    def __init__(self, folder: Path) -> None:
        self.provider = Provider()
        self.keys = MemoryKeys()
        self.tokens = MemoryTokens()
        self.folder = folder
        self.profiles = Profiles(load(environ={}, directory=folder), self.keys, Paths(folder, folder))
        self.chosen: str | None = None
        self.used: list[Usage] = []
        self.metered = asyncio.Event()
        self.over: Problem | None = None
        self.asked_for_budget = 0
        self.scripted: demo_model.Running | None = None
        self.problems: list[Problem] = []
        self.gateway = Gateway(
            tokens=self.tokens,
            profiles=self.profiles,
            model_of=self.model_of,
            on_usage=self.on_usage,
            over_budget=self.over_budget,
            on_problem=lambda _, problem: self.problems.append(problem),
            demo=self.demo,
            upstream=Upstream(connect=5, silence=5),
        )
        self.url = ""
        self.client = aiohttp.ClientSession()

    async def model_of(self, task_id: str) -> str | None:
        assert task_id == TASK
        return self.chosen

    async def on_usage(self, task_id: str, usage: Usage) -> None:
        assert task_id == TASK
        self.used.append(usage)
        self.metered.set()

    async def demo(self) -> demo_model.Running:
        if self.scripted is None:
            self.scripted = await demo_model.start(pace=0, key="only-the-gateway-knows")
        return self.scripted

    async def settled(self) -> None:
        """What a request used is recorded after its answer: wait for that."""
        await asyncio.gather(*self.gateway._after)

    async def over_budget(self, task_id: str) -> Problem | None:
        self.asked_for_budget += 1
        return self.over

    async def use(
        self,
        provider: str = "custom",
        protocol: Protocol = "openai",
        model: str = "m",
        key: str | None = KEY,
        **more: Any,
    ) -> ModelProfile:
        """Make a profile of the local provider and let the task use it."""
        base = self.provider.url if protocol in {"anthropic", "gemini"} else f"{self.provider.url}/v1"
        new = NewModelProfile(
            provider=provider, protocol=protocol, base_url=more.pop("base_url", base), model=model, key=key, **more
        )
        profile = await self.profiles.create(new)
        self.chosen = profile.id
        return profile

    def path(self, protocol: Protocol, *, stream: bool = True) -> str:
        return {
            "openai": "/v1/chat/completions",
            "responses": "/v1/responses",
            "anthropic": "/anthropic/v1/messages",
            "gemini": "/gemini/models/m:" + ("streamGenerateContent?alt=sse" if stream else "generateContent"),
        }[protocol]

    @asynccontextmanager
    async def post(
        self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        sent = headers or {"Authorization": f"Bearer {TOKEN}"}
        async with self.client.post(f"{self.url}{path}", json=body, headers=sent) as answer:
            yield answer

    async def ask(self, protocol: Protocol = "openai", *, stream: bool = True, **more: Any) -> tuple[int, bytes]:
        """One request in the protocol's form, read to its end."""
        hello = [{"role": "user", "content": "Hello there"}]
        body: dict[str, Any] = {"model": "agent-side-name", "messages": hello, "stream": stream, **more}
        if protocol == "gemini":
            body = {"contents": [{"role": "user", "parts": [{"text": "Hello there"}]}], **more}
        async with self.post(self.path(protocol, stream=stream), body) as answer:
            said = await answer.read()
            await self.settled()
            return answer.status, said


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """Provider, gateway and client, all over real sockets."""
    made = House(folder)
    app = web.Application(client_max_size=2**27)
    app.router.add_route("*", "/{path:.*}", made.provider.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    listener = listen()
    made.provider.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    await web.SockSite(runner, listener).start()
    async with served(build(made.gateway)) as made.url:
        try:
            yield made
        finally:
            await made.client.close()
            await made.gateway.close()
            if made.scripted is not None:
                await made.scripted.stop()
            await runner.cleanup()


@asynccontextmanager
async def served(app: AsgiApp) -> AsyncIterator[str]:
    """The app behind uvicorn, as the backend runs it."""
    listener = listen()
    server = Server(uvicorn.Config(app, log_level="warning", access_log=False, ws="websockets-sansio"))  # pyright: ignore[reportArgumentType]
    task = asyncio.create_task(server.serve([listener]))
    await server.ready.wait()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await task


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def listen() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


def cases() -> list[tuple[str, str]]:
    """(file, case) of every fixture."""
    return [
        (file.stem, name) for file in sorted(FIXTURES.glob("*.json")) for name in json.loads(file.read_bytes())["cases"]
    ]


def fixture(file: str) -> dict[str, Any]:
    return json.loads((FIXTURES / f"{file}.json").read_bytes())
