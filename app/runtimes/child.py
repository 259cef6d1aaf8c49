"""One supervised child of the keeper: started, watched, restarted with back-off, ended with everything below it.

Standard library only. The child's stdout and stderr come to us through a pipe: its log file lies where the child
itself may not look (see the shield), and the last lines stay in memory for the problem the user is shown.
"""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict

from app.runtimes import process
from app.runtimes.log_tail import LogTail
from app.runtimes.wire import answers

State = Literal["starting", "ready", "waiting", "failed", "stopping", "off"]
"""`waiting`: it crashed and is about to be started again. `failed`: it will not be, until someone asks."""


class Spec(TypedDict):
    """What to run. `payload`, when not null, goes to the child as one line of JSON through a pipe and stays secret.

    `ready`: `pipe` (the child reports on a pipe, see the launcher), a unix socket's path (ready once HTTP is answered
    there) or null (ready as soon as it runs).
    """

    name: str
    argv: list[str]
    env: dict[str, str]
    cwd: str
    log: str
    payload: dict[str, Any] | None
    ready: str | None


@dataclass(frozen=True)
class Pace:
    """Times in seconds; tests shorten them. `stall`: a start without any sign of work for so long has hung."""

    first_delay: float = 1.0
    longest_delay: float = 30.0
    crashes: int = 5
    window: float = 120.0
    term: float = 5.0
    stall: float = 60.0


@dataclass
class Phase:
    name: str
    started_at: float
    took: float | None = None


@dataclass
class Report:
    """What the outside learns about a child."""

    state: State = "off"
    pid: int | None = None
    endpoint: dict[str, Any] = field(default_factory=dict)
    phases: list[Phase] = field(default_factory=list)
    restarts: int = 0
    exit: int | None = None
    failure: dict[str, str] | None = None
    """`code` (a launcher's, or `crashed`, `stalled`, `missing-program`) and `detail`."""


