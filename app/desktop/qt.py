"""The panes with Qt WebEngine, the default on Linux.

pywebview makes the main window and the chat's profile; the chat's view and page are classes of ours, put in the place
of pywebview's before the window is made, because navigation and permissions can only be judged by overriding a page.
Worked around on the way: pywebview's download handler calls a method that PySide6 lacks, its context menu offers an
inspector that is not there, on some distributions it switches the sandbox off, and it lets pages use microphone and
camera unasked.
"""

import contextlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, override

os.environ["QT_API"] = "pyside6"
# Qt's plain theme, which it takes outside the desktops it knows, can't be told to be dark; this one can.
if not re.search(r"(?i)gnome|unity|mate|xfce|cinnamon|lxde|kde", os.environ.get("XDG_CURRENT_DESKTOP", "")):
    os.environ.setdefault("QT_QPA_PLATFORMTHEME", "gnome")

from PySide6.QtCore import QChildEvent, QEvent, QFile, QObject, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent, QShortcut
from PySide6.QtWebChannel import QWebChannel
from PySide6.QtWebEngineCore import (
    QWebEngineDownloadRequest,
    QWebEngineLoadingInfo,
    QWebEngineNewWindowRequest,
    QWebEnginePage,
    QWebEnginePermission,
    QWebEngineProfile,
    QWebEngineScript,
    QWebEngineSettings,
)
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QApplication, QMainWindow, QMessageBox, QSplitter, QSplitterHandle, QWidget

from app.desktop.layout import CHAT_LEAST, DEFAULT_SPLIT, EDITOR_LEAST, Layout, Screen
from app.desktop.pages import PALETTES, Shade
from app.desktop.panes import Hooks, Pane, take_over_bridge

log = logging.getLogger(__name__)

FOCUS_KEYS = "Ctrl+F6"
ACTIVATION_SECONDS = 5.0
RELOAD_MS = 100
ZOOM_STEPS = (0.5, 0.67, 0.75, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)

_FLAGS = os.environ.get("QTWEBENGINE_CHROMIUM_FLAGS")


