"""The agent can't approve itself: code that the real agent-server runs looks for keys, as an ordinary user."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtimes import ordinary


@pytest.fixture
def home() -> Iterator[Path]:
    # Not pytest's own folder: as root that one is closed to the ordinary user.
    folder = Path(tempfile.mkdtemp(prefix="seat-"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("how", ["shielded", "bare"])
def test_code_run_by_the_agent_finds_no_key(home: Path, how: str) -> None:
    done = ordinary.run([sys.executable, "-m", "tests.runtimes.hunt", str(home), how], home)
    assert done.returncode == 0, done.stderr[-4000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["uid"] != 0
    assert said["tried"]["environ"] > 3
    assert said["tried"]["ports"] > 5
    if how == "shielded":
        assert said["found"] == []
        assert said["reached"] == []
        assert said["visible"] == ["agent"]
        assert said["place"] == "Local, not contained"
    else:
        # Files of the same user can be read without the shield, and the status says so; the session key is in none.
        assert not [where for name, where in said["found"] if "session key" in name]
        assert not [door for door in said["reached"] if "ptrace" in door or "keeper" in door or "/api/" in door]
        assert "not shielded from the agent: it was left out for this test" in said["place"]
    assert said["logged"] == []
