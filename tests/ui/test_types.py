"""The page's types say what app/schemas.py says."""

import subprocess
import sys
from pathlib import Path


def test_types_are_written_from_the_schemas() -> None:
    script = Path(__file__).parents[2] / "ui" / "dev" / "write_types.py"
    assert subprocess.run([sys.executable, script, "--check"], check=False).returncode == 0, f"run {script.name}"
