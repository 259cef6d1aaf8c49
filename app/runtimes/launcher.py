"""`python -m app.runtimes.launcher`: OpenHands' agent-server in this process, without leaving its keys lying about.

Its own start (`python -m openhands.agent_server`) takes the keys from the environment and publishes them there again
for whatever it starts: one `tr '\\0' '\\n' < /proc/$PPID/environ` in the agent's terminal prints them, and with the
session key the agent can answer its own questions. Here the process first makes itself unreadable, then takes its
configuration as one line of JSON from an inherited pipe, and nothing that it starts inherits any of it.

The file descriptors come in `TWINSEAT_CONFIG_FD` and `TWINSEAT_READY_FD`. On the second it says, one JSON object a
line, what it is doing (`{"phase": …}`), where it listens (`{"ready": {"port": …}}`) or why it can't
(`{"failed": {"code", "detail"}}`).

Configuration: `session_key`, `secret_key` (encrypts credentials in stored conversations; must not change), `folder`
(everything it stores), `port` (0: any free one), `log_level`.
"""

import asyncio
import ctypes
import errno
import gc
import importlib
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict

from app.runtimes import process, quick_terminal

if TYPE_CHECKING:
    from fastapi import FastAPI

CONFIG_FD = "TWINSEAT_CONFIG_FD"
READY_FD = "TWINSEAT_READY_FD"
HOST = "127.0.0.1"

_KEY_NAMES = ("OH_SESSION_API_KEYS_0", "SESSION_API_KEY", "OH_SECRET_KEY")
_M_ARENA_MAX = -8

# Read when the libraries are imported, and taken back then: the agent's tools have no use for them.
_AT_IMPORT = {
    "LOG_AUTO_CONFIG": "false",  # our format, not Rich's
    "OPENHANDS_SUPPRESS_BANNER": "1",
}

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Asgi = Callable[[Message, Receive, Send], Awaitable[None]]


class Configuration(TypedDict):
    session_key: str
    secret_key: str
    folder: str
    port: int
    log_level: str


