"""The local runtime: the agent-server and code-server as children of the keeper, on the user's own folders.

One agent-server serves every local workspace; one code-server serves those that are trusted, another those that are
not (yet). They run side by side: the editor's failure doesn't stop the agent, nor the other way round.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from app.redact import redact, register
from app.runtimes import failures
from app.runtimes.contract import Endpoint, Place, RuntimeNotReady
from app.runtimes.keeper_client import KeeperClient, KeeperFailed, KeeperPlace, Known
from app.runtimes.local_parts import AGENT, EDITORS, EditorCommand, EditorPlace, LocalParts
from app.runtimes.shield import Shield, probe
from app.schemas import Part, PartState, Phase, Problem, RuntimeStatus

__all__ = ["AGENT", "EDITORS", "EditorCommand", "EditorPlace", "LocalRuntime"]

KEY_HEADER = "X-Session-API-Key"

_STATES: Mapping[str, PartState] = {
    "starting": "starting",
    "waiting": "starting",
    "ready": "ready",
    "failed": "failed",
    "stopping": "off",
    "off": "off",
}


class LocalRuntime:
    """Implements `contract.Runtime`. `data`: the data directory; `hidden`: other files with keys, such as a `.env`.

    `grace` and `pace` are the keeper's (see there); `around` the shield, else what works on this machine.
    """

    def __init__(
        self,
        data: Path,
        editor: EditorCommand | None = None,
        *,
        hidden: Iterable[Path] = (),
        base: Mapping[str, str] | None = None,
        log_level: str = "INFO",
        grace: float = 30.0,
        pace: dict[str, float] | None = None,
        around: Shield | None = None,
    ) -> None:
        data = data.resolve()
        self._has_editor = editor is not None
        self._shield = probe() if around is None else around
        self._keeper_place = KeeperPlace(data / "keeper", grace, pace or {})
        self._parts = LocalParts(
            data,
            self._keeper_place,
            editor,
            self._shield,
            hidden=hidden,
            base=os.environ if base is None else base,
            log_level=log_level,
        )
        self._client: KeeperClient | None = None
        self._opening = asyncio.Lock()
        self._recovery: asyncio.Task[None] | None = None
        self._closed = False
        self._lost = 0
        self._places: dict[str, Place] = {}
        self._wanted: set[str] = set()
        self._asked: dict[str, float] = {}
        """When a child was asked for, while the keeper doesn't know of it yet."""
        self._refused: dict[str, Problem] = {}
        self._watchers: list[Callable[[], None]] = []
        self._guarded: set[str] = set()
        self._waiting: set[asyncio.Future[None]] = set()

    # ── The contract ──────────────────────────────────────────────────────────────────────────────

    async def start(self, place: Place) -> None:
        """Returns when both servers are ready or have failed for good; what failed is told by `status`."""
        before = self._places.get(place.workspace_id)
        self._places[place.workspace_id] = place
        names = [AGENT, EDITORS[place.trusted]] if self._has_editor else [AGENT]
        await asyncio.gather(*(self._run(name) for name in names))
        if before is not None and before.trusted != place.trusted:
            await self._stop_unused()
        while not all(self._settled(name) for name in names if name in self._wanted):
            await self._news()

    async def warm(self) -> None:
        """Start the agent before anyone opened a workspace. Returns when it was asked for, not when it is ready."""
        await self._run(AGENT)

    async def stop(self, place: Place) -> None:
        """Close the workspace; what no open workspace needs any more ends, with SIGTERM first."""
        self._places.pop(place.workspace_id, None)
        await self._stop_unused()

    async def delete(self, place: Place) -> None:
        """Nothing of the user's folder is ours to delete."""
        await self.stop(place)

    def status(self, place: Place) -> RuntimeStatus:
        editor_name = EDITORS[place.trusted]
        agent = self._part(AGENT)
        editor = self._part(editor_name) if self._has_editor else Part(state="off")
        known = [one for name in (AGENT, editor_name) if (one := self._known(name)) is not None]
        state: Literal["off", "starting", "ready", "stopping", "failed"]
        if agent.state == "ready" and editor.state == "starting":
            state = "starting"
        elif agent.state == "off" and any(one.report.state == "stopping" for one in known):
            state = "stopping"
        else:
            state = agent.state
        return RuntimeStatus(
            state=state,
            place=self._shield.place,
            phases=sorted([*self._phases(AGENT), *self._phases(editor_name)], key=lambda phase: phase.started_at),
            agent=agent,
            editor=editor,
            restarts=self._lost + sum(one.report.restarts for one in known),
        )

    def agent(self, place: Place) -> Endpoint:
        known = self._known(AGENT)
        if known is None or known.report.state != "ready" or known.payload is None:
            raise RuntimeNotReady(self._excuse(AGENT, "agent"))
        port = known.report.endpoint["port"]
        return Endpoint(f"http://127.0.0.1:{port}", {KEY_HEADER: known.payload["session_key"]})

    def editor(self, place: Place) -> Endpoint:
        name = EDITORS[place.trusted]
        known = self._known(name)
        if known is None or known.report.state != "ready":
            raise RuntimeNotReady(self._excuse(name, "editor"))
        return Endpoint("http://localhost", socket=self._parts.editor_socket(name))

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        self._watchers.append(changed)

        def stop() -> None:
            with suppress(ValueError):
                self._watchers.remove(changed)

        return stop

    # ── Beyond the contract ───────────────────────────────────────────────────────────────────────

    async def retry(self, place: Place, part: Literal["agent", "editor"]) -> None:
        """Start a part that failed once more, its record wiped clean. Returns when it is ready or has failed again."""
        name = AGENT if part == "agent" else EDITORS[place.trusted]
        self._places[place.workspace_id] = place
        await self._run(name)
        while not self._settled(name):
            await self._news()

    def behind_shield(self, argv: list[str]) -> list[str]:
        """The command as one that runs where the agent does: whatever it is made to do gains nothing."""
        return self._parts.shielded(argv)

    def agent_pid(self) -> int | None:
        """The agent-server's process as the keeper started it (bubblewrap's, when shielded)."""
        known = self._known(AGENT)
        return None if known is None else known.report.pid

    def keeper_pid(self) -> int | None:
        return self._client.pid if self._client is not None else None

    async def close(self, *, end: bool) -> None:
        """Leave. With `end` everything local ends now; without, the children wait for the keeper's grace for a new
        backend to adopt them."""
        self._closed = True
        if self._recovery is not None:
            self._recovery.cancel()
        client, self._client = self._client, None
        if client is not None:
            if end:
                await client.end()
            await client.close()

    # ── Asking the keeper ─────────────────────────────────────────────────────────────────────────

    async def _run(self, name: str) -> None:
        self._wanted.add(name)
        self._refused.pop(name, None)
        self._asked.setdefault(name, time.time())
        self._notify()
        try:
            await self._ask(name)
        except (Exception, asyncio.CancelledError) as error:
            self._refused[name] = failures.of_start(name, error)
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            self._asked.pop(name, None)
            self._notify()

    async def _ask(self, name: str) -> None:
        if os.name != "posix":
            self._refused[name] = failures.UNSUPPORTED
            return
        client = await self._keeper()
        if name == AGENT:
            known = self._known(AGENT)
            key = known.payload["session_key"] if known is not None and known.payload else None
            spec = await asyncio.to_thread(self._parts.agent, key)
        else:
            spec = await asyncio.to_thread(self._parts.editor, name)
        self._asked.pop(name, None)
        await client.start(spec)

    async def _keeper(self) -> KeeperClient:
        async with self._opening:
            if self._client is None:
                client = KeeperClient(self._heard, self._keeper_gone)
                await client.open(self._keeper_place)
                for known in client.children.values():
                    self._guard(known)
                self._client = client
            return self._client

    def _heard(self, known: Known) -> None:
        self._guard(known)
        self._notify()

    def _guard(self, known: Known) -> None:
        """Key material is masked in whatever is logged, shown or exported from now on."""
        for name in ("session_key", "secret_key"):
            value = (known.payload or {}).get(name)
            if isinstance(value, str) and value not in self._guarded:
                self._guarded.add(value)
                register(value)

    def _keeper_gone(self) -> None:
        """It was killed, and its children with it: a new one starts again what was wanted."""
        self._client = None
        if not self._closed:
            self._lost += 1
            self._recovery = asyncio.create_task(self._recover())
        self._notify()

    async def _recover(self) -> None:
        for name in self._wanted:
            self._asked[name] = time.time()
        self._notify()
        await asyncio.sleep(min(0.5 * 2 ** min(self._lost, 6), 30.0))
        await asyncio.gather(*(self._run(name) for name in sorted(self._wanted)))

    async def _stop_unused(self) -> None:
        needed = {AGENT} if self._places else set[str]()
        if self._has_editor:
            needed |= {EDITORS[place.trusted] for place in self._places.values()}
        unused = self._wanted - needed
        self._wanted -= unused
        if self._client is not None:
            client = self._client
            with suppress(KeeperFailed):
                await asyncio.gather(*(client.stop(name) for name in unused))
        self._notify()

    # ── What is known ─────────────────────────────────────────────────────────────────────────────

    def _known(self, name: str) -> Known | None:
        return self._client.children.get(name) if self._client is not None else None

    def _settled(self, name: str) -> bool:
        known = self._known(name)
        if name in self._refused:
            return True
        return name not in self._asked and known is not None and known.report.state in ("ready", "failed", "off")

    def _part(self, name: str) -> Part:
        known = self._known(name)
        if name in self._refused:
            return Part(state="failed", problem=self._refused[name], log_tail=redact(known.tail) if known else "")
        if name in self._asked:
            return Part(state="starting")
        if known is None:
            return Part(state="off")
        report = known.report
        problem = failures.of_child(name, report, known.tail) if report.failure is not None else None
        return Part(
            state=_STATES[report.state],
            problem=problem if report.state in ("failed", "waiting", "starting") else None,
            log_tail=redact(known.tail) if problem is not None else "",
        )

    def _phases(self, name: str) -> list[Phase]:
        known = self._known(name)
        if name in self._asked:
            return [Phase(name=f"Starting the {name.partition(':')[0]}", started_at=_when(self._asked[name]))]
        if known is None:
            return []
        return [
            Phase(name=phase.name, started_at=_when(phase.started_at), took=phase.took) for phase in known.report.phases
        ]

    def _excuse(self, name: str, part: str) -> str:
        told = self._part(name)
        if told.problem is not None:
            return told.problem.detail
        if told.state == "starting":
            return f"The {part} is starting."
        return f"The {part} is not running."

    def _notify(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()
        for changed in list(self._watchers):
            changed()

    async def _news(self) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        await waiting


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
