"""The native window: the editor on the left, the chat on the right, the backend beside it.

`open_window` is what `twinseat` calls. This process imports the window and nothing of the backend's frameworks, so
that the first frame is there at once; the backend starts in parallel, in a process of its own.

One chord moves the focus between the panes: Ctrl+F6 (on macOS Command+F6), which VS Code leaves free.
"""

import logging
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.desktop import headless, layout, pages, requirements
from app.desktop.bridge import Bridge
from app.desktop.instance import AlreadyRunning, Instance, raise_first
from app.desktop.layout import Theme
from app.desktop.links import RETRY, downloads_folder, free_path, open_outside, same_origin
from app.desktop.pages import Shade
from app.desktop.panes import CannotShow, Gui, Pane, Panes, make, native
from app.desktop.protection import undumpable
from app.desktop.watch import Editor, Watch
from app.paths import Paths

log = logging.getLogger(__name__)

TITLE = "Twinseat"
CHAT_FIRST_SECONDS = 3.0
"""How long the editor's renderer waits, at most, so that the chat has the machine to itself until it can be used."""

DEATHS, DEATH_WINDOW = 3, 60.0
"""A renderer that dies this often within so many seconds is not reloaded any more."""


def open_window(paths: Paths, gui: Gui | None = None) -> int:
    """Show the window until it is closed; the process's exit code.

    A second launch raises the first window and returns at once. Without a display, or without the libraries a window
    needs, it says so on stderr and serves to a browser instead.
    """
    try:
        paths.create()
        instance = Instance.claim(paths.data)
    except AlreadyRunning:
        if raise_first(paths.data):
            return 0
        headless.say(
            "A Twinseat window is open already, but it does not answer. Close it, or end its process, then try again."
        )
        return 1
    except OSError as error:
        headless.say(
            f"The data folder {paths.data} can't be written: {error.strerror or error}. Free some space or correct its "
            "permissions, or name another folder in TWINSEAT_DATA_DIR."
        )
        return 1
    try:
        chosen, missing = requirements.choose(gui or native(), forced=gui is not None)
        if chosen is None:
            undumpable()
            return headless.serve(paths, missing)
        return Cockpit(paths, chosen).run(instance)
    finally:
        instance.release()


