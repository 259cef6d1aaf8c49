"""Doors out of the shield that the user's own session keeps open."""

from pathlib import Path

import pytest

from app.runtimes.shield import ways_around


@pytest.mark.parametrize("socket", ["podman/podman.sock", "docker.sock"])
def test_a_container_engine_of_the_users_own_is_closed(tmp_path: Path, socket: str) -> None:
    """Asked to mount our data directory it would, outside of the shield."""
    (tmp_path / socket).parent.mkdir(exist_ok=True)
    (tmp_path / socket).touch()
    assert tmp_path / socket in ways_around({"XDG_RUNTIME_DIR": str(tmp_path)})
