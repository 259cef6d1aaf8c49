"""The shield's view of the disk, the environment's allow-list, and the looks at processes."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from app.runtimes import environment, failures, process, wire
from app.runtimes.child import Report
from app.runtimes.shield import Shield, probe, ways_around
from tests.runtimes import ordinary


def within(shield: Shield, script: str, data: Path, shown: list[Path], hidden: list[Path]) -> str:
    argv = shield.wrap(["/bin/sh", "-c", script], data=data, shown=shown, hidden=hidden)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_only_what_is_shown_can_be_seen(tmp_path: Path) -> None:
    assert probe().works, probe().reason
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    for folder in (data / "agent", data / "keeper", elsewhere / "folder"):
        folder.mkdir(parents=True)
    (data / "endpoint.json").write_text("{}")
    (elsewhere / ".env").write_text("LLM_API_KEY=x")
    (elsewhere / "folder/file").write_text("x")
    (elsewhere / "link").symlink_to(elsewhere / ".env")
    hidden = [elsewhere / "link", elsewhere / "folder", data / "keeper", tmp_path / "absent"]
    script = (
        f"ls -A {data}; echo kept > {data}/agent/file; echo lost > {data}/file; cat {elsewhere}/.env; "
        f"ls {elsewhere}/folder; ls {elsewhere}; ls /proc | grep -c '^[0-9]'"
    )
    said = within(probe(), script, data, [data / "agent"], hidden)
    assert said.split()[:3] == ["agent", "folder", "link"]
    assert int(said.split()[3]) < 8  # no process but its own
    assert (data / "agent/file").read_text() == "kept\n"
    assert not (data / "file").exists()


def test_without_bubblewrap_nothing_changes_but_the_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    probe.cache_clear()
    try:
        shield = probe()
    finally:
        probe.cache_clear()
    assert not shield.works
    assert shield.wrap(["a", "b"], data=tmp_path) == ["a", "b"]
    assert shield.place == (
        "Local, not contained; the app's own state is not shielded from the agent: "
        "bubblewrap is not installed (package `bubblewrap`)"
    )


def test_a_bubblewrap_that_is_not_allowed_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    probe.cache_clear()
    try:
        assert probe().reason == "bubblewrap does not work here (bwrap: No permissions to create new namespace)"
    finally:
        probe.cache_clear()


def test_the_ways_around_are_those_that_exist(tmp_path: Path) -> None:
    for name in ("bus", "keyring/control", "systemd/private", "keyring/ssh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "agent.1").touch()
    found = ways_around(
        {
            "XDG_RUNTIME_DIR": str(tmp_path),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/bus,guid=1;unix:abstract=/tmp/x",
            "SSH_AUTH_SOCK": str(tmp_path / "agent.1"),
        }
    )
    names = {str(path.relative_to(tmp_path)) for path in found if path.is_relative_to(tmp_path)}
    assert names == {"bus", "keyring/control", "systemd/private", "keyring/ssh", "agent.1"}


def test_a_child_knows_only_what_is_listed() -> None:
    base = {
        "HOME": "/h",
        "PATH": "/p",
        "LLM_API_KEY": "k",
        "LLM_API_KEY_FILE": "/k",
        "OH_SECRET_KEY": "k",
        "OPENAI_API_KEY": "k",
        "GITHUB_TOKEN": "k",
        "LC_ALL": "C",
        "SSH_AUTH_SOCK": "/s",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/b",
        "LD_PRELOAD": "/x.so",
        "PYTHONPATH": "/x",
    }
    assert environment.for_child(base) == {"HOME": "/h", "PATH": "/p", "LC_ALL": "C", "LANG": "C.UTF-8"}
    assert environment.for_child(base, personal=True)["SSH_AUTH_SOCK"] == "/s"
    behind = environment.for_child({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "example.com,localhost"})
    assert behind["NO_PROXY"] == "example.com,localhost,127.0.0.1,::1"
    assert behind["no_proxy"] == "127.0.0.1,localhost,::1"


def test_the_process_table_knows_who_is_below_whom() -> None:
    script = "setsid sleep 1000 & sleep 1001 & wait"
    with subprocess.Popen(["/bin/sh", "-c", script], env={"PATH": os.environ["PATH"], process.MARKER: "t:x;"}) as shell:
        while len(process.below(shell.pid)) < 2:
            time.sleep(0.01)
        below = process.below(shell.pid)
        assert [one.parent for one in below] == [shell.pid, shell.pid]
        assert process.is_below(below[0].pid, os.getpid())
        assert process.is_below(os.getpid(), os.getpid())
        assert not process.is_below(os.getpid(), shell.pid)
        assert process.is_below(2**22 + 1, shell.pid)  # gone: it can't prove anything
        assert {one.pid for one in below} | {shell.pid} == set(process.marked("t:"))
        assert process.marked("other:") == []
        process.signal_all([shell.pid, *(one.pid for one in below)], 9)


HIDDEN = """
import subprocess, sys
from pathlib import Path
code = "from app.runtimes import process; input(); print(process.hide(), flush=True); input()"
with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as child:
    while not Path(f"/proc/{child.pid}/environ").read_bytes():  # until it is what it will be, it has none
        pass
    print("readable", file=child.stdin, flush=True)
    print(child.stdout.readline().strip())
    for name in ("environ", "mem", "maps"):
        try:
            Path(f"/proc/{child.pid}/{name}").open("rb")
        except PermissionError:
            print("refused")
    child.communicate("\\n")
