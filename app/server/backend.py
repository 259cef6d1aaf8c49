"""The composition root: one backend of one data directory, from the lock to the last listener.

Three kinds of loopback listeners run in one loop: the app (page, API, socket), the gateway (model calls and the
editor's bridge; its port is remembered, because running agents know it) and an editor origin for each workspace.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import cast

import structlog

import app
from app.agent.hub import Hub
from app.config import Config
from app.editor import code_server
from app.editor.bridge import Bridge, Selection
from app.editor.origin import Origins
from app.gateway.agents import AsgiApp
from app.gateway.app import Gateway
from app.gateway.app import build as build_gateway
from app.gateway.llm import llm_config
from app.gateway.probe import Prober
from app.gateway.profiles import Profiles
from app.paths import Paths
from app.problems import Fault
from app.redact import known
from app.runtimes.contract import Endpoint
from app.runtimes.local import EditorPlace, LocalRuntime
from app.schemas import Events, Problem, Settings, Usage
from app.secrets import SecretStore
from app.server import application, endpoint
from app.server.clients import Clients
from app.server.demonstration import Demonstration
from app.server.following import Following
from app.server.listener import Listener
from app.server.parts import Parts
from app.server.remembered import Remembered
from app.server.sessions import Sessions
from app.server.socket import MESSAGE_BYTES
from app.settings import SettingsFile
from app.storage.journal import Journal
from app.tasks import ModelChoice, TaskService
from app.workspaces import Workspaces

log = structlog.get_logger()


class Backend:
    """`open` builds it, `run` serves until it is told to stop (or, when the window started it, until nobody needs it).

    Everything that can fail at the start is a Fault with a sentence.
    """

    def __init__(self, config: Config, *, stay: bool = True, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self.paths = config.paths
        self.stopping = asyncio.Event()
        self._stay = stay
        self._clock = clock
        self._lock = endpoint.Lock(self.paths)
        self._secret = secrets.token_urlsafe(32)
        self._undo: list[Callable[[], Awaitable[None]]] = []
        self._publishing: set[asyncio.Task[None]] = set()
        self.parts: Parts
        self.url = ""

    async def open(self) -> None:
        """Take the lock, open everything, listen, and say where. Raises Fault; what was opened is closed again."""
        _take(self._lock, self.paths)
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise

    async def run(self) -> None:
        """Serve until `stopping` is set or nobody needs us any more, then close."""
        watch = asyncio.create_task(self._until_unneeded())
        stop = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait([watch, stop], return_when=asyncio.FIRST_COMPLETED)
        finally:
            watch.cancel()
            stop.cancel()
            await self.close()

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT end it gracefully; a second one ends the wait for that."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, self.stopping.set)

    async def close(self) -> None:
        """Undo what was opened, the last first; one that fails does not keep the others from it."""
        while self._undo:
            undo = self._undo.pop()
            try:
                await undo()
            except Exception:
                log.exception("closing failed")
        self._lock.release()

    # ── Putting it together ───────────────────────────────────────────────────────────────────────

    async def _open(self) -> None:
        crashed = endpoint.read(self.paths)
        journal = await Journal.open(self.paths.journal, known)
        self._undo.append(journal.close)
        settings = SettingsFile(self.paths.settings, self.config)
        keys = SecretStore(self.config)
        profiles = Profiles(self.config, keys)
        if profiles.warning:
            settings.warn(profiles.warning)
        sessions = Sessions(self.config, self.paths, self._secret, self._clock)

        async def replay(task_id: str, after: int, limit: int) -> Events:
            return await journal.events(task_id, after=after, limit=limit)

        hub = Hub(replay)

        # What is made later is reached through functions: the parts know of each other in circles.
        async def model_of(task_id: str) -> str | None:
            return (await journal.tasks.get(task_id)).model_id

        async def used(task_id: str, usage: Usage) -> None:
            await tasks.meter.record_usage(task_id, usage)

        async def over_budget(task_id: str) -> Problem | None:
            return await tasks.meter.over_budget(task_id)

        async def greet(workspace_id: str) -> None:
            await following.greet(workspace_id)

        demonstration = Demonstration()
        gateway = Gateway(
            tokens=journal.tokens,
            profiles=profiles,
            model_of=model_of,
            on_usage=used,
            over_budget=over_budget,
            demo=demonstration.server,
            on_problem=lambda task_id, problem: tasks.meter.model_failed(task_id, problem),  # noqa: PLW0108
        )
        self._undo += [demonstration.close, gateway.close]
        remembered = Remembered.read(self.paths)
        bridge = Bridge(
            remembered.bridge,
            lambda: workspaces.paths(),  # noqa: PLW0108  it is made below
            asked=lambda selection: _asked(hub, selection),
            trust_wanted=lambda workspace_id: _trust_wanted(hub, workspace_id),
            greeted=greet,
        )

        async def workspace_of(task_id: str) -> str:
            return (await journal.tasks.get(task_id)).workspace_id

        following = Following(bridge, workspace_of, lambda: settings.value.follow_agent)
        hub.watch(following.saw)
        self._undo.append(following.close)
        inner = Listener(
            build_gateway(gateway, bridge=cast("AsgiApp", bridge)), "The model gateway", port=remembered.gateway
        )
        self._undo.append(inner.stop)
        runtime = self._runtime(inner.port, remembered.bridge)

        def editor_target(workspace_id: str) -> Endpoint:
            used, place = workspaces.place(workspace_id)
            return used.editor(place)

        origins = Origins(editor_target, lambda workspace_id: workspaces.status(workspace_id).editor)
        workspaces = Workspaces(
            journal.workspaces, settings, runtime, origins, bridge, hub.publish, self.config.code_server_port
        )

        async def choose(profile_id: str | None, token: str) -> ModelChoice:
            profile = profiles.get(profile_id)
            llm = llm_config(profiles.stored(profile.id), token, inner.url, profiles.prices)
            return ModelChoice(profile.id, profile.name, llm)

        tasks = TaskService(journal, hub, workspaces.place, choose)
        self.parts = Parts(
            config=self.config,
            secret=self._secret,
            sessions=sessions,
            clients=Clients(),
            settings=settings,
            secrets=keys,
            journal=journal,
            hub=hub,
            tasks=tasks,
            workspaces=workspaces,
            profiles=profiles,
            bridge=bridge,
            demo=lambda: demonstration.begin(settings, workspaces, tasks),
            prober=Prober(profiles),
        )

        guard = application.build(self.parts, journal.idempotency)
        asked = self.config.port
        outer = Listener(
            guard, "Twinseat", port=asked or remembered.app, insist=asked is not None, frame_bytes=MESSAGE_BYTES
        )
        self._undo.append(outer.stop)
        guard.serve_at(outer.port)
        if remembered.app not in (None, outer.port):
            # Whoever took the port may have been sent a session's token, by a page that waits for us there.
            sessions.end_all()
        self.url = self.parts.url = outer.url
        origins.app_origins = (outer.url, f"http://localhost:{outer.port}", *self.config.origins)
        settings.watch(self._settings_changed)
        Remembered(outer.port, inner.port, remembered.bridge).write(self.paths)

        await inner.start()
        await outer.start()
        await workspaces.load()
        self._undo.append(self._stop_work)
        self._settings_changed(settings.value)
        await tasks.recover()
        if crashed is not None:
            await workspaces.reopen(datetime.fromisoformat(crashed.started_at))
        self._announce()
        self._undo.append(self._withdraw)
        log.info("listening", url=self.url, gateway=inner.url, pid=os.getpid())

    def _runtime(self, gateway_port: int, bridge_token: str) -> LocalRuntime:
        cache = self.paths.cache

        def editor(place: EditorPlace) -> tuple[list[str], dict[str, str]]:
            home = code_server.find(cache)
            argv = code_server.argv(
                home,
                socket=place.socket,
                user_data=place.user_data,
                extensions=place.extensions,
                trusted=place.trusted,
            )
            theme = self.parts.settings.value.theme
            environment = code_server.environment(
                place.environment,
                trusted=place.trusted,
                bridge_url=f"ws://127.0.0.1:{gateway_port}/bridge",
                bridge_token=bridge_token,
                theme=None if theme == "system" else theme,
            )
            return argv, environment

        runtime = LocalRuntime(self.paths.data, editor, hidden=self.config.files, log_level=self.config.level.upper())
        self._undo.append(lambda: runtime.close(end=True))
        return runtime

    async def _stop_work(self) -> None:
        await self.parts.tasks.close()
        await self.parts.workspaces.close()

    # ── Being found, and ending ───────────────────────────────────────────────────────────────────

    def _announce(self) -> None:
        backend = endpoint.Backend(
            self.url, os.getpid(), self._secret, app.__version__, datetime.now(UTC).isoformat(timespec="seconds")
        )
        try:
            endpoint.write(self.paths, backend)
        except OSError as error:
            raise Fault.of(error, "the data folder") from error

    async def _withdraw(self) -> None:
        self.paths.endpoint.unlink(missing_ok=True)

    async def _until_unneeded(self) -> None:
        """Returns when the window started us, nobody looks on any more and no task runs."""
        if self._stay:
            await asyncio.Event().wait()
        while True:
            await self.parts.clients.gone()
            if not await self.parts.journal.tasks.in_states(["starting", "running"]):
                log.info("nobody needs this backend any more")
                return
            await asyncio.sleep(1)

    def _settings_changed(self, value: Settings) -> None:
        self.parts.hub.publish({"type": "status", "settings": value.model_dump(mode="json")})
        self.parts.tasks.default_mode = value.default_mode
        self.parts.tasks.default_budget = value.default_budget_usd
        task = asyncio.create_task(self.parts.bridge.theme(value.theme))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)


def _take(lock: endpoint.Lock, paths: Paths) -> None:
    try:
        paths.create()
        free = lock.acquire()
    except OSError as error:
        raise Fault(
            code="data-folder",
            status=503,
            title="The data folder can't be used",
            detail=f"The data folder {paths.data} can't be written: {error.strerror or error}.",
            remedy="Free some space or correct its permissions, or name another folder in TWINSEAT_DATA_DIR.",
        ) from error
    if not free:
        running = endpoint.read(paths)
        where = f" at {running.url} (process {running.pid})" if running else ""
        raise Fault(
            code="already-running",
            status=409,
            title="Twinseat is running already",
            detail=f"A backend for {paths.data} is running already{where}.",
            remedy="Use that one (`twinseat` opens it), or end it first.",
        )


async def _asked(hub: Hub, selection: Selection) -> None:
    hub.publish({"type": "status", "ask": selection.frame()})


async def _trust_wanted(hub: Hub, workspace_id: str) -> None:
    """Only asks: what runs beside the editor could send this too, so the decision is made in our own page."""
    hub.publish({"type": "status", "trust_wanted": {"workspace": workspace_id}})
