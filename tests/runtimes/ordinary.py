"""Running something as an ordinary user: root sees everything, so secrecy can only be shown without it.

As root this re-runs a command under a user id of its own that has no account. The Python and the checkout may lie in
a home directory that nobody else may enter, so the command gets a mount namespace in which the way to them is open;
what the user can read there is no more than on a machine where it installed them itself. Not root: as we are.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UID = 47_110


def command(argv: list[str], home: Path) -> list[str]:
    """`argv` as the ordinary user with `home`, which is given to it. Needs bubblewrap and setpriv when root."""
    if os.getuid() != 0:
        return argv
    home.mkdir(parents=True, exist_ok=True)
    os.chown(home, UID, UID)
    home.chmod(0o700)
    opened: list[str] = []
    emptied: set[Path] = set()
    for path in sorted({Path(sys.base_prefix).resolve(), ROOT, Path(sys.prefix)}):
        way = [path, *path.parents][::-1]
        closed = next((one for one in way if one in emptied or not one.stat().st_mode & 0o001), None)
        if closed is None:
            continue
        if closed not in emptied:
            emptied.add(closed)
            opened += ["--perms", "0755", "--tmpfs", str(closed)]
        for one in way[way.index(closed) + 1 : -1]:
            opened += ["--perms", "0755", "--dir", str(one)]
        opened += ["--bind", str(path), str(path)]
    outside = ["bwrap", "--dev-bind", "/", "/", "--cap-add", "ALL", "--die-with-parent", *opened, "--"]
    drop = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    for tool in ("bwrap", "setpriv"):
        assert shutil.which(tool), f"{tool} is needed to run as an ordinary user"
    return [*outside, *drop, "--", *argv]


def environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE") if name in os.environ}
    return kept | {"HOME": str(home), "USER": "ordinary", "LOGNAME": "ordinary", "TMPDIR": str(home)}


def run(argv: list[str], home: Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(argv, home),
        env=environment(home),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
