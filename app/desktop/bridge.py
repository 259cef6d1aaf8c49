"""What the chat page may ask of the window: a closed list of functions, every argument checked.

In the page: `await window.pywebview.api.pick_folder()` after the event `pywebviewready`. The editor pane has no bridge.
"""

import base64
import binascii
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any, Protocol

from app.desktop.layout import WORKSPACE_ID, Theme
from app.desktop.links import open_outside, safe_name

log = logging.getLogger(__name__)

SAVE_BYTES = 64 << 20
TEXT_LENGTH = 2000

_SCRIPT = Template((Path(__file__).parent / "bridge.js").read_text("utf-8"))


class Refused(Exception):
    """The page asked for something it may not have, or in the wrong form. The message is a sentence."""


class Seat(Protocol):
    """The window, as far as the page may use it."""

    def choose_folder(self) -> str | None: ...
    def choose_file(self, name: str) -> Path | None: ...
    def focus_editor(self) -> None: ...
    def show_workspace(self, workspace: str | None) -> None: ...
    def theme(self, name: Theme) -> None: ...
    def notify(self, title: str, text: str) -> None: ...
    def loaded(self) -> None: ...


class Bridge:
    def __init__(self, seat: Seat, run: Callable[[str], None]) -> None:
        self._seat = seat
        self._run = run
        self._functions: dict[str, Callable[..., object]] = {
            "pick_folder": self._pick_folder,
            "open_external": self._open_external,
            "focus_editor": self._focus_editor,
            "show_workspace": self._show_workspace,
            "theme": self._theme,
            "notify": self._notify,
            "save_file": self._save_file,
        }

    def script(self, platform: str) -> str:
        """What the chat's view runs in every page before the page's own scripts."""
        return _SCRIPT.substitute(names=json.dumps(list(self._functions)), platform=platform)

    def loaded(self, _renderer: str, window: Any) -> None:
        """Called by pywebview whenever the chat's view has loaded a page, to put its own bridge there."""
        window.events.before_load.set()
        window.events._pywebviewready.set()
        window.events.loaded.set()
        self._seat.loaded()

    def receive(self, _window: Any, name: object, values: object, identifier: object) -> None:
        """A call from the page. Answered from a thread, since some functions wait for the user."""
        threading.Thread(target=self.answer, args=(name, values, identifier), name="bridge", daemon=True).start()

    def answer(self, name: object, values: object, identifier: object) -> None:
        try:
            function = self._functions.get(name) if isinstance(name, str) else None
            ok, value = True, self._call(function, values)
        except Refused as refusal:
            ok, value = False, str(refusal)
        except Exception as error:
            log.exception("A call from the chat page failed")
            ok, value = False, f"The window could not do it: {error}"
        arguments = ",".join(_script_literal(one) for one in (str(identifier)[:40], ok, value))
        self._run(f"window.pywebview && window.pywebview._settle({arguments})")

    def notice(self, text: str) -> None:
        """A short line in the chat."""
        self._run(f"window.pywebview && window.pywebview._notice({_script_literal(text)})")

    @staticmethod
    def _call(function: Callable[..., object] | None, values: object) -> object:
        if function is None or not isinstance(values, list) or len(values) > 3:
            raise Refused("The window has no such function.")
        try:
            return function(*values)
        except TypeError as error:
            raise Refused("The window's function was called with the wrong arguments.") from error

    def _pick_folder(self) -> str | None:
        return self._seat.choose_folder()

    def _open_external(self, url: object) -> bool:
        return open_outside(_string(url, "The address", 8192))

    def _focus_editor(self) -> None:
        self._seat.focus_editor()

    def _show_workspace(self, workspace: object) -> None:
        if workspace is not None and not (isinstance(workspace, str) and WORKSPACE_ID.fullmatch(workspace)):
            raise Refused("That is no workspace's id.")
        self._seat.show_workspace(workspace)

    def _theme(self, name: object) -> None:
        themes: dict[object, Theme] = {"system": "system", "dark": "dark", "light": "light"}
        if not isinstance(name, str) or name not in themes:
            raise Refused("The theme is one of system, dark and light.")
        self._seat.theme(themes[name])

    def _notify(self, title: object, text: object = "") -> None:
        self._seat.notify(_string(title, "The title", TEXT_LENGTH), _string(text, "The text", TEXT_LENGTH))

    def _save_file(self, name: object, content: object, encoding: object = "text") -> str | None:
        """Write text, or base64 data, to a file the user names. The path, or None when the user thought better."""
        named = safe_name(_string(name, "The name", 1000))
        text = _string(content, "The content", SAVE_BYTES * 4 // 3 + 4)
        try:
            data = base64.b64decode(text, validate=True) if encoding == "base64" else text.encode()
        except (binascii.Error, ValueError) as error:
            raise Refused("The content is not valid base64.") from error
        if len(data) > SAVE_BYTES:
            raise Refused(f"A file saved from the chat may have {SAVE_BYTES >> 20} MB.")
        path = self._seat.choose_file(named)
        if path is None:
            return None
        try:
            path.write_bytes(data)
        except OSError as error:
            raise Refused(f"{path} could not be written: {error.strerror}.") from error
        return str(path)


def _string(value: object, what: str, limit: int) -> str:
    if not isinstance(value, str):
        raise Refused(f"{what} must be text.")
    if len(value) > limit:
        raise Refused(f"{what} is too long.")
    return value


def _script_literal(value: object) -> str:
    """JSON that is also a JavaScript literal, wherever it is put."""
    return json.dumps(value).replace("<", "\\u003c")
