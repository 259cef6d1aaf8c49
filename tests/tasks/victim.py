"""A backend to be killed: works on one task until somebody does. Prints the task's id.

python -m tests.tasks.victim JOURNAL FOLDER AGENT_URL AGENT_KEY MODEL_URL TEXT
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from app.agent.hub import Hub
from app.runtimes.contract import Endpoint, Place
from app.schemas import NewTask
from app.storage.journal import Journal
from app.tasks import TaskService
from tests.tasks.real import Obedient


class There:
    """A runtime that is up."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def agent(self, place: Place) -> Endpoint:
        return self._endpoint

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


async def main() -> None:
    path, folder, url, key, model_url, text = sys.argv[1:]
    journal = await Journal.open(path)
    model = Obedient()
    model.url = model_url
    runtime: Any = There(Endpoint(url, {"X-Session-API-Key": key}))
    hub = Hub(lambda task, after, limit: journal.events(task, after=after, limit=limit))
    service = TaskService(journal, hub, lambda _: (runtime, Place("w", folder, trusted=True)), model.choose)
    task = await service.create(NewTask.model_validate({"workspace_id": "w", "message": {"text": text}}))
    sys.stdout.write(task.id + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(main())
