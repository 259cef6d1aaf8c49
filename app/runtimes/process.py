"""Processes as the operating system sees them: who is below whom, who works, and how a whole tree ends.

Standard library only, because the keeper is to stay small. Linux answers everything from `/proc`; elsewhere the
answers are the honest minimum (macOS has neither a subreaper nor a signal on a parent's death), and each function
says what it does there.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LINUX = sys.platform.startswith("linux")
MARKER = "TWINSEAT_CHILD"
"""Environment variable every child carries, `<tree>:<name>`: it finds what a dead keeper left behind. No secret."""

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PT_DENY_ATTACH = 31


@dataclass(frozen=True)
class Process:
    """One line of the process table. `faults` are major page faults: work on a cold disk that costs no CPU time."""

    pid: int
    parent: int
    state: str
    name: str
    ticks: int
    faults: int
    started: int


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def hide() -> bool:
    """Make this process's memory and `/proc` entries unreadable for its own user (not for root), and undebuggable.

    The files in `/proc/<pid>` then belong to root and `ptrace` is refused; a child is an ordinary process again from
    its `exec` on. Returns whether it worked: on macOS only attaching is refused, on Windows nothing is done.
    """
    if LINUX:
        return _libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
    if sys.platform == "darwin":
        return _libc().ptrace(_PT_DENY_ATTACH, 0, None, 0) == 0
    return False


def end_with_parent() -> None:
    """SIGKILL for this process when the thread that started it ends. Elsewhere than on Linux: nothing."""
    if LINUX:
        _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def ending_with(parent: int) -> Callable[[], None] | None:
    """What a child runs between fork and exec so that it doesn't outlive `parent`, which must be single-threaded."""
    if not LINUX:
        return None
    prctl = _libc().prctl

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return prepare


def adopt_orphans() -> bool:
    """Descendants whose parent ends become children of this process, not of init. Linux only."""
    return LINUX and _libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def read(pid: int) -> Process | None:
    """The process table's line for `pid`, or None when there is no such process. `/proc` only."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    field = rest.split()
    # Fields as in proc(5), from the third on: state ppid … majflt(12) … utime(14) stime(15) … starttime(22).
    return Process(pid, int(field[1]), field[0], name, int(field[11]) + int(field[12]), int(field[9]), int(field[19]))


def table() -> dict[int, Process]:
    """Every process that can be seen; empty where there is no `/proc`."""
    if not LINUX:
        return {}
    found = (read(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {process.pid: process for process in found if process is not None}


def below(root: int, processes: dict[int, Process] | None = None) -> list[Process]:
    """Every living process below `root`, children before grandchildren; `root` itself is not in it."""
    processes = table() if processes is None else processes
    children: dict[int, list[Process]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    level = children.get(root, [])
    while level:
        found += [process for process in level if process.state not in "ZX"]
        level = [child for process in level for child in children.get(process.pid, [])]
    return found


def is_below(pid: int, root: int) -> bool:
    """Whether `pid` is `root` or below it. A process that is gone counts as below: it can't prove anything."""
    seen = 0
    while pid > 1 and seen < 1000:
        if pid == root:
            return True
        process = read(pid)
        if process is None:
            return True
        pid = process.parent
        seen += 1
    return False


def leader(pid: int, processes: dict[int, Process] | None = None) -> int:
    """The process that a child really is: bubblewrap passes no signals on, so the one it started is meant."""
    processes = table() if processes is None else processes
    while (process := processes.get(pid)) is not None and process.name == "bwrap":
        inner = [one.pid for one in processes.values() if one.parent == pid]
        if not inner:
            break
        pid = inner[0]
    return pid


def effort(pid: int) -> int:
    """A number that grows while the tree of `pid` works: CPU ticks and major page faults. 0 where there is no /proc."""
    processes = table()
    own = processes.get(pid)
    return sum(one.ticks + one.faults for one in [*below(pid, processes), *([own] if own else [])])


def marked(value: str, processes: Iterable[int] | None = None) -> list[int]:
    """Processes of this user whose environment holds `MARKER` with a value that starts with `value`; Linux only.

    How CI servers find what a build left running: the mark is inherited by whatever forks, detaches or changes
    session. A process that hides its environment from us is not found; ours that do so end with their parent.
    """
    if not LINUX:
        return []
    needle = f"{MARKER}={value}".encode()
    found: list[int] = []
    for pid in table() if processes is None else processes:
        if pid == os.getpid():
            continue
        with suppress(OSError):
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            if any(entry.startswith(needle) for entry in environment.split(b"\0")):
                found.append(pid)
    return found


def signal_all(pids: Iterable[int], number: int) -> None:
    """Send a signal to each; those that are gone, or not ours, are passed over."""
    for pid in pids:
        if pid > 1:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
