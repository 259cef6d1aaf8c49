"""The keeper with real, quick children: life cycle, adoption, who may talk to it, and that nothing is left over."""

# ruff: noqa: ASYNC220, ASYNC221

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from app.runtimes import process, wire
from app.runtimes.keeper_client import KeeperClient, KeeperFailed
from tests.runtimes.children import REPORT, Keeping, keeping, marked, spec, until


def gone(pid: int) -> bool:
    one = process.read(pid)
    return one is None or one.state in "ZX"


async def test_a_child_reports_phases_and_becomes_ready(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        script = 'echo \'{"phase": "Thinking"}\' > /proc/self/fd/$TWINSEAT_READY_FD; ' + REPORT + "exec sleep 1000"
        await keeper.client.start(spec("child", tmp_path, script))
        known = await keeper.reaches("ready")
        assert [phase.name for phase in known.report.phases] == ["Starting the child", "Thinking"]
        assert all(phase.took is not None for phase in known.report.phases)
        assert known.report.endpoint == {"port": 1}
        await keeper.client.stop("child")
        assert keeper.state() == "off"
        await until(lambda: not marked(tmp_path))


async def test_the_payload_comes_through_the_pipe_and_nowhere_else(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        told = spec("child", tmp_path, "cat <&$TWINSEAT_CONFIG_FD; env; cat /proc/$$/cmdline; exit 3")
        told["argv"] = ["/bin/bash", *told["argv"][1:]]
        told["payload"] = {"session_key": "planted-4711"}
        await keeper.client.start(told)
        known = await keeper.reaches("failed")
        assert known.tail.count('{"session_key": "planted-4711"}') == 5
        assert known.tail.count("4711") == 5  # once in each of its five lives: from the pipe
        assert known.report.failure == {"code": "crashed", "detail": "it ended with exit code 3"}


async def test_a_crash_is_followed_by_growing_pauses_and_then_given_up(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        await keeper.client.start(spec("child", tmp_path, REPORT + "echo last words; exit 7"))
        known = await keeper.reaches("failed")
        assert known.report.restarts == 4
        assert known.report.failure == {"code": "crashed", "detail": "it ended with exit code 7"}
        assert "last words" in known.tail
        assert (tmp_path / "child.log").read_text().count("last words") == 5
        assert (tmp_path / "child.log").stat().st_mode & 0o077 == 0
        # Asking again is a new beginning.
        await keeper.client.start(spec("child", tmp_path, REPORT + "exec sleep 1000"))
        assert (await keeper.reaches("ready")).report.failure is None


async def test_a_failure_that_no_restart_mends_is_final(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        report = (
            'echo \'{"failed": {"code": "disk-full", "detail": "full"}}\' > /proc/self/fd/$TWINSEAT_READY_FD; exit 1'
        )
        await keeper.client.start(spec("child", tmp_path, report))
        known = await keeper.reaches("failed")
        assert known.report.failure == {"code": "disk-full", "detail": "full"}
        assert known.report.restarts == 0
        missing = spec("other", tmp_path, "")
        missing["argv"] = ["/nowhere/program"]
        await keeper.client.start(missing)
        assert (await keeper.reaches("failed", "other")).report.failure == {
            "code": "missing-program",
            "detail": "/nowhere/program: No such file or directory",
        }


async def test_a_start_that_does_nothing_has_hung_and_one_that_works_has_not(tmp_path: Path) -> None:
    async with keeping(tmp_path, stall=0.8, crashes=1) as keeper:
        await keeper.client.start(spec("idle", tmp_path, "exec sleep 1000"))
        await keeper.client.start(
            spec(
                "busy",
                tmp_path,
                "i=0; while [ $i -lt 6 ]; do echo; sleep 0.4; i=$((i+1)); done; " + REPORT + "exec sleep 1000",
            )
        )
        idle = await keeper.reaches("failed", "idle")
        assert idle.report.failure is not None
        assert idle.report.failure["code"] == "stalled"
        await keeper.reaches("ready", "busy")


async def test_what_ignores_sigterm_or_detached_itself_ends_too(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        script = "trap '' TERM; setsid -f sleep 1000; (setsid sleep 1001 &); " + REPORT + "while :; do sleep 1; done"
        await keeper.client.start(spec("child", tmp_path, script))
        await keeper.reaches("ready")
        await until(lambda: len(marked(tmp_path)) >= 3)
        await keeper.client.stop("child")
        assert marked(tmp_path) == []


async def test_a_killed_child_takes_its_own_with_it_and_comes_back(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        await keeper.client.start(spec("child", tmp_path, "setsid -f sleep 1000; " + REPORT + "exec sleep 1001"))
        first = (await keeper.reaches("ready")).report.pid
        assert first is not None
        before = set(marked(tmp_path))
        os.kill(first, signal.SIGKILL)
        await until(lambda: keeper.client.children["child"].report.restarts == 1 and keeper.state() == "ready")
        assert not before & set(marked(tmp_path))
        detail = [state for name, state in keeper.history if name == "child"]
        assert "waiting" in detail


async def test_a_returning_backend_adopts_with_keys(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        await keeper.client.start(spec("child", tmp_path, REPORT + "exec sleep 1000"))
        before = await keeper.reaches("ready")
        first = keeper.client
        await first.close()
        assert await keeper.open() is True
        after = keeper.client.children["child"]
        assert (after.report.pid, after.payload, after.report.state) == (
            before.report.pid,
            {"session_key": "k"},
            "ready",
        )


async def test_a_killed_backend_is_waited_for_and_then_the_whole_tree_ends(tmp_path: Path) -> None:
    backend = subprocess.Popen(
        [sys.executable, "-m", "tests.runtimes.stand_in", str(tmp_path), "1.5"], stdout=subprocess.PIPE, text=True
    )
    with backend:
        assert backend.stdout is not None
        keeper, child = (int(word) for word in (await asyncio.to_thread(backend.stdout.readline)).split())
        await until(lambda: len(marked(tmp_path)) >= 3)
        backend.kill()
        backend.wait()
        assert not gone(keeper)
        assert not gone(child)
        await until(lambda: gone(keeper))
        assert gone(child)
        assert marked(tmp_path) == []
        assert not (tmp_path / "keeper/socket").exists()


async def test_a_killed_keeper_takes_its_children_along_and_the_next_clears_up(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        await keeper.client.start(spec("child", tmp_path, "setsid -f sleep 1000; " + REPORT + "exec sleep 1001"))
        child = (await keeper.reaches("ready")).report.pid
        assert child is not None
        os.kill(keeper.client.pid, signal.SIGKILL)
        await until(lambda: keeper.lost and gone(child))
        # The detached one had nobody to end with.
        assert await keeper.open() is False
        assert marked(tmp_path) == []


async def test_sigterm_ends_everything(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        await keeper.client.start(spec("child", tmp_path, REPORT + "exec sleep 1000"))
        await keeper.reaches("ready")
        os.kill(keeper.client.pid, signal.SIGTERM)
        await until(lambda: keeper.lost)
        await until(lambda: gone(keeper.client.pid))
        assert marked(tmp_path) == []


async def test_a_process_below_the_keeper_gets_no_word(tmp_path: Path) -> None:
    ask = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print([s.recv(99)])"
    async with keeping(tmp_path) as keeper:
        order = f"setsid -f {sys.executable} -c '{ask}' {keeper.place.socket}; sleep 1000"
        await keeper.client.start(spec("child", tmp_path, order, ready=None))
        await until(
            lambda: "[b'']" in (tmp_path / "child.log").read_text() if (tmp_path / "child.log").exists() else False
        )
        # The same from outside is greeted.
        done = subprocess.run(
            [sys.executable, "-c", ask, str(keeper.place.socket)], capture_output=True, text=True, check=True
        )
        assert "nonce" in done.stdout


async def test_rubbish_and_a_wrong_proof_change_nothing(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        await keeper.client.start(spec("child", tmp_path, REPORT + "exec sleep 1000"))
        await keeper.reaches("ready")
        for hello in (
            b"\xff\xfe\n",
            b"[]\n",
            b'{"op":"hello"}\n',
            b'{"proof":"00","nonce":"1"}\n',
            b"x" * 100_000 + b"\n",
        ):
            reader, writer = await asyncio.open_unix_connection(keeper.place.socket)
            assert await wire.receive(reader) is not None
            writer.write(hello + b'{"id":1,"op":"list"}\n')
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
        assert not keeper.lost
        for request in ({"op": "nonsense"}, {"op": "start", "spec": {"name": "x"}}, {}):
            try:
                await keeper.client._ask(**request)
            except KeeperFailed as error:
                assert "can't do that" in str(error)
        assert keeper.state() == "ready"


async def test_a_squatter_on_the_socket_is_not_believed(tmp_path: Path) -> None:
    one = Keeping(tmp_path)
    one.place.folder.mkdir()

    async def squat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await wire.send(writer, {"nonce": "1"})
        await wire.receive(reader)
        await wire.send(writer, {"proof": "0", "pid": 1, "children": []})
        writer.close()

    server = await asyncio.start_unix_server(squat, one.place.socket)
    try:
        await one.open()
    except KeeperFailed as error:
        assert "not our keeper" in str(error)
    else:
        raise AssertionError("it was believed")
    finally:
        server.close()


async def test_a_deep_data_directory_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    async with keeping(deep) as keeper:
        assert len(str(keeper.place.socket)) < 104
        assert keeper.place.socket.parent.stat().st_mode & 0o077 == 0
        assert keeper.place.socket.is_socket()
        assert keeper.place.socket.stat().st_mode & 0o077 == 0


async def test_two_backends_the_later_one_stays(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        lost = asyncio.Event()
        second = KeeperClient(lambda _known: None, lost.set)
        assert await second.open(keeper.place) is True
        await until(lambda: keeper.lost)
        await second.end()
        assert lost.is_set()
