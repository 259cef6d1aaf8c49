"""The window with the real backend beside it."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.desktop.conftest import Desk, eventually


@pytest.fixture
def alone(desk: Desk) -> Iterator[Desk]:
    """A desk without the stand-in; the backends that windows start here end with the test."""
    assert desk.stage.lock is not None
    desk.stage.lock.release()
    (desk.data / "endpoint.json").unlink()
    (desk.data / "window.json").unlink()
    desk.environment["TWINSEAT_CACHE_DIR"] = str(desk.home / "cache")
    yield desk
    for window in desk.windows:
        window.kill()
        window.wait()
    for process in psutil.process_iter(["cmdline", "environ"]):
        if (process.info["environ"] or {}).get("TWINSEAT_DATA_DIR") == str(desk.data):
            process.terminate()
            psutil.wait_procs([process], 10)


def endpoint(desk: Desk) -> dict[str, Any]:
    path = desk.data / "endpoint.json"
    return json.loads(path.read_text()) if path.exists() else {}


def sessions(desk: Desk) -> int:
    path = desk.data / "sessions.json"
    return len(json.loads(path.read_text())["sessions"]) if path.exists() else 0


def test_the_window_starts_the_backend_signs_in_and_starts_it_again(alone: Desk) -> None:
    window = alone.launch()
    first = eventually(lambda: endpoint(alone), 60)
    # The page traded its code for a session: it is there, and it runs.
    eventually(lambda: sessions(alone) == 1, 30)
    os.kill(first["pid"], signal.SIGKILL)
    second = eventually(lambda: found if (found := endpoint(alone)).get("pid") not in (None, first["pid"]) else {}, 60)
    assert second["secret"]
    alone.main()
    alone.keys("alt+F4")
    assert window.wait(20) == 0
    # It stays for a while, so that the next launch finds it.
    assert psutil.pid_exists(second["pid"])