class QtPanes:
    def __init__(self, hooks: Hooks, storage: Path, cache: Path) -> None:
        self._hooks = hooks
        self._storage = storage
        self._cache = cache
        self._to_gui = _ToGui()
        self._shade: Shade = "dark"
        self._port: _Port
        self._window: QMainWindow
        self._split: _Split
        self._chat: _View
        self._editor: _View | None = None
        self._profile: QWebEngineProfile | None = None

    def prepare(self, loaded: Callable[..., None], receive: Callable[..., None]) -> None:
        from webview.platforms import qt

        if _FLAGS is None:
            os.environ.pop("QTWEBENGINE_CHROMIUM_FLAGS", None)
        else:
            os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = _FLAGS
        module: Any = qt
        module.environ_append = _append_nothing
        module.BrowserView.WebView = _View
        module.BrowserView.WebPage = self._make_chat_page
        take_over_bridge(module, loaded, receive)
        self._port = _Port(receive)
        QGuiApplication.setApplicationName("twinseat")
        QGuiApplication.setDesktopFileName("twinseat")

    def shade(self) -> Shade:
        return "dark" if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else "light"

    def screens(self) -> list[Screen]:
        shown = sorted(QGuiApplication.screens(), key=lambda one: one != QGuiApplication.primaryScreen())
        areas = [one.availableGeometry() for one in shown]
        return [Screen(area.x(), area.y(), area.width(), area.height()) for area in areas]

    def attach(self, window: Any, split: float, shade: Shade, script: str) -> None:
        self._shade = shade
        self._window = window.native
        self._chat = window.native.takeCentralWidget()
        self._chat.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        self._chat.setMinimumWidth(CHAT_LEAST)
        profile: QWebEngineProfile = window.native.profile
        profile.setCachePath(str(self._cache / "chat"))
        profile.downloadRequested.connect(self._download)
        self._open_bridge(script)
        # The editor's view costs a process; a plain area stands in for it until there is something to load.
        self._split = _Split(self._hooks, split)
        self._split.addWidget(_Blank(self._split))
        self._split.addWidget(self._chat)
        self._split.paint(shade)
        self._split.place(split, self._window.width())
        self._window.setCentralWidget(self._split)
        self._window.setFocusProxy(self._chat)
        chord = QShortcut(QKeySequence(FOCUS_KEYS), self._window)
        chord.activated.connect(self._swap_focus)
        self._chat.page().setBackgroundColor(QColor(PALETTES[shade].chat))
        self._chat.setFocus()

    def load(self, pane: Pane, url: str) -> None:
        self._to_gui(lambda: self._view(pane).setUrl(QUrl(url)))

    def show(self, pane: Pane, html: str) -> None:
        self._to_gui(lambda: self._view(pane).setHtml(html))

    def run(self, script: str) -> None:
        self._to_gui(lambda: self._chat.page().runJavaScript(script))

    def focus(self, pane: Pane) -> None:
        self._to_gui(lambda: self._view(pane).setFocus(Qt.FocusReason.ShortcutFocusReason))

    def tint(self, shade: Shade | None) -> None:
        self._to_gui(lambda: self._tint(shade))

    def raise_window(self) -> None:
        self._to_gui(self._raise)

    def call_attention(self) -> None:
        self._to_gui(lambda: QApplication.alert(self._window))

    def ask(self, title: str, text: str, choices: Sequence[str]) -> int:
        return self._to_gui.result(lambda: self._ask(title, text, choices))

    def layout(self, before: Layout) -> Layout:
        if self._window.isMaximized() or self._window.isFullScreen():
            return replace(before, maximized=self._window.isMaximized(), split=self._split.share())
        home = QGuiApplication.primaryScreen().geometry()
        place, size = self._window.pos(), self._window.size()
        return replace(
            before,
            maximized=False,
            x=place.x() - home.x(),
            y=place.y() - home.y(),
            width=size.width(),
            height=size.height(),
            split=self._split.share(),
        )

    def close(self) -> None:
        if self._editor is not None and self._profile is not None:
            page = self._editor.page()
            self._editor.setParent(None)
            self._editor.deleteLater()
            page.deleteLater()
            # Sent now, page before profile: Qt insists on the order.
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
            self._profile.deleteLater()
            self._editor = None

    # ── On the GUI's thread ───────────────────────────────────────────────────────────────────────

    def _make_chat_page(self, parent: Any, profile: QWebEngineProfile) -> "_Page":
        return _Page("chat", self._hooks, profile, parent.webview)

    def _open_bridge(self, script: str) -> None:
        """A channel of ours; pywebview's gets its object only when a page is drawn already."""
        channel = QWebChannel(self._window)
        channel.registerObject("window", self._port)
        self._chat.page().setWebChannel(channel)
        library = QFile(":/qtwebchannel/qwebchannel.js")
        library.open(QFile.OpenModeFlag.ReadOnly)
        early = QWebEngineScript()
        early.setName("twinseat")
        early.setSourceCode(f"{library.readAll().toStdString()}\n{script}")
        early.setInjectionPoint(QWebEngineScript.InjectionPoint.DocumentCreation)
        early.setWorldId(QWebEngineScript.ScriptWorldId.MainWorld.value)
        early.setRunsOnSubFrames(False)
        self._chat.page().scripts().insert(early)

    def _view(self, pane: Pane) -> "_View":
        if pane == "chat":
            return self._chat
        if self._editor is None:
            self._editor = self._make_editor()
        return self._editor

    def _make_editor(self) -> "_View":
        profile = QWebEngineProfile("twinseat-editor", self._window)
        profile.setPersistentStoragePath(str(self._storage))
        profile.setCachePath(str(self._cache / "editor"))
        profile.setPersistentCookiesPolicy(QWebEngineProfile.PersistentCookiesPolicy.NoPersistentCookies)
        profile.downloadRequested.connect(self._download)
        view = _View(self._window)
        view.setMinimumWidth(EDITOR_LEAST)
        page = _Page("editor", self._hooks, profile, view)
        page.setBackgroundColor(QColor(PALETTES[self._shade].editor))
        view.setPage(page)
        sizes = self._split.sizes()
        blank = self._split.replaceWidget(0, view)
        if blank is not None:
            blank.deleteLater()
        self._split.setSizes(sizes)
        self._profile = profile
        return view

    def _swap_focus(self) -> None:
        now = QApplication.focusWidget()
        in_chat = now is not None and (now is self._chat or self._chat.isAncestorOf(now))
        self._view("editor" if in_chat else "chat").setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _tint(self, shade: Shade | None) -> None:
        hints = QGuiApplication.styleHints()
        if shade is None:
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Dark if shade == "dark" else Qt.ColorScheme.Light)
        self._shade = shade or self.shade()
        self._split.paint(self._shade)
        self._chat.page().setBackgroundColor(QColor(PALETTES[self._shade].chat))
        if self._editor is not None:
            self._editor.page().setBackgroundColor(QColor(PALETTES[self._shade].editor))

    def _raise(self) -> None:
        self._window.setWindowState(self._window.windowState() & ~Qt.WindowState.WindowMinimized)
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def _ask(self, title: str, text: str, choices: Sequence[str]) -> int:
        box = QMessageBox(QMessageBox.Icon.Question, "Twinseat", title, parent=self._window)
        box.setInformativeText(text)
        roles = QMessageBox.ButtonRole
        last = len(choices) - 1
        kinds = {0: roles.AcceptRole, last: roles.RejectRole}
        buttons = [box.addButton(f"&{choice}", kinds.get(i, roles.DestructiveRole)) for i, choice in enumerate(choices)]
        box.setDefaultButton(buttons[0])
        box.setEscapeButton(buttons[last])
        box.exec()
        pressed = box.clickedButton()
        return next((i for i, button in enumerate(buttons) if button is pressed), last)

    def _download(self, request: QWebEngineDownloadRequest) -> None:
        try:
            path = self._hooks.download(request.suggestedFileName())
        except OSError as error:
            self._hooks.downloaded(Path(request.suggestedFileName()), str(error))
            return
        request.setDownloadDirectory(str(path.parent))
        request.setDownloadFileName(path.name)
        request.isFinishedChanged.connect(lambda: self._downloaded(request, path))
        request.accept()

    def _downloaded(self, request: QWebEngineDownloadRequest, path: Path) -> None:
        complete = request.state() == QWebEngineDownloadRequest.DownloadState.DownloadCompleted
        self._hooks.downloaded(path, "" if complete else request.interruptReasonString())


