"""One real agent-server for a module; journal, service and model anew for each test."""

import asyncio
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.agent.hub import Hub
from app.runtimes.contract import Place
from app.schemas import Event, Events, NewMessage, NewTask, Task
from app.storage.facts import Facts
from app.storage.journal import Journal
from app.tasks import TaskService
from tests.tasks.real import AgentServer, Here, Obedient


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[AgentServer]:
    server = AgentServer(tmp_path_factory.mktemp("agent"))
    server.start()
    yield server
    server.kill()


@dataclass
class Seat:
    """A backend's worth of tasks."""

    journal: Journal
    hub: Hub
    service: TaskService
    runtime: Here
    model: Obedient
    folder: Path

    async def task(self, text: str, **fields: object) -> Task:
        new = NewTask.model_validate({"workspace_id": "w", "message": {"text": text}, **fields})
        return await self.service.create(new)

    async def say(self, task_id: str, text: str) -> Event:
        return await self.service.send(task_id, NewMessage(text=text))

    async def reach(self, task_id: str, *states: str) -> Task:
        """Watch the socket's frames until the task is in one of these states."""
        return await self.when(task_id, lambda task: task.state in states)

    async def when(self, task_id: str, good: Callable[[Task], bool]) -> Task:
        subscription = self.hub.subscribe()
        try:
            task = await self.service.get(task_id)
            while not good(task):
                frame = await subscription.get()
                assert frame is not None
                if frame["type"] == "status" and frame.get("task") == task_id:
                    task = Task.model_validate(frame["state"])
            return task
        finally:
            subscription.close()

    async def events(self, task_id: str) -> list[Event]:
        return (await self.journal.events(task_id, after=0, limit=10_000)).events

    async def settled(self, task_id: str, good: Callable[[Facts], bool]) -> None:
        """Watch for what no frame tells, such as the agent-server's own state."""
        while not good(await self.journal.facts(task_id)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def texts(self, task_id: str) -> list[str]:
        """What the agent said and saw of the user, in order."""
        return [
            f"{event.source}: {part['text']}"
            for event in await self.events(task_id)
            if event.kind == "MessageEvent"
            for part in event.data["llm_message"]["content"]
        ]


Open = Callable[[], Awaitable[Seat]]


@pytest.fixture
async def open_seat(server: AgentServer, tmp_path: Path) -> AsyncGenerator[Open]:
    """Opens the journal of the test and what works on it; again after `close` for a restarted backend."""
    folder = tmp_path / "project"
    folder.mkdir()
    await asyncio.to_thread(subprocess.run, ["git", "init", "-q", str(folder)], check=True)
    if not server.alive:
        server.start()
    model = Obedient()
    await model.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(model.stop)

        async def open_one() -> Seat:
            return await stack.enter_async_context(_seat(server, model, folder, tmp_path / "journal.sqlite"))

        yield open_one


@asynccontextmanager
async def _seat(server: AgentServer, model: Obedient, folder: Path, path: Path) -> AsyncGenerator[Seat]:
    journal = await Journal.open(path)
    runtime = Here(server)
    place = Place("w", str(folder), trusted=True)

    async def replay(task_id: str, after: int, limit: int) -> Events:
        return await journal.events(task_id, after=after, limit=limit)

    hub = Hub(replay)
    service = TaskService(journal, hub, lambda _: (runtime, place), model.choose)
    yield Seat(journal, hub, service, runtime, model, folder)
    await service.close()
    await journal.close()


@pytest.fixture
async def seat(open_seat: Open) -> Seat:
    return await open_seat()
