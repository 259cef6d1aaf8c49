"""The real program, started as a user's shell would start it, and the scripted model beside it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from app.demo import model
from app.paths import Paths
from app.server import endpoint

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("TWINSEAT_CACHE_DIR") or ROOT / ".cache")
OVER = ("finished", "failed", "interrupted", "stopped", "idle", "paused", "waiting")
"""States in which a task goes no further by itself."""

type Json = dict[str, Any]


class Refused(AssertionError):
    """The API answered with a problem."""

    def __init__(self, status: int, problem: Any) -> None:
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.problem = problem


class Program:
    """`twinseat serve` on a data folder of its own, with `variables` added to a bare environment."""

    command: tuple[str, ...] = (sys.executable, "-m", "app.cli", "serve")

    def __init__(self, folder: Path, variables: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.paths = Paths(folder / "data", CACHE)
        self.base = folder / "ws"
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE", "TMPDIR") if name in os.environ}
        self.environment = {
            **kept,
            "HOME": str(self.home),
            "TWINSEAT_DATA_DIR": str(self.paths.data),
            "TWINSEAT_CACHE_DIR": str(CACHE),
            "WORKSPACE_BASE": str(self.base),
            "GIT_CONFIG_GLOBAL": os.devnull,
            **(variables or {}),
        }
        self.backend: endpoint.Backend
        self.process: subprocess.Popen[bytes] | None = None

    # ── Life ──────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Return once it listens."""
        with (self.folder / "stderr").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

        def listens() -> endpoint.Backend | None:
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "stderr").read_text()
            found = endpoint.read(self.paths)
            return found if found is not None and found.pid == self.process.pid else None

        self.backend = eventually(listens, 60)

    def stop(self) -> None:
        """As Ctrl+C or a service manager would; the children go with it."""
        if self.process is not None:
            process, self.process = self.process, None
            process.terminate()
            process.communicate(timeout=30)

    def kill(self) -> None:
        """SIGKILL, the backend alone."""
        assert self.process is not None
        process, self.process = self.process, None
        process.kill()
        process.communicate()

    def processes(self) -> dict[str, list[psutil.Process]]:
        """What belongs to this data folder, by part: backend, keeper, agent, editor, other."""
        found: dict[str, list[psutil.Process]] = {"backend": [], "keeper": [], "agent": [], "editor": [], "other": []}
        for process in psutil.process_iter():
            try:
                command = process.cmdline()
                told = [process.cwd(), *command, *process.environ().values()]
            except psutil.Error:
                continue
            if not any(str(self.folder) in text for text in told):
                continue
            text = " ".join(command)
            if " ".join(self.command[1:]) in text:
                part = "backend"
            elif "app.runtimes.keeper" in text:
                part = "keeper"
            elif "app.runtimes.launcher" in text and "bwrap" not in command[0]:
                part = "agent"
            elif "entry.js" in text and "bwrap" not in command[0]:
                part = "editor"
            else:
                part = "other"
            found[part].append(process)
        return found

    # ── The API ───────────────────────────────────────────────────────────────────────────────────

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """One request; raises Refused."""
        status, answer = endpoint.call(self.backend, method, path, body, timeout=60)
        if status >= 400:
            raise Refused(status, answer)
        return answer

    def workspace(self, name: str = "project", *, ready: bool = True, git: bool = True) -> Json:
        """A fresh trusted folder that is a repository, opened."""
        folder = self.base / name
        folder.mkdir(parents=True)
        if git:
            subprocess.run(["git", "init", "-q", str(folder)], check=True)
        made = self.ask("POST", "/api/workspaces", {"path": str(folder)})
        self.ask("POST", f"/api/workspaces/{made['id']}/trust", {"trusted": True})
        self.ask("POST", f"/api/workspaces/{made['id']}/open")
        if ready:
            self.ready(made["id"])
        return made

    def ready(self, workspace: str, *parts: str) -> Json:
        """Wait until agent and editor (or the parts named) are up."""

        def both() -> Json | None:
            status = self.ask("GET", f"/api/workspaces/{workspace}/status")
            states = [status[part]["state"] for part in parts or ("agent", "editor")]
            assert "failed" not in states, status
            return status if set(states) == {"ready"} else None

        return eventually(both, 120)

    def model(self, url: str, name: str, key: str | None = None) -> str:
        """A profile of the model `name` at `url`; its id."""
        new = {"provider": "custom", "base_url": url, "model": name, "name": name, "key": key or "none"}
        return self.ask("POST", "/api/models", new)["id"]

    def task(self, workspace: str, model_id: str, text: str = "Go.", **fields: object) -> str:
        new = {"workspace_id": workspace, "message": {"text": text}, "model_id": model_id, **fields}
        return self.ask("POST", "/api/tasks", new)["id"]

    def reach(self, task: str, *states: str, seconds: float = 120) -> Json:
        """Wait for a state; any in which the task rests when none is named."""

        def there() -> Json | None:
            found = self.ask("GET", f"/api/tasks/{task}")
            good = found["state"] in (states or OVER) and not found["queue"]
            assert good or found["state"] != "failed", found
            return found if good else None

        return eventually(there, seconds)

    def events(self, task: str) -> list[Json]:
        """The whole history, page by page."""
        found: list[Json] = []
        while True:
            page = self.ask("GET", f"/api/tasks/{task}/events?after={found[-1]['position'] if found else 0}&limit=200")
            found += page["events"]
            if not page["more_after"]:
                return found

    def socket(self) -> ClientConnection:
        address = self.backend.url.replace("http://", "ws://", 1) + "/ws/agent"
        protocols = [Subprotocol("twinseat.v1"), Subprotocol(f"bearer.{self.backend.secret}")]
        return connect(address, subprotocols=protocols, proxy=None, max_size=None, compression=None)


