"""The panes on Windows: two WebView2 controls in a form. Not yet run on Windows; see docs/platforms.md.

Written from webview/platforms/winforms.py and edgechromium.py 6.2.1. pywebview's control is being initialised when
`before_show` fires and can't be moved to another parent then: it stays the form's filling child, and the editor is a
panel docked to its left with a splitter between. Without the WebView2 runtime pywebview would fall back to Internet
Explorer's engine, which can run neither pane: that is refused.
"""

# pyright: reportMissingModuleSource=false

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import webview.platforms.edgechromium as edge  # first: it loads the assemblies that the next ones come from

# isort: split
import System.Windows.Forms as Forms
from Microsoft.Web.WebView2.Core import CoreWebView2PermissionState
from Microsoft.Web.WebView2.WinForms import CoreWebView2CreationProperties, WebView2
from System import Action, Uri
from System.Drawing import ColorTranslator

from app.desktop.layout import CHAT_LEAST, DEFAULT_SPLIT, EDITOR_LEAST, Layout, Screen
from app.desktop.pages import PALETTES, Shade
from app.desktop.panes import CannotShow, Hooks, Pane, take_over_bridge

log = logging.getLogger(__name__)

HANDLE = 5
NO_RUNTIME = (
    "The window needs the Microsoft Edge WebView2 Runtime, which is not installed. "
    "Get it from https://developer.microsoft.com/microsoft-edge/webview2/, then start Twinseat again."
)


