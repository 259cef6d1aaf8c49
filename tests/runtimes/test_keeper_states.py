"""Random lives of children under a keeper: whatever happens in whatever order, it tells the truth, leaves nothing."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Awaitable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.runtimes import process
from app.runtimes.keeper_client import tree_name
from tests.runtimes.children import REPORT, Keeping, marked, spec, until

FINAL = 'echo \'{"failed": {"code": "disk-full", "detail": "x"}}\' > /proc/self/fd/$TWINSEAT_READY_FD; exit 1'
KINDS = {
    "steady": REPORT + "exec sleep 1000",
    "detaches": "setsid -f sleep 1000; (setsid sleep 1001 &); " + REPORT + "exec sleep 1002",
    "ignores SIGTERM": "trap '' TERM; " + REPORT + "while :; do sleep 1000; done",
    "dies": "setsid -f sleep 1000; " + REPORT + "sleep 0.05; exit 1",
    "refuses": "setsid -f sleep 1000; " + FINAL,
}
SETTLED = {
    "steady": {"ready"},
    "detaches": {"ready"},
    "ignores SIGTERM": {"ready"},
    "dies": {"starting", "ready", "waiting"},
    "refuses": {"failed"},
}
NAMES = st.sampled_from(["one", "two"])


class Lives(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.data = Path(tempfile.mkdtemp(prefix="keeper-"))
        self.wanted: dict[str, str] = {}
        self.stopped: set[str] = set()
        self.keeper = Keeping(self.data, crashes=10_000, term=0.1, first_delay=0.02, longest_delay=0.1)
        self.now(self.keeper.open())

    def now[T](self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)

    @rule(name=NAMES, kind=st.sampled_from(sorted(KINDS)))
    def start(self, name: str, kind: str) -> None:
        self.now(self.keeper.client.start(spec(name, self.data, KINDS[kind])))
        if self.wanted.get(name) in (None, "refuses"):  # else it runs, and stays what it is
            self.wanted[name] = kind
        elif self.wanted[name] == "dies":
            # Between two lives it can be replaced, within one it can't: either is right.
            self.now(self.keeper.client.stop(name))
            self.now(self.keeper.client.start(spec(name, self.data, KINDS[kind])))
            self.wanted[name] = kind
        self.stopped.discard(name)

    @rule(name=NAMES)
    def stop(self, name: str) -> None:
        self.now(self.keeper.client.stop(name))
        if self.wanted.pop(name, None) is not None:
            self.stopped.add(name)

    @rule(name=NAMES)
    def kill(self, name: str) -> None:
        known = self.keeper.client.children.get(name)
        if known is not None and known.report.pid is not None and self.wanted.get(name) != "dies":
            restarts = known.report.restarts
            process.signal_all([known.report.pid], signal.SIGKILL)
            self.now(until(lambda: self.keeper.client.children[name].report.restarts > restarts))

    @rule()
    def backend_returns(self) -> None:
        self.now(self.keeper.client.close())
        assert self.now(self.keeper.open()) is True

    @rule()
    def keeper_is_killed(self) -> None:
        os.kill(self.keeper.client.pid, signal.SIGKILL)
        self.now(until(lambda: self.keeper.lost))
        assert self.now(self.keeper.open()) is False
        assert marked(self.data) == []
        assert self.keeper.client.children == {}
        self.wanted.clear()
        self.stopped.clear()

    @invariant()
    def it_tells_the_truth(self) -> None:
        for name, kind in self.wanted.items():
            self.now(until(lambda name=name, kind=kind: self.keeper.state(name) in SETTLED[kind]))
            known = self.keeper.client.children[name]
            if known.report.state == "ready" and kind != "dies":
                assert known.report.pid is not None
                assert process.read(known.report.pid) is not None
        for name in self.stopped | {name for name, kind in self.wanted.items() if kind == "refuses"}:
            assert process.marked(f"{tree_name(self.data / 'keeper')}:{name};") == []
        for name in self.stopped:
            assert self.keeper.state(name) == "off"

    def teardown(self) -> None:
        keeper = self.keeper.client.pid
        self.now(self.keeper.client.end())
        self.now(self.keeper.client.close())
        assert marked(self.data) == []
        self.now(until(lambda: process.read(keeper) is None or process.read(keeper).state == "Z"))  # type: ignore[union-attr]
        self.loop.close()
        shutil.rmtree(self.data)


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=int(os.environ.get("TWINSEAT_EXAMPLES", "12")),
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
