"""`twinseat run` with the real agent and the scripted model: every exit code."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.paths import Paths
from app.server import endpoint

COMMAND = [sys.executable, "-P", "-m", "app.cli"]


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    """The scripted model's base URL."""
    command = [sys.executable, "-P", "-m", "app.demo.model", "--port", "0", "--pace", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, model: str) -> Iterator[Path]:
    """A data folder whose backend uses the scripted model, and a folder to work in."""
    base = tmp_path_factory.mktemp("run")
    (base / "work").mkdir()
    changed = {
        "TWINSEAT_DATA_DIR": str(base / "data"),
        "WORKSPACE_BASE": str(base / "base"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "LLM_MODEL": "echo",
        "LLM_BASE_URL": model,
        "LLM_API_KEY": "planted-provider-key-77",
    }
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    backend = endpoint.attach(Paths.find(), arguments=("--started-by-window",))
    ours = {child.pid: child for child in psutil.Process().children(recursive=True)}
    yield base
    if backend.pid in ours:
        ours[backend.pid].terminate()
        ours[backend.pid].wait(30)
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def run(place: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    command = [*COMMAND, "run", "--json", "--workspace", str(place / "work"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    return done.returncode, json.loads(done.stdout), done.stderr


def profile(place: Path, model: str, name: str, **more: Any) -> str:
    """A stored model that runs one script; its id."""
    backend = endpoint.find(Paths.find())
    assert backend is not None
    body = {"provider": "other", "base_url": model, "model": name, "make_default": False, **more}
    status, made = endpoint.call(backend, "POST", "/api/models", body)
    assert status == 200, made
    return str(made["id"])


def test_done(place: Path) -> None:
    code, found, progress = run(place, "say hello")
    assert (code, found["exit_code"], found["state"]) == (0, 0, "finished"), progress
    assert "say hello" in found["result"]
    assert found["usage"]["requests"] >= 1
    plain = subprocess.run(
        [*COMMAND, "run", "--workspace", str(place / "work"), "-"],
        input="say it plainly",
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    assert "say it plainly" in plain.stdout


def test_an_approval_it_may_not_give(place: Path, model: str) -> None:
    risky = profile(place, model, "ask")
    code, found, progress = run(place, "do it", "--model", risky)
    assert (code, found["state"]) == (4, "waiting"), progress
    assert found["pending"][0]["reason"]
    assert found["pending"][0]["arguments"]
    for how in ("risky", "all"):
        code, found, progress = run(place, "do it", "--model", risky, "--approve", how)
        assert (code, found["pending"]) == (0, []), progress
        assert ("Approved" in progress) is (how == "risky")


def test_failed(place: Path, model: str) -> None:
    code, found, progress = run(place, "try", "--model", profile(place, model, "fault-401"))
    assert (code, found["state"]) == (1, "failed"), progress
    assert "key" in found["problem"]["detail"]
    assert found["problem"]["remedy"]


def test_the_budget(place: Path, model: str) -> None:
    dear = profile(place, model, "shell-50", price_in=1000.0, price_out=1000.0)
    code, found, progress = run(place, "work", "--model", dear, "--budget", "0.01")
    assert (code, found["state"]) == (5, "stopped"), progress
    assert found["problem"]["code"] == "budget-reached"


def test_no_such_model(place: Path) -> None:
    code, found, progress = run(place, "work", "--model", "no-such-model")
    assert (code, found["exit_code"]) == (3, 3)
    assert "no-such-model" in progress


def test_interrupted(place: Path, model: str) -> None:
    slow = profile(place, model, "shell-50")
    command = [*COMMAND, "run", "--json", "--workspace", str(place / "work"), "--model", slow, "work"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Running" in line:
                break
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    found = json.loads(out)
    backend = endpoint.find(Paths.find())
    assert backend is not None
    assert endpoint.call(backend, "GET", f"/api/tasks/{found['task_id']}")[1]["state"] == "paused"


def test_the_key_is_nowhere(place: Path) -> None:
    run(place, "say hello")
    for file in place.rglob("*"):
        if file.is_file():
            assert b"planted-provider-key-77" not in file.read_bytes(), file
