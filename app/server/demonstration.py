"""The keyless demo: the real agent at work, with a script in the model's place."""

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from app import git
from app.gateway.profiles import DEMO
from app.problems import Fault
from app.schemas import Demo, NewMessage, NewTask, NewWorkspace
from app.settings import SettingsFile
from app.tasks import TaskService
from app.workspaces import Workspaces

if TYPE_CHECKING:
    from app.demo.model import Running

FOLDER = "Twinseat demo"
REQUEST = "Build a small to-do API with tests, and run them."


class Demonstration:
    """Starts the scripted model when it is first asked for, and the demo's task as often as the user likes."""

    def __init__(self) -> None:
        self._server: Running | None = None
        self._opening = asyncio.Lock()

    async def server(self) -> "Running":
        """Where the scripted model listens."""
        async with self._opening:
            if self._server is None:
                from app.demo import model

                key = secrets.token_urlsafe(24)
                self._server = await model.start(key=key)
            return self._server

    async def close(self) -> None:
        if self._server is not None:
            await self._server.stop()

    async def begin(self, settings: SettingsFile, workspaces: Workspaces, tasks: TaskService) -> Demo:
        """A fresh folder, trusted since we made it, and the task that fills it. Raises Fault."""
        folder = await asyncio.to_thread(_scratch, settings.base)
        await git.init(folder)
        workspace = await workspaces.create(NewWorkspace(path=str(folder)), trusted=True)
        await workspaces.open(workspace.id)
        message = NewMessage(text=REQUEST)
        task = await tasks.create(NewTask(workspace_id=workspace.id, message=message, model_id=DEMO.id))
        return Demo(workspace_id=workspace.id, task_id=task.id)


def _scratch(base: Path) -> Path:
    """A new folder for a demo. Raises Fault."""
    for number in range(1, 1000):
        folder = base / (FOLDER if number == 1 else f"{FOLDER} {number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise Fault.of(error, "the folder for new workspaces") from error
        return folder
    raise Fault(
        code="too-many-demos",
        status=409,
        title="Too many demos",
        detail=f"There are 999 demo folders in {base} already.",
        remedy="Delete some of them.",
    )