"""


def test_a_hidden_process_cannot_be_read_by_its_user() -> None:
    with tempfile.TemporaryDirectory(prefix="seat-") as home:
        done = ordinary.run([sys.executable, "-c", HIDDEN], Path(home))
    assert done.stdout.split() == ["True", "refused", "refused", "refused"], done.stderr


def test_a_socket_path_is_never_too_long_nor_someone_elses(tmp_path: Path) -> None:
    assert wire.socket_path(tmp_path, "s") == tmp_path / "s"
    deep = tmp_path / ("x" * 120)
    short = wire.socket_path(deep, "s")
    try:
        assert short == wire.socket_path(deep, "s")
        assert len(str(short)) < 104
        short.parent.chmod(0o755)
        with pytest.raises(PermissionError):
            wire.socket_path(deep, "s")
    finally:
        short.parent.rmdir()


@pytest.mark.parametrize(
    ("failure", "tail", "code", "part"),
    [
        ({"code": "engine-missing", "detail": "No module named 'openhands'"}, "", "engine-missing", "not installed"),
        ({"code": "crashed", "detail": "it ended with exit code 1"}, "OSError: [Errno 28] No space left on device",
         "disk-full", "no space left"),
        ({"code": "crashed", "detail": "it ended with exit code 1"}, "Error: listen EADDRINUSE", "port-in-use", "port"),
        ({"code": "stalled", "detail": "it showed no sign of work for 60 seconds"}, "", "stalled", "no sign of work"),
        ({"code": "crashed", "detail": "it was ended by SIGSEGV"}, "", "crashed", "several times"),
        ({"code": "agent-failed", "detail": "AttributeError: x"}, "", "agent-failed", "AttributeError: x"),
    ],
)  # fmt: skip
def test_failures_are_sentences(failure: dict[str, str], tail: str, code: str, part: str) -> None:
    problem = failures.of_child("agent", Report(state="failed", failure=failure), tail)
    assert problem.code == code
    assert part in problem.detail
    assert problem.detail.endswith(".")
    assert problem.remedy
    again = failures.of_child("agent", Report(state="waiting", failure=failure), tail)
    assert again.remedy == "It is being started again; there is nothing to do."


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(28, "No space left on device", "/d/keeper/secret"), "disk-full"),
        (PermissionError(13, "Permission denied", "/d"), "data-unwritable"),
        (FileNotFoundError(2, "No such file or directory", "node"), "missing-program"),
        (NotADirectoryError(20, "Not a directory", "/d/keeper"), "data-unwritable"),
    ],
)
def test_what_stops_a_start_is_a_sentence(error: OSError, code: str) -> None:
    problem = failures.of_start("editor:trusted", error)
    assert problem.code == code
    assert problem.detail.startswith("The editor (code-server) can't ")
    assert str(error.filename) in problem.detail
