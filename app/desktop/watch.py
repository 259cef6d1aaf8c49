"""Keeps the window attached to its backend and tells it where the shown workspace's editor is.

One thread that asks a few times a second while something starts and every other second otherwise. Being asked is also
how the backend knows that a window is there.
"""

import contextlib
import logging
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from app.desktop.link import Json, Link, Lost
from app.paths import Paths
from app.server.endpoint import Backend, Lock, NoBackend, attach, sign_in_url, start

log = logging.getLogger(__name__)

ARGUMENTS = ("--started-by-window",)
BUSY_SECONDS, QUIET_SECONDS = 0.3, 2.0
RESTARTS, RESTART_WINDOW = 3, 60.0
"""A backend that ends this often within so many seconds is not started again without being asked to."""

ACTIVE = frozenset({"starting", "running", "waiting"})
"""Task states that closing the window would leave behind."""


@dataclass(frozen=True)
class Editor:
    """What the editor pane should show."""

    state: Literal["none", "starting", "ready", "failed", "gone"]
    workspace: str = ""
    name: str = ""
    url: str = ""
    title: str = ""
    detail: str = ""
    remedy: str = ""
    log: str = ""
    steps: tuple[tuple[str, float | None], ...] = ()
    """Phases of the start with their seconds, None while one runs."""


class View(Protocol):
    """The window as the watch sees it. Called in the watch's thread."""

    def starting(self, seconds: float) -> None: ...
    def signed_in(self, url: str) -> None: ...
    def lost(self, reason: str, remedy: str) -> None: ...
    def editor(self, editor: Editor) -> None: ...
    def remember(self, workspace: str | None) -> None: ...