class Child:
    """Life cycle: off → starting → ready → (crash) waiting → starting …; failed after too many; stopping → off."""

    def __init__(self, spec: Spec, tree: str, pace: Pace, changed: Callable[["Child"], None]) -> None:
        self.spec = spec
        self.report = Report()
        self._mark = f"{tree}:{spec['name']};"
        self._pace = pace
        self._changed = changed
        self._log = LogTail(Path(spec["log"]))
        self._crashes: deque[float] = deque()
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._life: int | None = None

    # ── From outside ──────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Start it unless it runs, or is about to. After a failure this is a new beginning with a clean record."""
        if self._task is not None and not self._task.done():
            return
        self._crashes.clear()
        self.report = Report(restarts=self.report.restarts)
        self._begin()
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """SIGTERM to the process itself, SIGKILL to whatever is left below it after `pace.term` seconds."""
        if self._task is None or self._task.done():
            if self.report.state != "off":
                self._enter("off")
            return
        self._enter("stopping")
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._end()
        self.report.pid, self.report.endpoint = None, {}
        self._enter("off")

    def tail(self) -> str:
        return self._log.text()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    # ── The life ──────────────────────────────────────────────────────────────────────────────────

    async def _live(self) -> None:
        while True:
            failure, final = await self._once()
            await self._end()
            self.report.pid, self.report.endpoint = None, {}
            self.report.failure = failure
            now = time.monotonic()
            self._crashes.append(now)
            while self._crashes and now - self._crashes[0] > self._pace.window:
                self._crashes.popleft()
            self._finish_phase()
            if final or len(self._crashes) >= self._pace.crashes:
                self._enter("failed")
                return
            self._enter("waiting")
            delay = self._pace.first_delay * 2 ** (len(self._crashes) - 1)
            await asyncio.sleep(min(delay, self._pace.longest_delay))
            self.report.restarts += 1
            self._begin()

    async def _once(self) -> tuple[dict[str, str], bool]:
        """Run it until it ends. Returns why, and whether a restart is pointless."""
        try:
            waiting = await self._spawn()
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            code = "missing-program" if missing else "crashed"
            return {"code": code, "detail": f"{self.spec['argv'][0]}: {error.strerror or error}"}, missing
        running = self._process
        assert running is not None  # noqa: S101 - `_spawn` has just set it
        starting = asyncio.create_task(self._become_ready(waiting))
        ending = asyncio.create_task(running.wait())
        try:
            await asyncio.wait((starting, ending), return_when=asyncio.FIRST_COMPLETED)
            failure = starting.result() if starting.done() else None
            if starting.done() and failure is None:
                self.report.failure = None
                self._finish_phase()
                self._enter("ready")
                await ending
            elif failure is None:
                # It ended first; what it wanted to say may still be in the pipe.
                with contextlib.suppress(TimeoutError):
                    failure = await asyncio.wait_for(asyncio.shield(starting), 0.5)
            if failure is not None:
                return failure, failure["code"] not in ("crashed", "stalled", "agent-failed")
            self.report.exit = running.returncode
            return {"code": "crashed", "detail": _ending(running.returncode)}, False
        finally:
            for task in (starting, ending):
                task.cancel()
            if waiting is not None:
                os.close(waiting)

    async def _spawn(self) -> int | None:
        """Start the process; returns our end of its ready pipe, when it has one."""
        if self.spec["ready"] not in (None, "pipe"):
            Path(self.spec["ready"]).unlink(missing_ok=True)  # a dead one's socket
        environment = self.spec["env"] | {process.MARKER: self._mark}
        ours: int | None = None
        theirs: list[int] = []
        # Not asyncio's own pipe: its `wait` may wait for the pipe as well, which a detached grandchild can hold open.
        output, theirs_output = os.pipe()
        theirs.append(theirs_output)
        try:
            if self.spec["payload"] is not None:
                config, write = os.pipe()
                theirs.append(config)
                environment["TWINSEAT_CONFIG_FD"] = str(config)
                # Smaller than a pipe's buffer, so this doesn't wait. The write end stays open where the child
                # learns of our death by it.
                os.write(write, json.dumps(self.spec["payload"]).encode() + b"\n")
                if process.LINUX:
                    os.close(write)
                else:
                    self._life = write
            if self.spec["ready"] == "pipe":
                ours, ready = os.pipe()
                os.set_blocking(ours, False)
                theirs.append(ready)
                environment["TWINSEAT_READY_FD"] = str(ready)
            self._process = await asyncio.create_subprocess_exec(
                *self.spec["argv"],
                env=environment,
                cwd=self.spec["cwd"],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=theirs_output,
                stderr=theirs_output,
                pass_fds=theirs[1:],
                start_new_session=True,
                preexec_fn=process.ending_with(os.getpid()),
            )
        except BaseException:
            os.close(output)
            if ours is not None:
                os.close(ours)
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self._reader = asyncio.create_task(self._read_output(output))
        self.report.pid = self._process.pid
        self._changed(self)
        return ours

    async def _become_ready(self, pipe: int | None) -> dict[str, str] | None:
        """Until ready: None. Else why it will never be."""
        if self.spec["ready"] is None:
            return None
        heard = asyncio.create_task(self._listen(pipe) if pipe is not None else answers(self.spec["ready"]))
        watch = asyncio.create_task(self._watch_progress())
        try:
            await asyncio.wait((heard, watch), return_when=asyncio.FIRST_COMPLETED)
            if heard.done():
                return heard.result()
            return {"code": "stalled", "detail": f"it showed no sign of work for {self._pace.stall:.0f} seconds"}
        finally:
            heard.cancel()
            watch.cancel()

    async def _listen(self, pipe: int) -> dict[str, str] | None:
        """Follow a launcher's report. An end without a word never returns: the process's own end tells more."""
        loop = asyncio.get_running_loop()
        buffered = b""
        while True:
            readable = asyncio.Event()
            loop.add_reader(pipe, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(pipe)
            chunk = os.read(pipe, 65_536)
            if not chunk:
                await asyncio.get_running_loop().create_future()
            buffered += chunk
            *lines, buffered = buffered.split(b"\n")
            for line in lines:
                message = json.loads(line)
                if "phase" in message:
                    self._phase(message["phase"])
                elif "ready" in message:
                    self.report.endpoint = message["ready"]
                    return None
                elif "failed" in message:
                    return message["failed"]

    async def _watch_progress(self) -> None:
        """Returns when nothing has moved for `pace.stall` seconds: no CPU time, no page from disk, no log line."""
        last, since = (-1, -1), time.monotonic()
        while time.monotonic() - since < self._pace.stall:
            now = (process.effort(self.pid or 0), self._log.received)
            if now != last or not process.LINUX:
                last, since = now, time.monotonic()
            await asyncio.sleep(min(1.0, self._pace.stall / 4))

    async def _read_output(self, descriptor: int) -> None:
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(descriptor, "rb", buffering=0)
        )
        try:
            while chunk := await stream.read(65_536):
                self._log.keep(chunk)
        finally:
            transport.close()

    async def _end(self) -> None:
        """End the process and everything that came from it, detached or not."""
        running, table = self._process, process.table()
        if running is not None and running.returncode is None:
            process.signal_all([process.leader(running.pid, table)], signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(running.wait(), self._pace.term)
        for _ in range(50):
            table = process.table()
            left = process.marked(self._mark, [one.pid for one in process.below(os.getpid(), table)])
            if running is not None and running.returncode is None:
                left += [running.pid, *(one.pid for one in process.below(running.pid, table))]
                if not process.LINUX:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(running.pid, signal.SIGKILL)
            if not left:
                break
            process.signal_all(left, signal.SIGKILL)
            await asyncio.sleep(0.02)
        if self._reader is not None:
            with contextlib.suppress(TimeoutError):  # what it said last; its own end closed the pipe
                await asyncio.wait_for(self._reader, 0.5)
            self._reader = None
        if self._life is not None:
            os.close(self._life)
            self._life = None
        self._process = None

    # ── What is told ──────────────────────────────────────────────────────────────────────────────

    def _enter(self, state: State) -> None:
        self.report.state = state
        self._changed(self)

    def _begin(self) -> None:
        self.report.phases = []
        self.report.state = "starting"
        self._phase(f"Starting the {self.spec['name'].partition(':')[0]}")

    def _phase(self, name: str) -> None:
        self._finish_phase()
        self.report.phases.append(Phase(name, time.time()))
        self._changed(self)

    def _finish_phase(self) -> None:
        if self.report.phases and self.report.phases[-1].took is None:
            self.report.phases[-1].took = round(time.time() - self.report.phases[-1].started_at, 3)


def _ending(code: int | None) -> str:
    if code is None:
        return "it is gone"
    # Bubblewrap tells of a signal as shells do: 128 and its number.
    number = -code if code < 0 else code - 128
    if number > 0:
        with contextlib.suppress(ValueError):
            return f"it was ended by {signal.Signals(number).name}"
    return f"it ended with exit code {code}"
