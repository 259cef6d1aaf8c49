"""What an installed code-server does not need: other platforms' binaries, Copilot, build left-overs.

Measured with 4.139.1: 597 MB as upstream installs it, under 200 MB after this. Licences and notices always stay.
"""

import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

# Extensions that only serve an account or a service the cockpit does not use.
EXTENSIONS = (
    "copilot",
    "mermaid-markdown-features",
    "microsoft-authentication",
    "github",
    "tunnel-forwarding",
    "ms-vscode.vscode-js-profile-table",
)

# VS Code's own agent host: its dependencies are left out of our lock file, so it could not start anyway.
FOLDERS = ("src", "lib/vscode/out/vs/platform/agentHost")

# Native sources that a package carries only to be compiled.
SOURCES = ("node-pty/src", "node-pty/third_party", "node-pty/deps", "node-pty/node_modules", "@vscode/spdlog/deps")

LEFTOVERS = (".map", ".d.ts", ".d.mts", ".d.cts", ".pdb", ".flow")

# The commands that a terminal of the editor finds have one script a platform.
SCRIPTS = {"remote-cli/code-server": "remote-cli/code-{}.sh", "helpers/browser.sh": "helpers/browser-{}.sh"}

RULES = (EXTENSIONS, FOLDERS, SOURCES, LEFTOVERS)


def this_platform() -> str:
    """Node's name for this machine, such as `linux-x64` or `darwin-arm64`."""
    machine = platform.machine().lower()
    arch = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(machine, machine)
    return f"{sys.platform}-{arch}"


def link_scripts(root: Path) -> None:
    """Point the platform-neutral names at this platform's scripts, as upstream's post-install script does."""
    system = "darwin" if sys.platform == "darwin" else "linux"
    for name, pattern in SCRIPTS.items():
        link = root / "lib/vscode/bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(Path(pattern.format(system)).name)


def prune(root: Path, keep: str | None = None) -> None:
    """Remove from the code-server at `root` what `keep` (default: this platform) does not need."""
    for folder in _unneeded(root, keep or this_platform()):
        shutil.rmtree(folder)
    for modules in (root / "node_modules", root / "lib/vscode/node_modules"):
        for path in modules.rglob("*"):
            if path.name.endswith(LEFTOVERS) and path.is_file():
                path.unlink()
    _prune_typescript(root / "lib/vscode/extensions/node_modules/typescript")


def _unneeded(root: Path, keep: str) -> Iterator[Path]:
    code = root / "lib/vscode"
    candidates = [root / name for name in FOLDERS]
    candidates += [code / "extensions" / name for name in EXTENSIONS]
    candidates += [code / "node_modules" / name for name in SOURCES]
    for binaries in (
        code / "node_modules/@vscode/ripgrep-universal/bin",
        code / "node_modules/node-pty/prebuilds",
        root / "node_modules/argon2/prebuilds",
    ):
        candidates += [folder for folder in binaries.glob("*") if folder.name != keep]
    if keep.startswith("linux"):
        unused = "musl" if platform.libc_ver()[0] else "glibc"
        candidates += (code / "node_modules/@parcel").glob(f"watcher-*-{unused}")
    return (folder for folder in candidates if folder.is_dir())


def _prune_typescript(root: Path) -> None:
    """The same files that upstream's own post-install script of the extensions removes."""
    for path in root.glob("*"):
        if path.name not in ("lib", "package.json", "LICENSE.txt", "ThirdPartyNoticeText.txt"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in root.glob("lib/*"):
        if path.is_dir():  # messages in other languages
            shutil.rmtree(path)
        elif path.name in ("tsc.js", "_tsc.js", "typescriptServices.js") or _is_api_typing(path.name):
            path.unlink()


def _is_api_typing(name: str) -> bool:
    wanted = name.startswith("lib.") or name in ("protocol.d.ts", "typescript.d.ts")
    return name.endswith(".d.ts") and not wanted


def size(root: Path) -> int:
    """Bytes on disk under `root`, links not followed."""
    return sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir())
