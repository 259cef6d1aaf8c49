"""The two panes of the window, and what each platform's module does for them.

pywebview gives a window one webview; that one is the chat, on the right, because only it has pywebview's bridge. The
editor, on the left, is a second native webview that a small module a platform adds: qt, gtk, cocoa, winforms. Several
views in a window are nothing that pywebview supports, so its version is pinned and its private names are used in those
four modules alone.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from app.desktop.layout import Layout, Screen
from app.desktop.pages import Shade

Pane = Literal["editor", "chat"]
Gui = Literal["qt", "gtk", "cocoa", "winforms"]


class CannotShow(Exception):
    """A window can't be shown here after all. The message is a sentence for the user."""


class Hooks(Protocol):
    """What happens in the panes. All are called on the GUI's thread and return at once."""

    def may_load(self, pane: Pane, url: str, clicked: bool) -> bool:
        """Whether the pane's main frame may go there. `clicked`: the user followed a link."""
        ...

    def opened(self, url: str, clicked: bool) -> None:
        """A page asked for a new window; there is none, the address may open in the system's browser."""
        ...

    def failed(self, pane: Pane, url: str, reason: str) -> None:
        """The address could not be loaded."""
        ...

    def died(self, pane: Pane, reason: str) -> bool:
        """The pane's renderer process is gone. True: load it again."""
        ...

    def download(self, suggested: str) -> Path:
        """Where a download may be written; nothing is there yet. Raises OSError."""
        ...

    def downloaded(self, path: Path, error: str = "") -> None: ...

    def split(self, share: float) -> None:
        """The user moved the splitter; the editor now has this share of the width."""
        ...


class Panes(Protocol):
    """One platform's window. `prepare`, `attach` and `close` belong to the GUI's thread, the rest to any."""

    def prepare(self, loaded: Callable[..., None], receive: Callable[..., None]) -> None:
        """Before pywebview makes the native window, with the toolkit loaded: our bridge takes its place.

        Raises CannotShow.
        """
        ...

    def shade(self) -> Shade:
        """What the system asks for, as the pages' `prefers-color-scheme` sees it."""
        ...

    def screens(self) -> list[Screen]: ...

    def attach(self, window: Any, split: float, shade: Shade, script: str) -> None:
        """Put the editor beside the chat; in pywebview's `before_show`, before anything is shown.

        `script` runs in every page of the chat before the page's own.
        """
        ...

    def load(self, pane: Pane, url: str) -> None: ...

    def show(self, pane: Pane, html: str) -> None:
        """A page of our own."""
        ...

    def run(self, script: str) -> None:
        """Run a script in the chat page; its result is dropped."""
        ...

    def focus(self, pane: Pane) -> None: ...

    def tint(self, shade: Shade | None) -> None:
        """Colours of the window itself and of its dialogs; None follows the system."""
        ...

    def raise_window(self) -> None: ...

    def call_attention(self) -> None:
        """Ask for the user's attention in the platform's quiet way (task bar, dock)."""
        ...

    def ask(self, title: str, text: str, choices: Sequence[str]) -> int:
        """A question over the window; the index of the answer, the last one when it was dismissed. Blocks."""
        ...

    def layout(self, before: Layout) -> Layout:
        """`before` with the window's present size and place. GUI's thread."""
        ...

    def close(self) -> None:
        """Free the editor's view before the window goes."""
        ...


def make(gui: Gui, hooks: Hooks, storage: Path, cache: Path) -> Panes:
    """The platform's module, loaded now. Raises ImportError when its toolkit is missing.

    `storage` keeps what pages store (VS Code's layout), `cache` what can be fetched again.
    """
    match gui:
        case "qt":
            from app.desktop.qt import QtPanes

            return QtPanes(hooks, storage, cache)
        case "gtk":
            from app.desktop.gtk import GtkPanes

            return GtkPanes(hooks, storage, cache)
        case "cocoa":
            from app.desktop.cocoa import CocoaPanes

            return CocoaPanes(hooks)
        case "winforms":
            from app.desktop.winforms import WinFormsPanes

            return WinFormsPanes(hooks, storage)


def native() -> Gui:
    """The toolkit this platform's window is made with by default."""
    return {"darwin": "cocoa", "win32": "winforms"}.get(sys.platform, "qt")  # pyright: ignore[reportReturnType]


def take_over_bridge(module: Any, loaded: Callable[..., None], receive: Callable[..., None]) -> None:
    """Put our bridge in the place of pywebview's in one of its platform modules.

    pywebview's needs `eval` and `new Function`, which the chat page's Content-Security-Policy forbids, and it finds
    the called function by a dotted path from the page (`a.__class__…`), which is more than a page should reach.
    """
    for name, ours in (("inject_pywebview", loaded), ("js_bridge_call", receive)):
        if not callable(getattr(module, name, None)):
            raise ImportError(f"pywebview's {module.__name__} has no {name}: it is not 6.2.1.")  # noqa: TRY004
        setattr(module, name, ours)
