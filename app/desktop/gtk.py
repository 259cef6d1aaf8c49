"""The panes with GTK 3 and WebKitGTK 4.1, for a Linux where Qt can't be had.

PyGObject is no dependency: install it with `pip install 'pygobject<3.51'` beside the system's gir1.2-webkit2-4.1.
Worked around on the way: pywebview's view has no context menu, ignores `window.open`, and saves what it can't show to
the home folder without asking; so its handlers give way to ours.
"""

# pyright: reportMissingModuleSource=false

import logging
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gi

from app.desktop.layout import CHAT_LEAST, DEFAULT_SPLIT, EDITOR_LEAST, Layout, Screen
from app.desktop.pages import PALETTES, Shade
from app.desktop.panes import Hooks, Pane, take_over_bridge

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gdk, GLib, GObject, Gtk, WebKit2  # noqa: E402 - the versions come first

log = logging.getLogger(__name__)

ZOOM = 1.1
HANDLE = 5
IN_FRAMES = frozenset({"http", "https", "about", "data", "blob"})


class GtkPanes:
    def __init__(self, hooks: Hooks, storage: Path, cache: Path) -> None:
        self._hooks = hooks
        self._storage = storage
        self._cache = cache
        self._style = Gtk.CssProvider()
        self._share = DEFAULT_SPLIT
        self._width = 0
        self._keys: deque[tuple[object, WebKit2.WebView]] = deque(maxlen=16)
        self._window: Gtk.Window
        self._paned: Gtk.Paned
        self._chat: WebKit2.WebView
        self._editor: WebKit2.WebView

    def prepare(self, loaded: Callable[..., None], receive: Callable[..., None]) -> None:
        from webview.platforms import gtk

        take_over_bridge(gtk, loaded, receive)
        Gdk.set_program_class("twinseat")

    def shade(self) -> Shade:
        settings = Gtk.Settings.get_default()
        if settings is None:
            return "light"
        dark = settings.get_property("gtk-application-prefer-dark-theme")
        return "dark" if dark or str(settings.get_property("gtk-theme-name")).lower().endswith("-dark") else "light"

    def screens(self) -> list[Screen]:
        display = Gdk.Display.get_default()
        if display is None:
            return []
        areas = [display.get_monitor(i).get_geometry() for i in range(display.get_n_monitors())]
        return [Screen(area.x, area.y, area.width, area.height) for area in areas]

    def attach(self, window: Any, split: float, shade: Shade, script: str) -> None:
        from webview.platforms.gtk import BrowserView

        pywebview: Any = BrowserView.instances[window.uid]
        self._window, self._chat, self._share = window.native, pywebview.webview, split
        self._chat.disconnect_by_func(pywebview.on_navigation)
        _show_context_menu(self._chat)
        frames, time = WebKit2.UserContentInjectedFrames.TOP_FRAME, WebKit2.UserScriptInjectionTime.START
        pywebview.manager.add_script(WebKit2.UserScript.new(script, frames, time, None, None))
        context = WebKit2.WebContext.new_with_website_data_manager(
            WebKit2.WebsiteDataManager(
                base_data_directory=str(self._storage), base_cache_directory=str(self._cache / "editor")
            )
        )
        # The chat's context has its processes already; what it shows is ours, and comes with a strict policy.
        if shutil.which("bwrap") and shutil.which("xdg-dbus-proxy"):
            context.set_sandbox_enabled(True)
        self._editor = WebKit2.WebView(web_context=context)
        self._listen("editor", self._editor)
        self._listen("chat", self._chat)
        for view, least in ((self._editor, EDITOR_LEAST), (self._chat, CHAT_LEAST)):
            view.get_context().connect("download-started", self._download)
            view.get_settings().set_property("javascript-can-access-clipboard", True)
            view.set_size_request(least, -1)
        scrolled = self._window.get_child()
        self._window.remove(scrolled)
        self._paned = Gtk.Paned(orientation=Gtk.Orientation.HORIZONTAL)
        self._paned.pack1(self._editor, resize=True, shrink=False)
        self._paned.pack2(scrolled, resize=False, shrink=False)
        self._paned.connect("button-press-event", self._pressed)
        self._paned.connect("notify::position", self._moved)
        self._paned.connect("size-allocate", self._allocated)
        self._window.add(self._paned)
        self._window.connect("key-press-event", self._came_round)
        self._window.connect("key-release-event", self._came_round)
        self._window.connect("key-press-event", self._key)
        screen = Gdk.Screen.get_default()
        if screen is not None:
            Gtk.StyleContext.add_provider_for_screen(screen, self._style, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION)
        self._paint(shade)
        self._chat.grab_focus()

    def load(self, pane: Pane, url: str) -> None:
        _to_gui(lambda: self._view(pane).load_uri(url))

    def show(self, pane: Pane, html: str) -> None:
        _to_gui(lambda: self._view(pane).load_html(html, "about:blank"))

    def run(self, script: str) -> None:
        # The length is counted in bytes; -1 lets WebKit count.
        _to_gui(lambda: self._chat.evaluate_javascript(script, -1, None, None, None, None))

    def focus(self, pane: Pane) -> None:
        _to_gui(lambda: self._view(pane).grab_focus())

    def tint(self, shade: Shade | None) -> None:
        _to_gui(lambda: self._tint(shade))

    def raise_window(self) -> None:
        _to_gui(self._raise)

    def call_attention(self) -> None:
        _to_gui(lambda: self._window.set_urgency_hint(not self._window.is_active()))

    def ask(self, title: str, text: str, choices: Sequence[str]) -> int:
        from concurrent.futures import Future

        answer: Future[int] = Future()
        _to_gui(lambda: answer.set_result(self._ask(title, text, choices)))
        return answer.result()

    def layout(self, before: Layout) -> Layout:
        if self._window.is_maximized():
            return replace(before, maximized=True, split=self._share)
        # Not the position events, which leave the frame out, so that the window would sink by a title bar a launch.
        (x, y), (width, height) = self._window.get_position(), self._window.get_size()
        return replace(before, maximized=False, x=x, y=y, width=width, height=height, split=self._share)

    def close(self) -> None:
        self._editor.try_close()

    # ── On the GUI's thread ───────────────────────────────────────────────────────────────────────

    def _view(self, pane: Pane) -> WebKit2.WebView:
        return self._chat if pane == "chat" else self._editor

    def _listen(self, pane: Pane, view: WebKit2.WebView) -> None:
        view.connect("decide-policy", self._decide, pane)
        view.connect("create", self._create)
        view.connect("web-process-terminated", self._terminated, pane)
        view.connect("load-failed", self._failed, pane)
        view.connect("permission-request", self._permission)

    def _decide(self, _view: object, decision: Any, kind: WebKit2.PolicyDecisionType, pane: Pane) -> bool:
        if kind == WebKit2.PolicyDecisionType.RESPONSE:
            return self._decide_response(decision, pane)
        action = decision.get_navigation_action()
        url = action.get_request().get_uri()
        if kind == WebKit2.PolicyDecisionType.NEW_WINDOW_ACTION:
            self._hooks.opened(url, action.is_user_gesture())
            decision.ignore()
            return True
        clicked = action.get_navigation_type() == WebKit2.NavigationType.LINK_CLICKED
        # WebKit does not tell whether this is for a frame inside the page, which may go where it likes. So what nobody
        # clicked on is judged when its answer is there, which does tell.
        if not clicked and urlsplit(url).scheme in IN_FRAMES:
            return False
        if self._hooks.may_load(pane, url, clicked):
            return False
        decision.ignore()
        return True

    def _decide_response(self, decision: Any, pane: Pane) -> bool:
        if decision.is_main_frame_main_resource():
            url = decision.get_response().get_uri()
            if not self._hooks.may_load(pane, url, False):
                decision.ignore()
                return True
        if decision.is_mime_type_supported():
            return False
        decision.download()
        return True

    def _create(self, _view: object, action: WebKit2.NavigationAction) -> None:
        self._hooks.opened(action.get_request().get_uri(), action.is_user_gesture())

    def _permission(self, _view: object, request: Any) -> bool:
        if isinstance(request, WebKit2.ClipboardPermissionRequest):
            request.allow()
        else:
            request.deny()
        return True

    def _terminated(self, view: WebKit2.WebView, reason: WebKit2.WebProcessTerminationReason, pane: Pane) -> None:
        if self._hooks.died(pane, str(reason.value_nick)):
            view.reload()

    def _failed(self, _view: object, _event: object, url: str, error: GLib.Error, pane: Pane) -> bool:
        if error.matches(WebKit2.NetworkError.quark(), WebKit2.NetworkError.CANCELLED):
            return False
        if error.matches(WebKit2.PolicyError.quark(), WebKit2.PolicyError.FRAME_LOAD_INTERRUPTED_BY_POLICY_CHANGE):
            return False
        self._hooks.failed(pane, url, error.message)
        return True

    def _download(self, _context: object, download: WebKit2.Download) -> None:
        chosen: list[Path] = []
        download.connect("decide-destination", self._destination, chosen)
        download.connect("finished", self._downloaded, chosen)
        download.connect("failed", self._download_failed, chosen)

    def _destination(self, download: WebKit2.Download, suggested: str, chosen: list[Path]) -> bool:
        try:
            chosen.append(self._hooks.download(suggested))
        except OSError as error:
            self._hooks.downloaded(Path(suggested), str(error))
            download.cancel()
            return True
        download.set_destination(GLib.filename_to_uri(str(chosen[0]), None))
        return True

    def _downloaded(self, _download: object, chosen: list[Path]) -> None:
        if chosen:
            self._hooks.downloaded(chosen[0])

    def _download_failed(self, _download: object, error: GLib.Error, chosen: list[Path]) -> None:
        if chosen:
            self._hooks.downloaded(chosen.pop(), error.message)

    def _pressed(self, paned: Gtk.Paned, event: Gdk.EventButton) -> bool:
        if event.type != Gdk.EventType._2BUTTON_PRESS or event.window != paned.get_handle_window():
            return False
        self._share = DEFAULT_SPLIT
        paned.set_position(self._place())
        self._hooks.split(self._share)
        return True

    def _moved(self, paned: Gtk.Paned, _property: object) -> None:
        width = paned.get_allocated_width()
        # Only what the user does: while the window itself changes its width, the handle is put, not moved.
        if width == self._width and width > HANDLE and paned.get_position() != self._place():
            self._share = paned.get_position() / (width - HANDLE)
            self._hooks.split(self._share)

    def _allocated(self, paned: Gtk.Paned, allocation: Gdk.Rectangle) -> None:
        if self._width == 0:
            self._width = allocation.width
            paned.set_position(self._place())
        elif allocation.width != self._width:
            self._width = allocation.width
            self._share = paned.get_position() / max(1, allocation.width - HANDLE)

    def _place(self) -> int:
        return round(self._share * (self._width - HANDLE))

    def _came_round(self, _window: object, event: Gdk.EventKey) -> bool:
        """WebKit sends a key that its page did not use round again, and the view that sent it lets one key by.

        When the focus has moved meanwhile (Control, pressed for the chord, comes round late), the other view would get
        the key, and the first one would swallow the next that is typed in it.
        """
        key = (event.type, event.time, event.hardware_keycode)
        focused = self._chat if self._chat.is_focus() else self._editor
        first = next((view for seen, view in self._keys if seen == key), None)
        if first is None:
            self._keys.append((key, focused))
            return False
        if first is focused:
            return False
        first.event(event)
        return True

    def _key(self, _window: object, event: Gdk.EventKey) -> bool:
        state = event.state & Gtk.accelerator_get_default_mod_mask()
        if state == Gdk.ModifierType.CONTROL_MASK and event.keyval == Gdk.KEY_F6:
            self._view("editor" if self._chat.is_focus() else "chat").grab_focus()
            return True
        if state & ~Gdk.ModifierType.SHIFT_MASK != Gdk.ModifierType.CONTROL_MASK:
            return False
        # WebKit does not tell which keys a page used; these are none of VS Code's in a browser, but for Ctrl+0.
        view = self._chat if self._chat.is_focus() else self._editor
        match event.keyval:
            case Gdk.KEY_plus | Gdk.KEY_equal | Gdk.KEY_KP_Add:
                view.set_zoom_level(min(3.0, view.get_zoom_level() * ZOOM))
            case Gdk.KEY_minus | Gdk.KEY_KP_Subtract:
                view.set_zoom_level(max(0.5, view.get_zoom_level() / ZOOM))
            case Gdk.KEY_0 if view is self._chat:
                view.set_zoom_level(1.0)
            case _:
                return False
        return True

    def _tint(self, shade: Shade | None) -> None:
        settings = Gtk.Settings.get_default()
        if settings is not None and shade is not None:
            settings.set_property("gtk-application-prefer-dark-theme", shade == "dark")
        elif settings is not None:
            settings.reset_property("gtk-application-prefer-dark-theme")
        self._paint(shade or self.shade())

    def _paint(self, shade: Shade) -> None:
        colours = PALETTES[shade]
        self._style.load_from_data(
            f"paned {{ background: {colours.editor}; }}"
            f"paned > separator {{ min-width: {HANDLE}px; background: {colours.line}; }}"
            f"paned > separator:hover {{ background: {colours.accent}; }}".encode()
        )
        for view, colour in ((self._editor, colours.editor), (self._chat, colours.chat)):
            rgba = Gdk.RGBA()
            rgba.parse(colour)
            view.set_background_color(rgba)

    def _raise(self) -> None:
        self._window.deiconify()
        self._window.present_with_time(Gdk.CURRENT_TIME)

    def _ask(self, title: str, text: str, choices: Sequence[str]) -> int:
        dialog = Gtk.MessageDialog(
            transient_for=self._window, modal=True, message_type=Gtk.MessageType.QUESTION, text=title
        )
        dialog.format_secondary_text(text)
        for index, choice in enumerate(choices):
            dialog.add_button(f"_{choice}", index)
        dialog.set_default_response(0)
        answer = dialog.run()
        dialog.destroy()
        return answer if 0 <= answer < len(choices) else len(choices) - 1


def _to_gui(function: Callable[[], object]) -> None:
    def once() -> bool:
        function()
        return False

    GLib.idle_add(once)


def _show_context_menu(view: WebKit2.WebView) -> None:
    """Take away pywebview's handler that suppresses the menu; it is a lambda, so it is found by its signal."""
    signal = GObject.signal_lookup("context-menu", WebKit2.WebView)
    found = GObject.signal_handler_find(view, GObject.SignalMatchType.ID, signal, 0, None, None, None)
    if found:
        view.disconnect(found)
