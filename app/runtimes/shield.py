"""The shield: our own state out of sight of what runs locally.

The local runtime contains nothing: the agent works as the user, on the user's files. What it may not do is answer its
own questions, so the agent-server, every tool below it and every terminal of the editor run in a mount and a process
namespace (bubblewrap, unprivileged) in which the data directory is empty but for their own part of it, only their own
processes exist, and the ways around are closed: the D-Bus session bus (the keyring; `systemd-run`), the keyring's and
systemd's own sockets, the user's tmux servers, the SSH agent. Everything else is as it is. In that namespace nothing
gains privileges, so `sudo` does not work there.

What it can't hide: a D-Bus bus on an abstract socket (it belongs to the network namespace, which stays shared; `gaps`
names it), the X display to which a program can type, Docker's socket for a user who may use it, and what the user
runs later that the agent could have changed before (shell start-up files). `docs/security.md` says so.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_BASE = ("--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--die-with-parent")


@dataclass(frozen=True)
class Shield:
    """`tool` is bubblewrap's path, or None with the `reason` it can't be used, a clause without a full stop."""

    tool: str | None
    reason: str = ""

    @property
    def works(self) -> bool:
        return self.tool is not None

    @property
    def place(self) -> str:
        """Where and how contained, in words for the status line."""
        if self.works:
            return "Local, not contained"
        return f"Local, not contained; the app's own state is not shielded from the agent: {self.reason}"

    def wrap(
        self, argv: Sequence[str], *, data: Path, shown: Iterable[Path] = (), hidden: Iterable[Path] = ()
    ) -> list[str]:
        """`argv` inside the shield: `data` empty except for the folders `shown` in it, each path of `hidden` empty too.

        The folders in `shown` must exist. Without a working bubblewrap the argv comes back as it was: the caller
        shows `place`.
        """
        if self.tool is None:
            return list(argv)
        wrapped = [self.tool, *_BASE, "--perms", "0700", "--tmpfs", str(data.resolve())]
        for folder in shown:
            wrapped += ["--bind", str(folder.resolve()), str(folder.resolve())]
        for path in sorted({path.resolve() for path in hidden if path.exists()}):
            if path.is_relative_to(data.resolve()):
                continue
            wrapped += ["--perms", "0700", "--tmpfs", str(path)] if path.is_dir() else _covered(path)
        return [*wrapped, "--unsetenv", "DBUS_SESSION_BUS_ADDRESS", "--", *argv]


def _covered(path: Path) -> list[str]:
    return ["--ro-bind", "/dev/null", str(path)]


def ways_around(environment: Mapping[str, str] | None = None) -> list[Path]:
    """Sockets and folders through which a program of this user could leave the shield; those that exist."""
    environment = os.environ if environment is None else environment
    if not hasattr(os, "getuid"):
        return []
    user = os.getuid()
    paths: list[Path] = [
        Path("/tmp") / f"tmux-{user}",  # noqa: S108 - tmux's own default place
        Path(f"/run/screen/S-{environment.get('USER', user)}"),
    ]
    for runtime in {environment.get("XDG_RUNTIME_DIR") or f"/run/user/{user}", f"/run/user/{user}"}:
        names = ("bus", "keyring/control", "keyring/pkcs11", "keyring/ssh", "systemd/private", "gcr/ssh", "at-spi/bus")
        # A container engine of the user's own mounts whatever it is asked to, our state included.
        engines = ("podman/podman.sock", "docker.sock")
        paths += [Path(runtime) / name for name in (*names, *engines)]
    for part in environment.get("DBUS_SESSION_BUS_ADDRESS", "").replace(";", ",").split(","):
        if part.removeprefix("unix:").startswith("path="):
            paths.append(Path(part.removeprefix("unix:").removeprefix("path=")))
    if "GNOME_KEYRING_CONTROL" in environment:
        paths.append(Path(environment["GNOME_KEYRING_CONTROL"]) / "control")
    if "TMUX_TMPDIR" in environment:
        paths.append(Path(environment["TMUX_TMPDIR"]) / f"tmux-{user}")
    if "SSH_AUTH_SOCK" in environment:
        paths.append(Path(environment["SSH_AUTH_SOCK"]))
    return [path for path in paths if path.exists()]


def gaps() -> list[str]:
    """What the shield can't close on this machine, as sentences for the doctor."""
    found: list[str] = []
    try:
        names = {line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines()[1:] if "@" in line}
    except OSError:
        names = set[str]()
    if any("dbus" in name for name in names):
        found.append("A D-Bus bus listens on an abstract socket, which can't be hidden; it may lead to the keyring.")
    docker = Path("/var/run/docker.sock")
    if docker.exists() and os.access(docker, os.W_OK):
        found.append("This user may use Docker's socket, through which a program can become root.")
    return found


@cache
def probe() -> Shield:
    """Whether bubblewrap works here; tried once per process, because only trying tells (containers often forbid it)."""
    if not sys.platform.startswith("linux"):
        return Shield(None, "there is no bubblewrap on this system")
    tool = shutil.which("bwrap")
    if tool is None:
        return Shield(None, "bubblewrap is not installed (package `bubblewrap`)")
    program = shutil.which("true") or "/bin/true"
    try:
        tried = subprocess.run(
            [tool, *_BASE, "--perms", "0700", "--tmpfs", "/var", "--", program],
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Shield(None, f"bubblewrap does not run ({error})")
    if tried.returncode != 0:
        said = tried.stderr.decode(errors="replace").strip().splitlines()
        return Shield(None, f"bubblewrap does not work here ({said[-1] if said else f'exit {tried.returncode}'})")
    return Shield(tool)
