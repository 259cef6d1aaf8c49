"""What all tests share: how thorough they are, that nothing is skipped in silence, and that no process stays behind.

`TWINSEAT_CI=1` makes a skipped test a failed one, unless its reason names a platform that is not at hand.
`TWINSEAT_QUALIFY=1` asks for the full counts.
"""

import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import psutil
import pytest

QUALIFY = bool(os.environ.get("TWINSEAT_QUALIFY"))
CI = bool(os.environ.get("TWINSEAT_CI"))
ELSEWHERE = ("macOS", "Windows", "WSL", "no Linux")
"""Words by which a skip's reason names a platform."""
LINGER_SECONDS = 45.0
"""How long a tree may take to end after its last test: the keeper waits 30 s for a backend that was killed."""

hypothesis.settings.register_profile("dev", max_examples=30, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("qualify", max_examples=1000, deadline=None)
hypothesis.settings.load_profile("qualify" if QUALIFY else "ci" if CI else "dev")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(call.excinfo.value) if call.excinfo else ""
        if not any(word in reason for word in ELSEWHERE):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped, and nothing may be missing here: {reason}"
    return report


@pytest.fixture(scope="session")
def qualify() -> bool:
    """Whether the full counts are asked for."""
    return QUALIFY


@pytest.fixture(scope="session", autouse=True)
def nothing_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Processes that were given one of our temporary folders must be gone in the end."""
    yield
    base = tmp_path_factory.getbasetemp()
    until = time.monotonic() + LINGER_SECONDS
    while (left := _processes(base)) and time.monotonic() < until:
        time.sleep(0.25)
    told = [f"{one.pid}: {' '.join(one.cmdline())[:300]}" for one in left if one.is_running()]
    for one in left:
        one.kill()
    assert not told, "processes left over:\n" + "\n".join(told)


def _processes(base: Path) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            told = [process.cwd(), *process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if any(f"{base}/" in f"{text}/" for text in told):
            found.append(process)
    return found
