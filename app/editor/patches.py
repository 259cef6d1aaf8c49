"""The two lines of the installed code-server that are changed, and why. Each fails loudly on an unknown version."""

from dataclasses import dataclass
from pathlib import Path

from app.editor.defaults import VARIABLE


@dataclass(frozen=True)
class Patch:
    """In `file`, `old` occurs once and becomes `new`."""

    file: str
    old: str
    new: str


_TRUST = 'enableWorkspaceTrust:!this._environmentService.args["disable-workspace-trust"],'

PATCHES = (
    # The page takes its configuration defaults from the server, which has no flag for them (see app.editor.defaults).
    Patch(
        "lib/vscode/out/server-main.js",
        _TRUST,
        f'{_TRUST}configurationDefaults:JSON.parse(process.env.{VARIABLE}||"{{}}"),',
    ),
    # On macOS this package insists on an addon that would have to be compiled, and git's extension insists on the
    # package. Node's own copying does the same, only without the file system's clones.
    Patch(
        "lib/vscode/node_modules/@vscode/fs-copyfile/lib/native.js",
        "isMacOS = process.platform === 'darwin'",
        "isMacOS = false",
    ),
)


def apply(root: Path) -> None:
    """Change the code-server at `root`. Raises ValueError when it is not the version that the patches were made for."""
    for patch in PATCHES:
        path = root / patch.file
        code = path.read_text(encoding="utf-8")
        if code.count(patch.old) != 1:
            raise ValueError(f"its {patch.file} is not as Twinseat knows it")
        path.write_text(code.replace(patch.old, patch.new), encoding="utf-8")