class Report:
    """The keeper's end of the start: phases, then where it listens or why it can't."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor

    def phase(self, name: str) -> None:
        self._write({"phase": name})

    def ready(self, port: int) -> None:
        self._write({"ready": {"port": port}})
        os.close(self._descriptor)

    def failed(self, error: BaseException) -> None:
        self._write({"failed": {"code": code_of(error), "detail": f"{type(error).__name__}: {error}"}})

    def _write(self, message: dict[str, Any]) -> None:
        os.write(self._descriptor, json.dumps(message).encode() + b"\n")


def code_of(error: BaseException) -> str:
    """The name of a failure that a restart would not mend; `agent-failed` for the rest."""
    if isinstance(error, ImportError):
        return "engine-missing"
    if isinstance(error, OSError):
        return {
            errno.EADDRINUSE: "port-in-use",
            errno.ENOSPC: "disk-full",
            errno.EDQUOT: "disk-full",
            errno.EACCES: "data-unwritable",
            errno.EPERM: "data-unwritable",
            errno.EROFS: "data-unwritable",
            errno.ENOTDIR: "data-unwritable",
        }.get(error.errno or 0, "agent-failed")
    return "agent-failed"


def main() -> None:
    # Before the keys are in this process. Threads of the allocator's own arenas cost ~30 MB here; two are enough.
    process.hide()
    process.end_with_parent()
    if process.LINUX:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
    report = Report(int(os.environ.pop(READY_FD)))
    configuration = _receive(int(os.environ.pop(CONFIG_FD)))
    logging.basicConfig(
        level=configuration["log_level"].upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        # Bound before the imports: whoever connects early waits in the queue instead of being refused.
        # Named as TCP, since only then does asyncio switch Nagle off: a frame in two writes would wait 40 ms.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind((HOST, configuration["port"]))
        prepare(configuration, listener.getsockname()[1])
        report.phase("Loading the agent's libraries")
        app = load(configuration)
        report.phase("Opening the agent's conversations")
        asyncio.run(serve(app, listener, report))
    except Exception as error:
        logging.getLogger(__name__).exception("The agent-server could not start")
        report.failed(error)
        sys.exit(1)


def _receive(descriptor: int) -> Configuration:
    os.set_inheritable(descriptor, False)
    source = os.fdopen(descriptor, encoding="utf-8")
    configuration: Configuration = json.loads(source.readline())
    if process.LINUX:
        source.close()
    else:
        # No signal on the parent's death here: the keeper holds the other end until it ends.
        threading.Thread(target=_end_at_eof, args=(source.fileno(), source), daemon=True).start()
    return configuration


def _end_at_eof(descriptor: int, _source: object) -> NoReturn:
    while os.read(descriptor, 1024):
        pass
    os._exit(1)


def prepare(configuration: Configuration, port: int) -> None:
    """The folders and the environment that the libraries read when they are imported. None of it is secret."""
    folder = Path(configuration["folder"])
    for part in ("conversations", "bash", "worktrees", "state"):
        (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in _KEY_NAMES:
        os.environ.pop(name, None)
    os.environ.update(_AT_IMPORT)
    os.environ.update(
        LITELLM_LOCAL_MODEL_COST_MAP="True",  # no download of a price list
        LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS="True",  # nor of this, at the first call
        OH_PERSISTENCE_DIR=str(folder / "state"),  # else ~/.openhands
        OH_INTERNAL_SERVER_URL=f"http://{HOST}:{port}",
        OH_TELEMETRY_CONSENT="false",
        INPUTRC=str(_inputrc(folder)),
    )


def _inputrc(folder: Path) -> Path:
    """Readline as the user set it up, but without the bracketed paste whose escapes would reach the model."""
    path = folder / "inputrc"
    path.write_text("$include /etc/inputrc\n$include ~/.inputrc\nset enable-bracketed-paste off\n", encoding="utf-8")
    return path


def load(configuration: Configuration) -> "FastAPI":
    """Import the agent-server and build its app from our configuration alone.

    Setting its default configuration first matters: importing its `api` builds an app from `load_config()`, which
    would read a JSON file from the current folder.
    """
    # Collecting rarely while 4,000 modules are made saves a tenth of the time; not at all would cost 30 MB of garbage.
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 20, 50)
    from openhands.agent_server import config as settings
    from pydantic import SecretStr

    folder = Path(configuration["folder"])
    configured = settings.Config(
        session_api_keys=[configuration["session_key"]],
        secret_key=SecretStr(configuration["secret_key"]),
        conversations_path=folder / "conversations",
        workspace_path=folder / "project",
        conversation_worktree_root=folder / "worktrees",
        bash_events_dir=folder / "bash",
        bash_events_retention_seconds=3600,
        enable_vscode=False,
        enable_browser=False,
        preload_tools=False,  # it starts a Chromium
        lease_ttl_seconds=0,  # one server per data directory; a lease would only outlive a crash
        conversation_image_has_browser=False,
    )
    _replace(settings, "_default_config", configured)
    from openhands.agent_server import api, event_service, init_router
    from openhands.tools.browser_use.definition import BrowserToolSet
    from openhands.tools.child_conversation import impl as child_conversation

    def keep_private(_config: settings.Config) -> None:
        """Instead of publishing the session key to the environment that every tool inherits."""

    def leave_alone(_working_dir: Path) -> None:
        """Instead of `git init` in the user's folder: our backend asks the user, and does it."""

    def own_key() -> dict[str, str]:
        """Instead of reading the session key from the environment; a tool in this very process asks."""
        return {child_conversation.SESSION_API_KEY_HEADER: configuration["session_key"]}

    def no_browser(_cls: type[BrowserToolSet]) -> bool:
        """Instead of importing 700 modules (1 s, 50 MB) to look for a Chromium that conversations don't get."""
        return False

    _replace(api, "export_session_api_key", keep_private)
    _replace(init_router, "export_session_api_key", keep_private)
    _replace(event_service.EventService, "_ensure_workspace_is_git_repo", staticmethod(leave_alone))
    _replace(child_conversation, "session_api_key_headers", own_key)
    _replace(BrowserToolSet, "is_usable", classmethod(no_browser))
    quick_terminal.install()
    # What the first request to a model would import: half a second, better spent while the user still types.
    for name in ("h11", "httpcore", "openai.resources"):
        importlib.import_module(name)
    gc.set_threshold(*usual)
    for name in _AT_IMPORT:
        os.environ.pop(name, None)
    return api.api


def _replace(owner: object, name: str, value: object) -> None:
    """Replace a part of the engine that has no setting. One that is no longer there must not go unnoticed."""
    getattr(owner, name)
    setattr(owner, name, value)


def only_from_backend(app: Asgi) -> Asgi:
    """Refuse what a browser sends: the server admits any origin on localhost and has no look at the Host."""

    async def guarded(scope: Message, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope.get("headers", ())}
        if scope["type"] == "lifespan" or not names & {b"origin", b"sec-fetch-site"}:
            await app(scope, receive, send)
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"Not for browsers."})
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    return guarded


async def serve(app: "FastAPI", listener: socket.socket, report: Report) -> None:
    """Serve until SIGTERM. Says ready only when the app's own start is over."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                # What is loaded now lives as long as the process: the collector need not look at it again.
                gc.freeze()
                if process.LINUX:
                    ctypes.CDLL(None).malloc_trim(0)
                report.ready(listener.getsockname()[1])

    server = Server(
        uvicorn.Config(
            only_from_backend(app),
            lifespan="on",
            log_config=None,
            access_log=False,
            ws="wsproto",  # what upstream runs and tests with
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    )
    await server.serve(sockets=[listener])
    if not server.started:
        raise RuntimeError("its start was interrupted; the log says why")


if __name__ == "__main__":
    main()
