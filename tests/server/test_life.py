"""`twinseat serve` as a process: one a data folder, found and proven, gone when told to; every bad start a sentence."""

import errno
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from app.paths import Paths
from app.server import endpoint

NOBODY = 99_999_999
"""A process number that no system gives out."""
COMMAND = [sys.executable, "-P", "-m", "app.cli"]


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Paths]:
    monkeypatch.setenv("TWINSEAT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TWINSEAT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("WORKSPACE_BASE", str(tmp_path / "base"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.chdir(tmp_path)
    found = Paths.find()
    yield found
    # Only one that proves to be ours and that we started: a test may have written any number into the file.
    backend = endpoint.find(found)
    ours = {child.pid: child for child in psutil.Process().children(recursive=True)}
    if backend is not None and backend.pid in ours:
        with suppress(psutil.NoSuchProcess):
            ours[backend.pid].terminate()
            ours[backend.pid].wait(20)


def run(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=timeout, check=False)


def test_start_find_and_stop(paths: Paths) -> None:
    first = endpoint.attach(paths)
    assert endpoint.attach(paths) == first
    assert endpoint.find(paths) == first
    assert paths.endpoint.stat().st_mode & 0o777 == 0o600
    assert paths.data.stat().st_mode & 0o777 == 0o700
    assert endpoint.sign_in_url(first).startswith(f"{first.url}/#code=")

    second = run("serve")
    assert second.returncode == 3
    assert "running already" in second.stderr
    assert endpoint.find(paths) == first

    process = psutil.Process(first.pid)
    modules = process.memory_maps()
    assert not any("litellm" in one.path or "tokenizers" in one.path for one in modules)
    full = process.memory_full_info()
    assert getattr(full, "pss", full.rss) < 100 * 1024 * 1024

    process.send_signal(signal.SIGTERM)
    process.wait(20)
    assert not paths.endpoint.exists()
    assert endpoint.find(paths) is None

    third = endpoint.attach(paths)
    assert third.url == first.url
    assert third.secret != first.secret


def test_many_starters_one_backend(paths: Paths) -> None:
    found: list[endpoint.Backend] = []
    threads = [threading.Thread(target=lambda: found.append(endpoint.attach(paths))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(found) == 4
    assert len({one.pid for one in found}) == 1


def test_after_a_crash_the_next_one_takes_over(paths: Paths) -> None:
    first = endpoint.attach(paths)
    psutil.Process(first.pid).kill()
    psutil.wait_procs([psutil.Process(first.pid)] if psutil.pid_exists(first.pid) else [], 10)
    assert endpoint.read(paths) == first
    assert endpoint.find(paths) is None
    second = endpoint.attach(paths)
    assert second.pid != first.pid
    assert second.url == first.url


def test_a_squatter_learns_nothing(paths: Paths) -> None:
    heard: list[bytes] = []
    squat = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                line, _ = squat.accept()
            except OSError:
                return
            with line:
                heard.append(line.recv(65536))
                body = json.dumps({"ok": True, "version": "0", "proof": "0" * 64}).encode()
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    threading.Thread(target=answer, daemon=True).start()
    paths.create()
    stale = endpoint.Backend(
        f"http://127.0.0.1:{squat.getsockname()[1]}", NOBODY, "the-launch-secret", "0", "2026-01-01"
    )
    endpoint.write(paths, stale)
    assert endpoint.find(paths) is None
    with pytest.raises(ConnectionRefusedError):
        endpoint.call(stale, "GET", "/api/settings")
    with pytest.raises(endpoint.NoBackend):
        endpoint.sign_in_url(stale)
    squat.close()
    assert heard
    assert not any(b"the-launch-secret" in one for one in heard)


@pytest.mark.parametrize(
    "content", ["", "null", "[]", '{"url": 3}', '{"url":"http://evil.example","pid":99999999}', "\x00"]
)
def test_a_broken_endpoint_file_is_none(paths: Paths, content: str) -> None:
    paths.create()
    paths.endpoint.write_text(content)
    assert endpoint.find(paths) is None


def test_an_endpoint_elsewhere_is_none(paths: Paths) -> None:
    paths.create()
    endpoint.write(paths, endpoint.Backend("http://192.0.2.1:80", NOBODY, "secret", "0", "2026"))
    assert endpoint.read(paths) is None


def test_a_port_in_use(paths: Paths) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", str(port))
        assert done.returncode == 3
        assert f"port {port}" in done.stderr
        assert "APP_PORT" in done.stderr
        assert "Traceback" not in done.stderr
        os.environ["APP_PORT"] = str(port)
        try:
            with pytest.raises(endpoint.NoBackend, match=f"port {port}"):
                endpoint.attach(paths)
        finally:
            del os.environ["APP_PORT"]
    assert not paths.endpoint.exists()


def test_a_folder_that_cant_be_used(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TWINSEAT_DATA_DIR", str(tmp_path / "file/data"))
    done = run("serve")
    assert done.returncode == 3
    assert "data folder" in done.stderr
    assert "Traceback" not in done.stderr
    with pytest.raises(endpoint.NoBackend, match="data folder"):
        endpoint.attach(Paths.find())
    failed = run("run", "hello", "--json")
    assert failed.returncode == 3
    assert json.loads(failed.stdout)["exit_code"] == 3


def test_a_journal_that_is_none(paths: Paths) -> None:
    paths.create()
    paths.journal.write_bytes(b"this is no database at all" * 100)
    done = run("serve")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "journal" in done.stderr or "stored tasks" in done.stderr


def test_nobody_looks_on_and_it_ends(paths: Paths) -> None:
    """The wait is a minute for people; the rule is the same with less."""
    code = (
        "import app.server.clients as c; c.STAY_SECONDS = 1.0; c.Clients.gone.__defaults__ = (1.0,)\n"
        "from app.server.serve import serve; raise SystemExit(serve(stay=False))"
    )
    process = subprocess.Popen([sys.executable, "-P", "-c", code], stderr=subprocess.DEVNULL)
    assert process.wait(60) == 0
    assert not paths.endpoint.exists()


def test_the_backend_imports_no_agent() -> None:
    code = (
        "import sys, app.server.serve, app.server.backend, app.cli\n"
        "heavy = {'openhands', 'litellm', 'daytona', 'alembic', 'keyring', 'cryptography', 'webview', 'PySide6'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_line_imports_nothing_heavy() -> None:
    code = (
        "import sys, app.cli, app.server.endpoint\n"
        "heavy = {'fastapi', 'pydantic', 'sqlalchemy', 'aiohttp', 'uvicorn', 'asyncio'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_working_directory_is_no_source_of_modules(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('hostile')")
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__init__.py").write_text("raise SystemExit('hostile')")
    assert endpoint.attach(paths).url


def test_usage() -> None:
    assert run("version").stdout.startswith("twinseat 0.")
    assert run("run").returncode == 2
    assert run("run", "  ").returncode == 2
    assert run("run", "x", "--workspace", "/no/such/folder").returncode == 2
    assert run("run", "x", "--budget", "-1").returncode == 2
    assert run("nonsense").returncode == 2


def test_doctor(paths: Paths) -> None:
    done = run("doctor", "--json")
    findings = json.loads(done.stdout)
    assert {"system", "data folder", "keys", "git", "agent", "shield", "editor", "page", "window", "backend"} <= {
        one["part"] for one in findings
    }
    assert all(one["remedy"] for one in findings if one["state"] != "ok")
    assert done.returncode == any(one["state"] == "failed" for one in findings)
    assert "Traceback" not in done.stderr
    assert "→" in run("doctor").stdout


def test_signing_in_survives_a_restart(paths: Paths) -> None:
    first = endpoint.attach(paths)
    code = endpoint.sign_in_url(first).partition("code=")[2]

    def ask(method: str, path: str, token: str = "", body: object = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", int(first.url.rpartition(":")[2]), timeout=10)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    status, text = ask("POST", "/api/session", body={"code": code})
    assert status == 200
    token = json.loads(text)["token"]
    assert token not in paths.sessions.read_text()
    psutil.Process(first.pid).kill()
    while psutil.pid_exists(first.pid) and psutil.Process(first.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)
    endpoint.attach(paths)
    assert ask("GET", "/api/settings", token)[0] == 200
    assert ask("DELETE", "/api/session", token)[0] == 204
    assert ask("GET", "/api/settings", token)[0] == 401


def test_a_full_disk_is_a_sentence(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Paths, "create", full)
    with pytest.raises(endpoint.NoBackend, match="No space left"):
        endpoint.attach(paths)
