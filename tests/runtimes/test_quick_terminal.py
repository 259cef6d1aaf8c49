"""Every command's output belongs to that command, even when the shell takes longer to start than the engine waits."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.runtimes.ordinary import ROOT


def test_no_output_is_lost_in_a_slow_shell(tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("sleep 1.3\nPS1='$ '\n")
    (tmp_path / "inputrc").write_text("set enable-bracketed-paste off\n")
    kept = {"PATH": os.environ["PATH"], "LITELLM_LOCAL_MODEL_COST_MAP": "True", "OPENHANDS_SUPPRESS_BANNER": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.runtimes.shells", str(tmp_path)],
        env=kept | {"HOME": str(tmp_path), "INPUTRC": str(tmp_path / "inputrc"), "LOG_AUTO_CONFIG": "false"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["said"] == [*([f"hello{number}", number] for number in range(5)), ["one\ntwo", 0]] * 3
    assert min(result["starts"]) > 1.3  # the shell's start-up files were waited for