class Watch:
    def __init__(self, paths: Paths, view: View, workspace: str | None) -> None:
        self._paths = paths
        self._view = view
        self._started: subprocess.Popen[bytes] | None = None
        self._workspace = workspace
        self._wanted = workspace is not None
        self._wake = threading.Event()
        self._ended = False
        self._shown: Editor | None = None
        self._page = ""
        self._deaths: list[float] = []
        self.backend: Backend | None = None

    def start_early(self) -> None:
        """Start the backend if none runs, beside the toolkit that is being loaded. Reads no secret."""
        lock = Lock(self._paths)
        with contextlib.suppress(OSError, NoBackend):  # `run` meets the same and says so
            if not lock.acquire():
                return
            self._paths.endpoint.unlink(missing_ok=True)  # left by a backend that is gone
            lock.release()
            self._started = start(self._paths, ARGUMENTS)

    def run(self) -> None:
        """Until `stop`. Runs in a thread of its own."""
        while not self._ended:
            try:
                link = Link(self._attach())
                self._deaths = self._deaths[-RESTARTS:]
                self._follow(link)
            except (NoBackend, Lost) as error:
                self.backend = None
                if self._ended:
                    return
                log.warning("%s", error)
                if isinstance(error, NoBackend) or self._dies_too_often():
                    remedy = error.remedy if isinstance(error, NoBackend) else "Its log says why; then try again."
                    self._page, self._shown, self._deaths = "", None, []
                    self._view.lost(str(error), remedy)
                    self._sleep(None)

    def stop(self) -> None:
        self._ended = True
        self._wake.set()

    def show(self, workspace: str | None) -> None:
        """Follow this workspace's editor from now on, and have it started."""
        self._workspace, self._wanted, self._shown = workspace, workspace is not None, None
        self._wake.set()

    def sign_in_again(self) -> None:
        """Load the chat anew, whatever state it is in; after a failure, start the backend again."""
        self._page = ""
        self._wake.set()

    def restart_editor(self) -> None:
        """The user pressed Retry in the editor pane."""
        self._shown = None
        if self._workspace is not None:
            self.ask("POST", f"/api/workspaces/{self._workspace}/retry", {"part": "editor"})
        self._wake.set()

    def active_tasks(self) -> list[str]:
        """Ids of the tasks that are not at rest; empty when the backend can't be asked. May take seconds."""
        tasks = _field(self.ask("GET", "/api/tasks?limit=200"), "tasks")
        found = [task for task in tasks if isinstance(task, dict)] if isinstance(tasks, list) else []
        return [str(task["id"]) for task in found if task.get("state") in ACTIVE]

    def interrupt(self, tasks: Sequence[str]) -> None:
        for task in tasks:
            self.ask("POST", f"/api/tasks/{task}/interrupt")

    def ask(self, method: str, path: str, body: Json = None) -> Json:
        """One request from any thread, on a line of its own; None when it can't be answered."""
        if self.backend is None:
            return None
        link = Link(self.backend)
        try:
            status, answer = link.ask(method, path, body)
        except Lost as error:
            log.warning("%s", error)
            return None
        finally:
            link.close()
        return answer if status < 400 else None

    def _attach(self) -> Backend:
        began, started, self._started = time.monotonic(), self._started, None
        while started is not None and started.poll() is None and not self._paths.endpoint.exists():
            self._progress(time.monotonic() - began)
            time.sleep(0.03)
        backend = attach(self._paths, arguments=ARGUMENTS, progress=self._progress)
        self.backend = backend
        return backend

    def _progress(self, seconds: float) -> None:
        if self._ended:
            raise NoBackend("The window was closed.")
        self._view.starting(seconds)

    def _follow(self, link: Link) -> None:
        try:
            while not self._ended:
                # A page that is open already keeps its session over a restart at the same address.
                if link.backend.url != self._page:
                    self._view.signed_in(sign_in_url(link.backend))
                    self._page = link.backend.url
                if self._wanted and self._workspace is not None:
                    self._wanted = False
                    link.ask("POST", f"/api/workspaces/{self._workspace}/open", {})
                editor = self._look(link)
                if editor != self._shown:
                    self._shown = editor
                    self._view.editor(editor)
                self._sleep(BUSY_SECONDS if editor.state == "starting" else QUIET_SECONDS)
        finally:
            link.close()

    def _look(self, link: Link) -> Editor:
        workspace = self._workspace
        if workspace is None:
            link.ask("GET", "/api/workspaces")
            return Editor("none")
        status, answer = link.ask("GET", f"/api/workspaces/{workspace}")
        if status == 404:
            self._workspace = None
            self._view.remember(None)
            return Editor("none")
        return read_editor(workspace, answer)

    def _dies_too_often(self) -> bool:
        now = time.monotonic()
        self._deaths = [at for at in self._deaths if at > now - RESTART_WINDOW] + [now]
        return len(self._deaths) >= RESTARTS

    def _sleep(self, seconds: float | None) -> None:
        self._wake.wait(seconds)
        self._wake.clear()


def read_editor(workspace: str, answer: Json) -> Editor:
    """The editor pane for a workspace as the API describes it; fields that are missing or odd read as empty."""
    name, status = _text(answer, "name"), _field(answer, "status")
    if _field(answer, "exists") is False:
        return Editor(
            "gone",
            workspace,
            name,
            title="The folder is gone",
            detail=f"{_text(answer, 'path')} is not there any more.",
            remedy="Put it back, or open another folder from the chat. The history stays readable.",
        )
    part = _field(status, "editor")
    problem = _field(part, "problem")
    steps: list[tuple[str, float | None]] = []
    phases = _field(status, "phases")
    for phase in phases if isinstance(phases, list) else []:
        took = _field(phase, "took")
        steps.append((_text(phase, "name"), float(took) if isinstance(took, int | float) else None))
    match _field(part, "state"):
        case "ready" if url := _text(status, "editor_url"):
            return Editor("ready", workspace, name, url=url)
        case "failed":
            return Editor(
                "failed",
                workspace,
                name,
                title=_text(problem, "title") or "The editor did not start",
                detail=_text(problem, "detail"),
                remedy=_text(problem, "remedy"),
                log=_text(part, "log_tail"),
            )
        case _:
            return Editor("starting", workspace, name, steps=tuple(steps))


def _field(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Json, name: str) -> str:
    found = _field(value, name)
    return found if isinstance(found, str) else ""
