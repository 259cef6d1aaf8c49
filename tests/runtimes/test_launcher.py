"""The launcher alone: what it says when it can't start. It never gets as far as the engine here."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.runtimes.launcher import code_of


def launched(folder: Path, port: int = 0, before: str = "") -> tuple[list[dict[str, dict[str, str]]], str]:
    """The lines on the ready pipe, and the log."""
    config, write = os.pipe()
    ours, ready = os.pipe()
    told = {"session_key": "s" * 64, "secret_key": "k" * 64, "folder": str(folder), "port": port, "log_level": "INFO"}
    os.write(write, json.dumps(told).encode() + b"\n")
    os.close(write)
    done = subprocess.run(
        [sys.executable, "-c", f"{before}\nfrom app.runtimes import launcher; launcher.main()"],
        env={"PATH": os.environ["PATH"], "TWINSEAT_CONFIG_FD": str(config), "TWINSEAT_READY_FD": str(ready)},
        pass_fds=(config, ready),
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(config)
    os.close(ready)
    with os.fdopen(ours) as lines:
        said = [json.loads(line) for line in lines]
    assert done.returncode == 1
    assert "s" * 64 not in done.stdout + done.stderr
    return said, done.stderr


def test_a_missing_engine_is_named(tmp_path: Path) -> None:
    said, _ = launched(tmp_path, before="import sys; sys.modules['openhands'] = None")
    assert [list(line) for line in said] == [["phase"], ["failed"]]
    assert said[-1]["failed"]["code"] == "engine-missing"
    assert "openhands" in said[-1]["failed"]["detail"]


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said, _ = launched(tmp_path, taken.getsockname()[1])
    assert said[-1]["failed"]["code"] == "port-in-use"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said, log = launched(tmp_path / "file/agent")
    assert said[-1]["failed"]["code"] == "data-unwritable"
    assert "Traceback" in log


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(28, "No space left on device"), "disk-full"),
        (PermissionError(13, "Permission denied"), "data-unwritable"),
        (ModuleNotFoundError("No module named 'litellm'"), "engine-missing"),
        (AttributeError("module has no attribute 'export_session_api_key'"), "agent-failed"),
        (OSError("odd"), "agent-failed"),
    ],
)
def test_codes(error: Exception, code: str) -> None:
    assert code_of(error) == code