def eventually[T](look: Callable[[], T | None], patience: float = 30) -> T:
    """The first true value of `look`, for something that nobody announces."""
    until = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < until, f"still {found!r} after {patience} s"
        time.sleep(0.1)
    return found


@contextmanager
def running[P: Program](program: P) -> Iterator[P]:
    program.start()
    try:
        yield program
    finally:
        program.stop()


@contextmanager
def fresh(kind: type[Program] = Program) -> Iterator[Any]:
    """A running program in a temporary folder of its own."""
    with tempfile.TemporaryDirectory(prefix="ts-") as scratch, running(kind(Path(scratch))) as program:
        yield program


@contextmanager
def scripted(pace: float = 0.0, key: str | None = None) -> Iterator[str]:
    """The scripted model in a thread with a loop of its own; its base URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="model")
    thread.start()
    server = asyncio.run_coroutine_threadsafe(model.start(pace, key=key), loop).result()
    try:
        yield server.url
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def every_event_once(events: list[Json]) -> None:
    """Positions without a gap, no event twice, the agent-server's own numbers rising without a gap."""
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["id"] for event in events}) == len(events)
    numbers: dict[str, list[int]] = {}
    for event in events:
        if event["seq"] is not None:
            numbers.setdefault(event["conversation_id"], []).append(event["seq"])
    for conversation, seen in numbers.items():
        assert seen == list(range(seen[0], seen[0] + len(seen))), (conversation, seen)


def same_as_on_disk(program: Program, events: list[Json]) -> None:
    """The journal has what the agent-server has on its own disk: all of it, in its order, once."""
    for conversation in {event["conversation_id"] for event in events if event["seq"] is not None}:
        folder = program.paths.agent / "conversations" / conversation.replace("-", "") / "events"
        stored = [json.loads(file.read_text())["id"] for file in sorted(folder.glob("event-*.json"))]
        ours = [
            event["id"] for event in events if event["conversation_id"] == conversation and event["seq"] is not None
        ]
        assert ours == stored


def kill(process: psutil.Process) -> None:
    os.kill(process.pid, signal.SIGKILL)