class Cockpit:
    """The window's state, and the hooks of its panes, its watch and its bridge."""

    def __init__(self, paths: Paths, gui: Gui) -> None:
        self._paths = paths
        self._gui: Gui = gui
        self._layout = layout.load(paths.window)
        self._shade: Shade = "dark"
        self._watch = Watch(paths, self, self._layout.workspace)
        self._attached = threading.Event()
        self._chat_loaded = threading.Event()
        self._may_close = False
        self._asking = False
        self._window: Any = None
        self._panes: Panes
        self._bridge: Bridge
        self._chat_url = ""
        self._editor = Editor("none")
        self._editor_url = ""
        self._deaths: dict[Pane, list[float]] = {"editor": [], "chat": []}
        self._notices: list[str] = []
        self._save_timer: threading.Timer | None = None
        self._refusal = ""

    def run(self, instance: Instance) -> int:
        self._watch.start_early()
        import webview

        storage = self._paths.data / "webview"
        try:
            self._panes = make(self._gui, self, storage / "editor", self._paths.cache / "webview")
        except ImportError as error:
            self._watch.stop()
            return headless.serve(self._paths, requirements.explain(str(error)))
        self._bridge = Bridge(self, self._panes.run)
        known = self._layout
        window: Any = webview.create_window(
            TITLE,
            html=" ",
            width=known.width,
            height=known.height,
            x=known.x,
            y=known.y,
            maximized=known.maximized,
            min_size=(layout.EDITOR_LEAST + layout.CHAT_LEAST + 20, 400),
            text_select=True,
            zoomable=True,
            draggable=True,
        )
        self._window = window
        window.events.initialized += self._prepare
        window.events.before_show += self._attach
        window.events.closing += self._closing
        instance.listen(self._raise)
        webview.start(
            gui={"cocoa": None, "winforms": "edgechromium"}.get(self._gui, self._gui),  # pyright: ignore[reportArgumentType]
            private_mode=False,
            storage_path=str(storage / "chat"),
            icon=str(Path(__file__).parent / "icon.png"),
        )
        self._watch.stop()
        return headless.serve(self._paths, self._refusal) if self._refusal else 0

    # ── The life of the window (GUI's thread) ─────────────────────────────────────────────────────

    def _prepare(self) -> bool:
        """The toolkit is loaded, the native window not made yet. False: there will be none."""
        try:
            self._panes.prepare(self._bridge.loaded, self._bridge.receive)
        except CannotShow as error:
            self._refusal = str(error)
            return False
        self._shade = self._panes.shade() if self._layout.theme == "system" else self._layout.theme
        known = layout.fit(self._layout, self._panes.screens())
        self._window.initial_width, self._window.initial_height = known.width, known.height
        self._window.initial_x, self._window.initial_y = known.x, known.y
        self._window.background_color = pages.PALETTES[self._shade].chat
        self._window.html = pages.splash(self._shade)
        return True

    def _attach(self) -> None:
        try:
            self._panes.attach(self._window, self._layout.split, self._shade, self._bridge.script(self._gui))
        except Exception as error:  # pywebview would swallow it and show half a window
            log.exception("The panes could not be made")
            self._refusal = f"The window could not be made: {error}."
            self._may_close = True
            threading.Thread(target=self._window.destroy, name="refused", daemon=True).start()
            return
        # Not before: a desktop tells its colours (over D-Bus) only to a process that it can look into. And not later,
        # for the watch reads the secret.
        undumpable()
        threading.Thread(target=self._watch.run, name="watch", daemon=True).start()
        if self._layout.theme != "system":
            self._panes.tint(self._shade)
        self._attached.set()

    def _closing(self) -> bool:
        """False keeps the window. Whether a task runs is asked outside the GUI's thread, then it closes for good."""
        if self._refusal:
            return True
        if self._may_close:
            self._remember(self._panes.layout(self._layout))
            self._panes.close()
            return True
        if not self._asking:
            self._asking = True
            threading.Thread(target=self._ask_and_close, name="closing", daemon=True).start()
        return False

    def _ask_and_close(self) -> None:
        tasks = self._watch.active_tasks()
        if tasks:
            many = len(tasks) > 1
            answer = self._panes.ask(
                f"{len(tasks)} tasks are still running" if many else "A task is still running",
                "Twinseat can keep working without a window; open it again to see how far it came.",
                ("Keep them running" if many else "Keep it running", "Stop them" if many else "Stop it", "Cancel"),
            )
            if answer == 2:
                self._asking = False
                return
            if answer == 1:
                self._watch.interrupt(tasks)
        self._watch.stop()
        self._may_close = True
        self._window.destroy()

    def _raise(self) -> None:
        self._attached.wait()
        self._panes.raise_window()

    def _remember(self, known: layout.Layout) -> None:
        self._layout = known
        try:
            layout.save(self._paths.window, known)
        except OSError as error:
            log.warning("The window's layout could not be remembered: %s", error)

    # ── What happens in the panes (GUI's thread) ──────────────────────────────────────────────────

    def may_load(self, pane: Pane, url: str, clicked: bool) -> bool:
        if url == RETRY:
            threading.Thread(target=self._retry, args=(pane,), name="retry", daemon=True).start()
            return False
        # Our own pages; Chromium and WebKit let no other page go to a data address.
        if url.startswith("data:text/html") or url in ("about:blank", "about:srcdoc"):
            return True
        if same_origin(url, self._chat_url if pane == "chat" else self._editor_url):
            return True
        if clicked:
            open_outside(url)
        return False

    def opened(self, url: str, clicked: bool) -> None:
        if clicked:
            open_outside(url)

    def failed(self, pane: Pane, url: str, reason: str) -> None:
        if not same_origin(url, self._chat_url if pane == "chat" else self._editor_url):
            return
        log.warning("The %s did not load: %s", pane, reason)
        what = "editor" if pane == "editor" else "chat"
        page = pages.problem(
            self._shade,
            pane,
            f"The {what} did not load",
            f"Its address on this computer did not answer ({reason}).",
            "It may just be starting.",
        )
        self._panes.show(pane, page)

    def died(self, pane: Pane, reason: str) -> bool:
        now = time.monotonic()
        self._deaths[pane] = [at for at in self._deaths[pane] if at > now - DEATH_WINDOW] + [now]
        what = "editor" if pane == "editor" else "chat"
        log.warning("The %s's renderer is gone (%s)", what, reason)
        if len(self._deaths[pane]) >= DEATHS:
            self._deaths[pane] = []
            page = pages.problem(
                self._shade,
                pane,
                f"The {what} keeps stopping",
                f"The process that draws this pane ended {DEATHS} times within a minute ({reason}).",
                "Closing other programs frees memory; nothing that was saved is lost.",
            )
            self._panes.show(pane, page)
            return False
        text = f"The {what} stopped working and was loaded again."
        if pane == "chat":
            self._notices.append(text)
        else:
            self._bridge.notice(text)
        return True

    def download(self, suggested: str) -> Path:
        return free_path(downloads_folder(), suggested)

    def downloaded(self, path: Path, error: str = "") -> None:
        where = f"{path.name} was saved to {path.parent}."
        self._bridge.notice(f"{path.name} could not be downloaded: {error}." if error else where)

    def split(self, share: float) -> None:
        self._layout = replace(self._layout, split=round(share, 4))
        if self._save_timer is not None:
            self._save_timer.cancel()
        self._save_timer = threading.Timer(0.3, lambda: self._remember(self._layout))
        self._save_timer.daemon = True
        self._save_timer.start()

    # ── What the watch tells (its thread) ─────────────────────────────────────────────────────────

    def starting(self, seconds: float) -> None:
        if seconds < 3 or not self._attached.is_set():
            return
        words = f"Starting Twinseat · {seconds:.0f} s"
        if seconds > 20:
            words += " · the first start takes longest"
        self._panes.run(f"(e => {{ if (e) e.textContent = {words!r} }})(document.getElementById('state'))")

    def signed_in(self, url: str) -> None:
        self._attached.wait()
        # The page draws the chat alone where the window draws the editor.
        self._chat_url = url = urlsplit(url)._replace(query="pane=chat").geturl()
        self._panes.load("chat", url)

    def lost(self, reason: str, remedy: str) -> None:
        self._attached.wait()
        page = pages.problem(self._shade, "chat", "Twinseat could not start", reason, remedy)
        self._panes.show("chat", page)

    def editor(self, editor: Editor) -> None:
        self._attached.wait()
        self._chat_loaded.wait(CHAT_FIRST_SECONDS)
        before, self._editor = self._editor, editor
        if self._window is not None and editor.name != before.name:
            self._window.set_title(f"{editor.name} — {TITLE}" if editor.name else TITLE)
        match editor.state:
            case "ready":
                self._editor_url = editor.url
                self._panes.load("editor", editor.url)
            case "starting" if before.workspace == editor.workspace and self._editor_url:
                pass  # VS Code is there and says itself that it reconnects; it is loaded anew once ready
            case _:
                self._editor_url = ""
                self._panes.show("editor", self._editor_page())

    def remember(self, workspace: str | None) -> None:
        self._remember(replace(self._layout, workspace=workspace))

    def _editor_page(self) -> str:
        editor = self._editor
        match editor.state:
            case "failed" | "gone":
                return pages.problem(self._shade, "editor", editor.title, editor.detail, editor.remedy, editor.log)
            case "starting" | "ready":
                return pages.editor_starting(self._shade, editor.name, editor.steps)
            case "none":
                return pages.editor_empty(self._shade)

    def _retry(self, pane: Pane) -> None:
        if pane == "chat":
            self._panes.show("chat", pages.splash(self._shade))
            self._watch.sign_in_again()
        elif self._editor_url:
            self._panes.load("editor", self._editor_url)
        else:
            self._watch.restart_editor()

    # ── What the chat page asks for (a bridge thread) ─────────────────────────────────────────────

    def choose_folder(self) -> str | None:
        import webview

        chosen = self._window.create_file_dialog(webview.FileDialog.FOLDER, directory=str(Path.home()))
        return str(chosen[0]) if chosen else None

    def choose_file(self, name: str) -> Path | None:
        import webview

        folder = str(downloads_folder())
        chosen = self._window.create_file_dialog(webview.FileDialog.SAVE, directory=folder, save_filename=name)
        return Path(str(chosen[0])) if chosen else None

    def focus_editor(self) -> None:
        self._panes.focus("editor")

    def show_workspace(self, workspace: str | None) -> None:
        if workspace != self._layout.workspace:
            self.remember(workspace)
        if workspace != (self._editor.workspace or None):
            self._watch.show(workspace)

    def theme(self, name: Theme) -> None:
        if name != self._layout.theme:
            self._remember(replace(self._layout, theme=name))
        self._panes.tint(None if name == "system" else name)
        shade = self._panes.shade() if name == "system" else name
        if shade != self._shade:
            self._shade = shade
            if not self._editor_url:
                self._panes.show("editor", self._editor_page())

    def notify(self, title: str, text: str) -> None:
        log.info("%s: %s", title, text)
        self._panes.call_attention()

    def loaded(self) -> None:
        """A page is there and can be told what it missed."""
        if self._chat_url:
            self._chat_loaded.set()
        notices, self._notices = self._notices, []
        for text in notices:
            self._bridge.notice(text)