class _ToGui(QObject):
    """Runs a function on the GUI's thread, from whichever thread it is called."""

    _given = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._given.connect(self._take)

    def __call__(self, function: Callable[[], object]) -> None:
        self._given.emit(function)

    def result[T](self, function: Callable[[], T]) -> T:
        """Wait for what it returns. Not from the GUI's thread itself."""
        from concurrent.futures import Future

        answer: Future[T] = Future()
        self(lambda: answer.set_result(function()))
        return answer.result()

    def _take(self, function: Callable[[], object]) -> None:
        function()


class _Port(QObject):
    """What the chat page holds of the window's end of the bridge."""

    def __init__(self, receive: Callable[..., None]) -> None:
        super().__init__()
        self._receive = receive

    @Slot(str, str, str)
    def call(self, name: str, values: str, identifier: str) -> None:
        with contextlib.suppress(ValueError):
            self._receive(None, name, json.loads(values), identifier)


def _append_nothing(*_: str) -> None:
    """In place of pywebview's way of adding Chromium flags."""


class _Blank(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMinimumWidth(EDITOR_LEAST)
        self.setAutoFillBackground(True)


class _View(QWebEngineView):
    """Either pane's view. pywebview makes the chat's with its main window as parent."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._touched = 0.0

    def just_used(self) -> bool:
        """Whether a button or a key was pressed here within Chromium's own span of a user's activation.

        Qt reports a script's `location = …` as a followed link; this tells the two apart.
        """
        return time.monotonic() - self._touched < ACTIVATION_SECONDS

    @override
    def childEvent(self, event: QChildEvent) -> None:
        if event.added():
            event.child().installEventFilter(self)  # the widget inside that draws the page and gets the input
        super().childEvent(event)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _INPUT:
            self._touched = time.monotonic()
        return False


_INPUT = frozenset({QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.KeyPress})


class _Page(QWebEnginePage):
    """A page that goes nowhere but where the window lets it."""

    def __init__(self, pane: Pane, hooks: Hooks, profile: QWebEngineProfile, view: _View) -> None:
        super().__init__(profile, view)
        self._view = view
        self._pane: Pane = pane
        self._hooks = hooks
        settings = self.settings()
        settings.setAttribute(QWebEngineSettings.WebAttribute.ErrorPageEnabled, False)
        settings.setAttribute(QWebEngineSettings.WebAttribute.JavascriptCanAccessClipboard, True)
        settings.setAttribute(QWebEngineSettings.WebAttribute.LocalContentCanAccessFileUrls, False)
        settings.setAttribute(QWebEngineSettings.WebAttribute.ScreenCaptureEnabled, False)
        self.newWindowRequested.connect(self._new_window)
        self.permissionRequested.connect(self._permission)
        self.renderProcessTerminated.connect(self._terminated)
        self.loadingChanged.connect(self._loading)

    @override
    def acceptNavigationRequest(
        self,
        url: QUrl | str,
        type: QWebEnginePage.NavigationType,
        isMainFrame: bool,
    ) -> bool:
        if not isMainFrame:
            return True
        clicked = type == QWebEnginePage.NavigationType.NavigationTypeLinkClicked and self._view.just_used()
        return self._hooks.may_load(self._pane, _plain(QUrl(url)), clicked)

    @override
    def javaScriptConsoleMessage(
        self,
        level: QWebEnginePage.JavaScriptConsoleMessageLevel,
        message: str,
        lineNumber: int,
        sourceID: str,
    ) -> None:
        log.debug("%s pane: %s", self._pane, message)

    def _new_window(self, request: QWebEngineNewWindowRequest) -> None:
        self._hooks.opened(_plain(request.requestedUrl()), request.isUserInitiated())

    def _permission(self, permission: QWebEnginePermission) -> None:
        # The clipboard for VS Code's own paste commands; no camera, microphone, location or notifications.
        if permission.permissionType() == QWebEnginePermission.PermissionType.ClipboardReadWrite:
            permission.grant()
        else:
            permission.deny()

    def _terminated(self, status: QWebEnginePage.RenderProcessTerminationStatus, code: int) -> None:
        if status == QWebEnginePage.RenderProcessTerminationStatus.NormalTerminationStatus:
            return
        if self._hooks.died(self._pane, f"{status.name.removesuffix('TerminationStatus').lower()}, code {code}"):
            # A moment later: within this signal, while another load was under way, Chromium may drop it.
            QTimer.singleShot(RELOAD_MS, self, self._reload)

    def _reload(self) -> None:
        self.triggerAction(QWebEnginePage.WebAction.Reload)

    def _loading(self, info: QWebEngineLoadingInfo) -> None:
        if info.status() != QWebEngineLoadingInfo.LoadStatus.LoadFailedStatus or info.errorCode() == _ABORTED:
            return
        if info.errorDomain() != QWebEngineLoadingInfo.ErrorDomain.HttpStatusCodeDomain:
            self._hooks.failed(self._pane, info.url().toString(), info.errorString())


def _plain(url: QUrl) -> str:
    return url.toString(QUrl.ComponentFormattingOption.FullyEncoded)


_ABORTED = -3
"""Chromium's ERR_ABORTED: another load took its place, or we refused it."""


class _Split(QSplitter):
    """Editor left, chat right. Extra width goes to the editor; zoom keys that no page took end up here."""

    def __init__(self, hooks: Hooks, share: float) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._hooks = hooks
        self._share = share
        self.setChildrenCollapsible(False)
        self.setHandleWidth(5)
        self.splitterMoved.connect(self._moved)

    @override
    def createHandle(self) -> QSplitterHandle:
        return _Handle(self)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt hands a key on to the view's parent when the page did not use it."""
        focused = QApplication.focusWidget()
        while focused is not None and not isinstance(focused, QWebEngineView):
            focused = focused.parentWidget()
        if not isinstance(focused, QWebEngineView) or not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
            return
        now = focused.zoomFactor()
        match event.key():
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                focused.setZoomFactor(next((step for step in ZOOM_STEPS if step > now + 0.01), now))
            case Qt.Key.Key_Minus:
                focused.setZoomFactor(next((step for step in reversed(ZOOM_STEPS) if step < now - 0.01), now))
            case Qt.Key.Key_0:
                focused.setZoomFactor(1.0)
            case _:
                event.ignore()

    def _moved(self, _position: int, _index: int) -> None:
        self._hooks.split(self.share())

    def place(self, share: float, width: int) -> None:
        self.setSizes([round(width * share), width - round(width * share)])
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0)

    def reset(self) -> None:
        self.place(DEFAULT_SPLIT, self.width() - self.handleWidth())
        self._hooks.split(self.share())

    def share(self) -> float:
        sizes = self.sizes()
        return sizes[0] / max(1, sum(sizes))

    def paint(self, shade: Shade) -> None:
        colours = PALETTES[shade]
        self.setStyleSheet(
            f"QSplitter {{ background: {colours.editor} }}"
            f"_Blank {{ background: {colours.editor} }}"
            f"QSplitter::handle {{ background: {colours.line} }}"
            f"QSplitter::handle:hover {{ background: {colours.accent} }}"
        )


class _Handle(QSplitterHandle):
    def __init__(self, parent: _Split) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._split = parent

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._split.reset()
