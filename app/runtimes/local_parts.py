"""What the local runtime starts: argv, environment, folders and shield of the agent-server and the code-servers."""

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.runtimes import environment, wire
from app.runtimes.child import Spec
from app.runtimes.keeper_client import KeeperPlace, module_command
from app.runtimes.shield import Shield, ways_around

AGENT = "agent"
EDITORS = {True: "editor:trusted", False: "editor:restricted"}


@dataclass(frozen=True)
class EditorPlace:
    """What a code-server of one trust level is to use. Both folders exist; `environment` is the allow-list's."""

    trusted: bool
    socket: Path
    user_data: Path
    extensions: Path
    environment: Mapping[str, str]


type EditorCommand = Callable[[EditorPlace], tuple[list[str], dict[str, str]]]
"""The argv and the environment of a code-server. Raises Fault when there is none."""


class LocalParts:
    """The specifications by name. Making one creates its folders; they block, so they are called in a thread."""

    def __init__(
        self,
        data: Path,
        keeper: KeeperPlace,
        command: EditorCommand | None,
        shield: Shield,
        *,
        hidden: Iterable[Path],
        base: Mapping[str, str],
        log_level: str,
    ) -> None:
        self._data = data
        self._keeper = keeper
        self._command = command
        self._shield = shield
        self._hidden = list(hidden)
        self._base = base
        self._log_level = log_level

    def agent(self, session_key: str | None) -> Spec:
        """The agent-server; with the key it had, when the keeper still knows one. Raises OSError."""
        folder = _folder(self._data / "agent")
        user = os.getuid()
        # The server binds $TMUX_TMPDIR/tmux-<uid>/openhands-<32 hex digits>; a fixed place is cleaned after a crash.
        tmux = wire.socket_path(_folder(folder / "tmux"), f"tmux-{user}/openhands-{'0' * 32}").parents[1]
        return Spec(
            name=AGENT,
            argv=self.shielded(module_command("app.runtimes.launcher"), folder),
            env=environment.for_child(self._base) | {"TMUX_TMPDIR": str(tmux)},
            cwd="/",
            log=str(self._log(AGENT)),
            payload={
                "session_key": session_key or secrets.token_hex(32),
                "secret_key": self._keeper.secret("agent.key"),
                "folder": str(folder.resolve()),
                "port": 0,
                "log_level": self._log_level,
            },
            ready="pipe",
        )

    def editor(self, name: str) -> Spec:
        """The code-server of one trust level. Raises Fault or OSError."""
        assert self._command is not None  # noqa: S101 - only asked for then
        trusted = name == EDITORS[True]
        home = _folder(self._editor_home(name))
        place = EditorPlace(
            trusted=trusted,
            socket=self.editor_socket(name),
            user_data=_folder(home / "user-data"),
            extensions=_folder(home / "extensions"),
            environment=environment.for_child(self._base, personal=trusted),
        )
        argv, env = self._command(place)
        return Spec(
            name=name,
            argv=self.shielded(argv, home, place.socket.parent),
            env=env,
            cwd="/",
            log=str(self._log(name)),
            payload=None,
            ready=str(place.socket),
        )

    def _editor_home(self, name: str) -> Path:
        return self._data / "editor" / name.partition(":")[2]

    def editor_socket(self, name: str) -> Path:
        return wire.socket_path(self._editor_home(name), "socket")

    def shielded(self, argv: list[str], *shown: Path) -> list[str]:
        """The shield around `argv`: it sees the folders `shown` and nothing else of ours. Raises FileNotFoundError."""
        if shutil.which(argv[0]) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
        own = {path.resolve() for path in shown}
        # Sockets whose path was too long for the data directory are in folders of their own.
        sockets = [self._keeper.socket, *(self.editor_socket(name) for name in EDITORS.values())]
        outside = [path.parent for path in sockets if not path.is_relative_to(self._data)]
        hidden = [*self._hidden, *ways_around(self._base), *outside]
        return self._shield.wrap(
            argv,
            data=self._data,
            shown=[path for path in own if path.is_relative_to(self._data)],
            hidden=[path for path in hidden if path.resolve() not in own],
        )

    def _log(self, name: str) -> Path:
        return _folder(self._data / "logs") / f"{name.replace(':', '-')}.log"


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path