class WinFormsPanes:
    def __init__(self, hooks: Hooks, storage: Path) -> None:
        self._hooks = hooks
        self._storage = storage
        self._share = DEFAULT_SPLIT
        self._pending: dict[Pane, Callable[[], None]] = {}
        self._kept: list[object] = []
        self._form: Any
        self._panel: Forms.Panel
        self._bar: Forms.Splitter
        self._views: dict[Pane, Any] = {}

    def prepare(self, loaded: Callable[..., None], receive: Callable[..., None]) -> None:
        from webview.platforms import winforms

        if winforms.renderer != "edgechromium":
            raise CannotShow(NO_RUNTIME)
        take_over_bridge(edge, loaded, receive)

    def shade(self) -> Shade:
        import winreg

        path = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
                return "light" if winreg.QueryValueEx(key, "AppsUseLightTheme")[0] else "dark"
        except OSError:
            return "light"

    def screens(self) -> list[Screen]:
        shown = sorted(Forms.Screen.AllScreens, key=lambda one: not one.Primary)
        return [Screen(one.Bounds.X, one.Bounds.Y, one.Bounds.Width, one.Bounds.Height) for one in shown]

    def attach(self, window: Any, split: float, shade: Shade, script: str) -> None:
        self._form, self._share = window.native, split
        browser = self._form.browser
        editor = WebView2()
        properties = CoreWebView2CreationProperties()
        # A folder of its own: two controls that share one must agree on every option, or the second fails.
        properties.UserDataFolder = str(self._storage)
        editor.CreationProperties = properties
        editor.Dock = Forms.DockStyle.Fill
        self._views = {"editor": editor, "chat": browser.webview}
        self._panel, self._bar = Forms.Panel(), Forms.Splitter()
        self._panel.Dock = self._bar.Dock = Forms.DockStyle.Left
        self._panel.Controls.Add(editor)
        self._bar.Width = HANDLE
        self._bar.MinSize, self._bar.MinExtra = EDITOR_LEAST, CHAT_LEAST
        self._form.Controls.Add(self._bar)
        self._form.Controls.Add(self._panel)
        # Laid out from the highest index down: the panel outermost, then the splitter, then what fills the rest.
        for index, control in enumerate((browser.webview, self._bar, self._panel)):
            self._form.Controls.SetChildIndex(control, index)
        self._place()
        self._paint(shade)
        self._bar.SplitterMoved += self._moved
        self._bar.DoubleClick += self._reset
        self._form.Resize += self._resized
        for pane, view in self._views.items():
            self._listen(pane, view, browser, script)

    def load(self, pane: Pane, url: str) -> None:
        self._when_ready(pane, lambda: setattr(self._views[pane], "Source", Uri(url)))

    def show(self, pane: Pane, html: str) -> None:
        self._when_ready(pane, lambda: self._views[pane].CoreWebView2.NavigateToString(html))

    def run(self, script: str) -> None:
        self._when_ready("chat", lambda: self._views["chat"].ExecuteScriptAsync(script))

    def focus(self, pane: Pane) -> None:
        self._to_gui(self._views[pane].Focus)

    def tint(self, shade: Shade | None) -> None:
        self._to_gui(lambda: self._paint(shade or self.shade()))

    def raise_window(self) -> None:
        self._to_gui(self._raise)

    def call_attention(self) -> None:
        from ctypes import windll

        self._to_gui(lambda: windll.user32.FlashWindow(self._form.Handle.ToInt64(), True))

    def ask(self, title: str, text: str, choices: Sequence[str]) -> int:
        answer: Future[int] = Future()
        self._to_gui(lambda: answer.set_result(self._ask(title, text, choices)))
        return answer.result()

    def layout(self, before: Layout) -> Layout:
        maximized = self._form.WindowState == Forms.FormWindowState.Maximized
        if maximized or self._form.WindowState == Forms.FormWindowState.Minimized:
            return replace(before, maximized=maximized, split=self._share)
        scale = self._form._scale
        return replace(
            before,
            maximized=False,
            x=round(self._form.Left / scale),
            y=round(self._form.Top / scale),
            width=round(self._form.Width / scale),
            height=round(self._form.Height / scale),
            split=self._share,
        )

    def close(self) -> None:
        self._views["editor"].Dispose()

    # ── On the GUI's thread ───────────────────────────────────────────────────────────────────────

    def _to_gui(self, function: Callable[[], object]) -> None:
        def run() -> None:
            function()

        self._form.BeginInvoke(Action(run))

    def _when_ready(self, pane: Pane, function: Callable[[], object]) -> None:
        """A control takes nothing before its engine is there; the last wish is kept until then."""

        def run() -> None:
            if self._views[pane].CoreWebView2 is None:
                self._pending[pane] = run
                self._views[pane].EnsureCoreWebView2Async(None)
            else:
                function()

        self._to_gui(run)

    def _listen(self, pane: Pane, view: Any, browser: Any, script: str) -> None:
        def ready(sender: Any, event: Any) -> None:
            if not event.IsSuccess:
                self._hooks.failed(pane, "", str(event.InitializationException))
                return
            core = sender.CoreWebView2
            settings = core.Settings
            settings.AreDevToolsEnabled = settings.IsStatusBarEnabled = settings.IsSwipeNavigationEnabled = False
            settings.AreDefaultContextMenusEnabled = settings.IsZoomControlEnabled = True
            # Reload, print and find are pages' own keys here; zoom keys need it on.
            settings.AreBrowserAcceleratorKeysEnabled = True
            if pane == "chat":
                core.AddScriptToExecuteOnDocumentCreatedAsync(script)
                core.NewWindowRequested -= browser.on_new_window_request
                core.DownloadStarting -= browser.on_download_starting
            core.NewWindowRequested += new_window
            core.DownloadStarting += download
            core.ProcessFailed += failed
            core.PermissionRequested += permission
            waiting = self._pending.pop(pane, None)
            if waiting is not None:
                waiting()

        def starting(_sender: Any, event: Any) -> None:
            if not self._hooks.may_load(pane, str(event.Uri), bool(event.IsUserInitiated)):
                event.Cancel = True

        def completed(_sender: Any, event: Any) -> None:
            if not event.IsSuccess and str(event.WebErrorStatus) != "OperationCanceled":
                self._hooks.failed(pane, str(view.Source), str(event.WebErrorStatus))

        def new_window(_sender: Any, event: Any) -> None:
            event.Handled = True
            self._hooks.opened(str(event.Uri), bool(event.IsUserInitiated))

        def download(_sender: Any, event: Any) -> None:
            self._download(event)

        def failed(_sender: Any, event: Any) -> None:
            kind = str(event.ProcessFailedKind)
            if "Render" in kind and self._hooks.died(pane, kind):
                view.Reload()

        def permission(_sender: Any, event: Any) -> None:
            allowed = str(event.PermissionKind) == "ClipboardRead"
            states = CoreWebView2PermissionState
            event.State = states.Allow if allowed else states.Deny

        def key(_sender: Any, event: Any) -> None:
            if event.Control and event.KeyCode == Forms.Keys.F6:
                event.Handled = True
                self._views["chat" if pane == "editor" else "editor"].Focus()

        view.CoreWebView2InitializationCompleted += ready
        view.NavigationStarting += starting
        view.NavigationCompleted += completed
        view.KeyDown += key
        self._kept += [ready, starting, completed, new_window, download, failed, permission, key]

    def _download(self, event: Any) -> None:
        suggested = Path(str(event.ResultFilePath)).name
        try:
            path = self._hooks.download(suggested)
        except OSError as error:
            event.Cancel = True
            self._hooks.downloaded(Path(suggested), str(error))
            return
        event.Cancel, event.Handled, event.ResultFilePath = False, True, str(path)
        operation = event.DownloadOperation

        def changed(_sender: Any, _event: Any) -> None:
            match str(operation.State):
                case "Completed":
                    self._hooks.downloaded(path)
                case "Interrupted":
                    self._hooks.downloaded(path, str(operation.InterruptReason))
                case _:
                    pass

        operation.StateChanged += changed
        self._kept.append(changed)

    def _place(self) -> None:
        self._panel.Width = round((self._form.ClientSize.Width - HANDLE) * self._share)

    def _resized(self, _sender: object, _event: object) -> None:
        if self._form.WindowState != Forms.FormWindowState.Minimized:
            self._place()

    def _moved(self, _sender: object, _event: object) -> None:
        share = self._panel.Width / max(1, self._form.ClientSize.Width - HANDLE)
        if abs(share - self._share) > 0.002:
            self._share = share
            self._hooks.split(share)

    def _reset(self, _sender: object, _event: object) -> None:
        self._share = DEFAULT_SPLIT
        self._place()
        self._hooks.split(self._share)

    def _paint(self, shade: Shade) -> None:
        colours = PALETTES[shade]
        self._bar.BackColor = ColorTranslator.FromHtml(colours.line)
        self._panel.BackColor = ColorTranslator.FromHtml(colours.editor)

    def _raise(self) -> None:
        if self._form.WindowState == Forms.FormWindowState.Minimized:
            self._form.WindowState = Forms.FormWindowState.Normal
        self._form.Activate()
        self._form.BringToFront()

    def _ask(self, title: str, text: str, choices: Sequence[str]) -> int:
        """WinForms' own box has fixed words for its buttons, so the text says what each stands for."""
        words = f"{title}.\n\n{text}\n\nYes: {choices[0]}\nNo: {choices[1]}"
        answer = Forms.MessageBox.Show(
            self._form, words, "Twinseat", Forms.MessageBoxButtons.YesNoCancel, Forms.MessageBoxIcon.Question
        )
        return {Forms.DialogResult.Yes: 0, Forms.DialogResult.No: 1}.get(answer, len(choices) - 1)
