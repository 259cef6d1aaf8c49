"""Starting VS Code's server: where it is, how it is called, what it may know.

There is one process a trust level. A folder that is not trusted yet is served by one that keeps VS Code's workspace
trust: Restricted Mode, in which no task, setting, hook or extension of the folder acts. Trusted folders share another.
Both listen on a unix socket of mode 0600 and ask for no password: whoever can open the socket is this user, and the
way in from a browser is the workspace's own origin (app.editor.origin).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

from app.editor import defaults, install
from app.editor.node import node
from app.problems import Fault

BRIDGE_URL = "VSCODE_TWINSEAT_BRIDGE_URL"
BRIDGE_TOKEN = "VSCODE_TWINSEAT_BRIDGE_TOKEN"  # noqa: S105 - a name, not a token

# What a parent may have set and code-server would obey: another VS Code's, a password, a port.
UNWANTED = (
    "CODE_SERVER_CONFIG",
    "EXTENSIONS_GALLERY",
    "HASHED_PASSWORD",
    "NODE_OPTIONS",
    "PASSWORD",
    "PORT",
    "VSCODE_IPC_HOOK_CLI",
    "VSCODE_PROXY_URI",
)


def find(cache: Path | None = None) -> Path:
    """The installed code-server's folder. Raises `Fault` (`editor-not-installed`)."""
    if not install.is_installed(cache):
        raise Fault(
            code="editor-not-installed",
            status=503,
            title="The editor is not installed",
            detail=f"VS Code's server (code-server {install.VERSION}) is not in {install.location(cache)}.",
            remedy="Run `python -m app.editor.install`, or start again with `make run`.",
        )
    return install.location(cache)


def argv(home: Path, *, socket: Path, user_data: Path, extensions: Path, trusted: bool) -> list[str]:
    """The command line. `socket` has to be shorter than the system's limit for socket paths (about 100 bytes)."""
    command = [
        str(node()),
        str(home / "out/node/entry.js"),
        "--config=/dev/null",
        "--auth=none",
        f"--socket={socket}",
        "--socket-mode=600",
        f"--user-data-dir={user_data}",
        f"--extensions-dir={extensions}",
        "--app-name=Twinseat",
        "--ignore-last-opened",
        "--disable-telemetry",
        "--disable-update-check",
        "--disable-getting-started-override",
        # A preview gets an origin of its own; below the editor's it could drive the editor's terminal.
        "--disable-proxy",
    ]
    if trusted:
        command.append("--disable-workspace-trust")
    return command


def environment(
    base: Mapping[str, str],
    *,
    trusted: bool,
    bridge_url: str | None = None,
    bridge_token: str | None = None,
    theme: Literal["dark", "light"] | None = None,
) -> dict[str, str]:
    """The environment: `base` (an allow-list of the caller's), without what would mislead code-server.

    The names of the bridge begin with `VSCODE_`, which VS Code keeps from its terminals. Untrusted folders get no
    extension gallery, and git, should the user run it in a terminal, runs nothing that the repository names.
    """
    env = {name: value for name, value in base.items() if name not in UNWANTED}
    env["NODE_EXEC_PATH"] = str(node())  # lets the `code` command of the editor's terminals find Node
    env[defaults.VARIABLE] = defaults.defaults(trusted=trusted, theme=theme)
    if bridge_url is not None and bridge_token is not None:
        env |= {BRIDGE_URL: bridge_url, BRIDGE_TOKEN: bridge_token}
    if not trusted:
        env["EXTENSIONS_GALLERY"] = "{}"
        env |= SAFE_GIT
    return env


def _git(settings: Mapping[str, str]) -> dict[str, str]:
    env = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return env


# Settings of the environment win over those of the repository.
SAFE_GIT: Mapping[str, str] = _git(
    {"core.fsmonitor": "false", "core.hooksPath": "/dev/null", "core.sshCommand": "ssh", "protocol.ext.allow": "never"}
)


def page(folder: str) -> str:
    """The path of the editor's page for a folder, to be put behind an origin's address."""
    return "?" + urlencode({"folder": folder})
