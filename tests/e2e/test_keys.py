"""A key planted in a real Secret Service, a task that uses it, and a search of everything: the key is nowhere else."""

import base64
import json
import os
import secrets
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from tests.program import Program, eventually, running, scripted

SERVICE = "twinseat"


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A session bus of our own with an unlocked GNOME Keyring on it; the variables that lead there."""
    home = tmp_path / "keyring"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_RUNTIME_DIR": str(home)}
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert daemon.stdout is not None
    address = daemon.stdout.readline().strip()
    environment["DBUS_SESSION_BUS_ADDRESS"] = address
    keyring = subprocess.Popen(
        ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert keyring.stdin is not None
    keyring.stdin.write("a password for the keyring")
    keyring.stdin.close()
    yield {"DBUS_SESSION_BUS_ADDRESS": address}
    for process in (keyring, daemon):
        process.terminate()
        process.wait()


def test_a_key_is_in_the_keyring_and_nowhere_else(tmp_path: Path, bus: dict[str, str]):
    key = "sk-planted-" + secrets.token_hex(24)
    variables = {**bus, "DEBUG": "1", "LOG_ALL_EVENTS": "1"}
    with scripted(key=key) as url, running(Program(tmp_path / "seat", variables)) as program:
        kept = program.ask("GET", "/api/secrets")
        assert "keyring" in kept["store"].lower(), kept
        assert program.ask("POST", "/api/models/test", probe(url, "todo", key))["ok"]
        # Ways in which a key could come back: refused by the provider, in an address, as a name, in a wrong body.
        assert not program.ask("POST", "/api/models/test", probe(url, "no-such-model", key))["ok"]
        model = program.model(url, "todo", key)
        assert in_keyring(key, bus), "the Secret Service has it"

        workspace = program.workspace("project")
        task = program.task(workspace["id"], model, "Build a small to-do API with tests, and run them.")
        watch = Watch(program, variants(key))
        program.reach(task, "finished", seconds=240)
        asked = program.task(workspace["id"], program.model(url, "fault-401", key))
        eventually(lambda: program.ask("GET", f"/api/tasks/{asked}")["state"] == "failed", 90)
        watch.stop()
        assert not watch.found, watch.found

        answers = [
            json.dumps(program.events(task) + program.events(asked)),
            *(
                json.dumps(program.ask("GET", path))
                for path in ("/api/models", "/api/secrets", "/api/settings", "/api/tasks", "/api/workspaces")
            ),
        ]
        assert not [text[:200] for text in answers if any(one in text for one in variants(key))]
        # While it runs: nothing has been tidied away yet.
        assert not files_with(tmp_path, key)
    assert not files_with(tmp_path, key)


def probe(url: str, model: str, key: str) -> dict[str, str]:
    return {"provider": "custom", "base_url": url, "model": model, "key": key}


def variants(key: str) -> list[str]:
    """The key as it is, and as it would look encoded; any half of it tells too much as well."""
    encoded = base64.b64encode(key.encode()).decode().rstrip("=")
    return [key, key[len(key) // 2 :], quote(key, safe=""), encoded[:-2], key.encode().hex(), key[::-1]]


def in_keyring(key: str, bus: dict[str, str]) -> bool:
    """Whether an item of ours holds it, asked as a user would ask, without our code."""
    found = subprocess.run(
        ["secret-tool", "search", "--all", "--unlock", "service", SERVICE],
        env={**os.environ, **bus},
        capture_output=True,
        text=True,
        check=False,
    )
    return f"secret = {key}" in found.stdout


def files_with(folder: Path, key: str) -> list[str]:
    """Every file, the keyring's own and databases included."""
    wanted = [one.encode() for one in variants(key)]
    found: list[str] = []
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            found += [str(file) for one in wanted if one in content]
    return found


class Watch:
    """Looks at the arguments and the environment of every process while the task runs, short-lived tools included."""

    def __init__(self, program: Program, wanted: list[str]) -> None:
        self.found: list[str] = []
        self._wanted = wanted
        self._program = program
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch")
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.2):
            for process in psutil.process_iter():
                try:
                    told = "\0".join([*process.cmdline(), *process.environ().values()])
                except psutil.Error:
                    continue
                if any(one in told for one in self._wanted):
                    self.found.append(f"{process.pid}: {told[:200]}")
