"""The panes on macOS: two WKWebViews in an NSSplitView. Not yet run on a Mac; see docs/platforms.md.

Written from webview/platforms/cocoa.py 6.2.1. It puts its view into the window when the first page has loaded, and only
if the view has no window yet; `before_show` comes before that, so a view that already sits in our split view is left
alone. Its delegate is subclassed for the chat, and not used at all for the editor, since it looks every view up among
pywebview's own. PyObjC delegates are weak: whatever is set as one is also kept here.
"""

# ruff: noqa: N802 - the names of methods are Cocoa's
# pyright: reportMissingModuleSource=false

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import new_class
from typing import Any
from uuid import UUID, uuid5

import AppKit
import Foundation
import objc
import WebKit
from PyObjCTools import AppHelper

from app.desktop.layout import CHAT_LEAST, DEFAULT_SPLIT, EDITOR_LEAST, Layout, Screen
from app.desktop.pages import Shade
from app.desktop.panes import Hooks, Pane, take_over_bridge

log = logging.getLogger(__name__)

F6 = 97
"""The key code; with Command it moves the focus. Control+F6 is the system's own."""

ALLOW, CANCEL, DOWNLOAD = 1, 0, 2
LINK_ACTIVATED = 0
ZOOM = 1.1
_STORE = uuid5(UUID(int=0), "twinseat-editor")


class CocoaPanes:
    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._kept: list[object] = []
        self._window: AppKit.NSWindow
        self._screen: Foundation.NSRect
        self._split: _Split
        self._chat: WebKit.WKWebView
        self._editor: WebKit.WKWebView

    def prepare(self, loaded: Callable[..., None], receive: Callable[..., None]) -> None:
        from webview.platforms import cocoa

        take_over_bridge(cocoa, loaded, receive)

    def shade(self) -> Shade:
        return "dark" if "Dark" in AppKit.NSApplication.sharedApplication().effectiveAppearance().name() else "light"

    def screens(self) -> list[Screen]:
        """From the top left of the main screen, downwards, as pywebview places windows."""
        frames = [screen.frame() for screen in AppKit.NSScreen.screens()]
        if not frames:
            return []
        top = frames[0].origin.y + frames[0].size.height
        return [
            Screen(
                round(frame.origin.x - frames[0].origin.x),
                round(top - frame.origin.y - frame.size.height),
                round(frame.size.width),
                round(frame.size.height),
            )
            for frame in frames
        ]

    def attach(self, window: Any, split: float, shade: Shade, script: str) -> None:
        from webview.platforms.cocoa import BrowserView

        pywebview: Any = BrowserView.instances[window.uid]
        self._window, self._chat, self._screen = window.native, pywebview.webview, pywebview.screen
        frame = self._window.contentView().frame()
        configuration = WebKit.WKWebViewConfiguration.alloc().init()
        configuration.setWebsiteDataStore_(_store())
        self._editor = WebKit.WKWebView.alloc().initWithFrame_configuration_(frame, configuration)
        for pane, view, delegate in (
            ("editor", self._editor, _delegate("TwinseatEditor", AppKit.NSObject, _Judgement, _Dialogs).alloc().init()),
            ("chat", self._chat, _delegate("TwinseatChat", BrowserView.BrowserDelegate, _Judgement).alloc().init()),
        ):
            delegate.pane, delegate.hooks, delegate.kept = pane, self._hooks, self._kept
            view.setUIDelegate_(delegate)
            view.setNavigationDelegate_(delegate)
            self._kept.append(delegate)
        early = WebKit.WKUserScript.alloc().initWithSource_injectionTime_forMainFrameOnly_(script, 0, True)
        self._chat.configuration().userContentController().addUserScript_(early)
        # pywebview keeps the delegate it made; printing looks the view up by it.
        pywebview._browserDelegate = self._kept[-1]
        self._split = _Split.alloc().initWithFrame_(frame)
        self._split.hooks = self._hooks
        self._split.setVertical_(True)
        self._split.setDividerStyle_(AppKit.NSSplitViewDividerStyleThin)
        self._split.setAutoresizingMask_(AppKit.NSViewWidthSizable | AppKit.NSViewHeightSizable)
        self._split.setDelegate_(self._split)
        self._split.addSubview_(self._editor)
        self._split.addSubview_(self._chat)
        self._window.setContentView_(self._split)
        self._split.adjustSubviews()
        self._split.setPosition_ofDividerAtIndex_(frame.size.width * split, 0)
        self._window.makeFirstResponder_(self._chat)
        self._kept.append(
            AppKit.NSEvent.addLocalMonitorForEventsMatchingMask_handler_(AppKit.NSEventMaskKeyDown, self._key)
        )

    def load(self, pane: Pane, url: str) -> None:
        request = Foundation.NSURLRequest.requestWithURL_(Foundation.NSURL.URLWithString_(url))
        AppHelper.callAfter(lambda: self._view(pane).loadRequest_(request))

    def show(self, pane: Pane, html: str) -> None:
        AppHelper.callAfter(lambda: self._view(pane).loadHTMLString_baseURL_(html, None))

    def run(self, script: str) -> None:
        AppHelper.callAfter(lambda: self._chat.evaluateJavaScript_completionHandler_(script, None))

    def focus(self, pane: Pane) -> None:
        AppHelper.callAfter(lambda: self._window.makeFirstResponder_(self._view(pane)))

    def tint(self, shade: Shade | None) -> None:
        names: dict[Shade | None, str] = {"dark": "NSAppearanceNameDarkAqua", "light": "NSAppearanceNameAqua"}
        name = names.get(shade)
        appearance = AppKit.NSAppearance.appearanceNamed_(name) if name else None
        AppHelper.callAfter(lambda: AppKit.NSApplication.sharedApplication().setAppearance_(appearance))

    def raise_window(self) -> None:
        AppHelper.callAfter(self._raise)

    def call_attention(self) -> None:
        application = AppKit.NSApplication.sharedApplication()
        AppHelper.callAfter(lambda: application.requestUserAttention_(AppKit.NSInformationalRequest))

    def ask(self, title: str, text: str, choices: Sequence[str]) -> int:
        answer: Future[int] = Future()
        AppHelper.callAfter(lambda: answer.set_result(self._ask(title, text, choices)))
        return answer.result()

    def layout(self, before: Layout) -> Layout:
        if self._window.isZoomed():
            return replace(before, maximized=True, split=self._split.share())
        frame = self._window.frame()
        return replace(
            before,
            maximized=False,
            x=round(frame.origin.x - self._screen.origin.x),
            y=round(self._screen.origin.y + self._screen.size.height - frame.origin.y - frame.size.height),
            width=round(frame.size.width),
            height=round(frame.size.height),
            split=self._split.share(),
        )

    def close(self) -> None:
        self._split.setDelegate_(None)
        self._editor.setUIDelegate_(None)
        self._editor.setNavigationDelegate_(None)
        self._editor.stopLoading_(None)
        self._editor.removeFromSuperview()

    # ── On the GUI's thread ───────────────────────────────────────────────────────────────────────

    def _view(self, pane: Pane) -> WebKit.WKWebView:
        return self._chat if pane == "chat" else self._editor

    def _in_chat(self) -> bool:
        responder = self._window.firstResponder()
        return isinstance(responder, AppKit.NSView) and responder.isDescendantOf_(self._chat)

    def _key(self, event: AppKit.NSEvent) -> AppKit.NSEvent | None:
        """None takes the key away from the page."""
        if not event.modifierFlags() & AppKit.NSEventModifierFlagCommand:
            return event
        in_chat = self._in_chat()
        if event.keyCode() == F6:
            self._window.makeFirstResponder_(self._editor if in_chat else self._chat)
            return None
        view = self._chat if in_chat else self._editor
        match event.charactersIgnoringModifiers():
            case "+" | "=":
                view.setPageZoom_(min(3.0, view.pageZoom() * ZOOM))
            case "-":
                view.setPageZoom_(max(0.5, view.pageZoom() / ZOOM))
            case "0" if in_chat:
                view.setPageZoom_(1.0)
            case _:
                return event
        return None

    def _raise(self) -> None:
        self._window.deminiaturize_(None)
        self._window.makeKeyAndOrderFront_(None)
        AppKit.NSApplication.sharedApplication().activateIgnoringOtherApps_(True)

    def _ask(self, title: str, text: str, choices: Sequence[str]) -> int:
        alert = AppKit.NSAlert.alloc().init()
        alert.setMessageText_(title)
        alert.setInformativeText_(text)
        for choice in choices:
            alert.addButtonWithTitle_(choice)
        answer = alert.runModal() - AppKit.NSAlertFirstButtonReturn
        return answer if 0 <= answer < len(choices) else len(choices) - 1


class _Split(AppKit.NSSplitView):
    """Its own delegate."""

    hooks: Hooks

    def share(self) -> float:
        editor, chat = self.subviews()
        width = editor.frame().size.width
        return width / max(1.0, width + chat.frame().size.width)

    def mouseDown_(self, event: AppKit.NSEvent) -> None:
        if event.clickCount() == 2:
            self.setPosition_ofDividerAtIndex_(self.frame().size.width * DEFAULT_SPLIT, 0)
            self.hooks.split(self.share())
        else:
            objc.super(_Split, self).mouseDown_(event)
            self.hooks.split(self.share())  # comes back when the mouse is let go

    def splitView_constrainMinCoordinate_ofSubviewAt_(
        self, _view: AppKit.NSSplitView, proposed: float, _index: int
    ) -> float:
        return max(proposed, float(EDITOR_LEAST))

    def splitView_constrainMaxCoordinate_ofSubviewAt_(
        self, view: AppKit.NSSplitView, proposed: float, _index: int
    ) -> float:
        return min(proposed, view.frame().size.width - CHAT_LEAST)

    def splitView_shouldAdjustSizeOfSubview_(self, view: AppKit.NSSplitView, subview: AppKit.NSView) -> bool:
        """Extra width goes to the editor."""
        return subview is view.subviews()[0]


def _policies(pane: Pane, hooks: Hooks, action: WebKit.WKNavigationAction) -> int:
    """What becomes of a navigation in the pane."""
    if action.shouldPerformDownload():
        return DOWNLOAD
    target, url = action.targetFrame(), _address(action.request())
    if target is not None and not target.isMainFrame():
        return ALLOW
    if target is None:
        return ALLOW  # a new window: asked about in createWebView…
    clicked = action.navigationType() == LINK_ACTIVATED
    return ALLOW if hooks.may_load(pane, url, clicked) else CANCEL


def _address(request: Foundation.NSURLRequest) -> str:
    url = request.URL()
    return str(url.absoluteString()) if url is not None else ""


class _DownloadDelegate(AppKit.NSObject):
    hooks: Hooks
    path: Path | None = None

    def download_decideDestinationUsingResponse_suggestedFilename_completionHandler_(
        self, _download: object, _response: object, suggested: str, done: Callable[[Foundation.NSURL | None], None]
    ) -> None:
        try:
            self.path = self.hooks.download(str(suggested))
        except OSError as error:
            self.hooks.downloaded(Path(str(suggested)), str(error))
            done(None)
        else:
            done(Foundation.NSURL.fileURLWithPath_(str(self.path)))

    def downloadDidFinish_(self, _download: object) -> None:
        if self.path is not None:
            self.hooks.downloaded(self.path)

    def download_didFailWithError_resumeData_(
        self, _download: object, error: Foundation.NSError, _data: object
    ) -> None:
        if self.path is not None:
            self.hooks.downloaded(self.path, str(error.localizedDescription()))


def _take_download(hooks: Hooks, kept: list[object], download: WebKit.WKDownload) -> None:
    delegate = _DownloadDelegate.alloc().init()
    delegate.hooks = hooks
    download.setDelegate_(delegate)
    kept.append(delegate)


class _Judgement:
    """Where a pane may go and what becomes of downloads: the methods that both panes' delegates have.

    Never an object of its own. PyObjC makes methods of Objective-C only from what is in the class itself, so they are
    copied into each delegate.
    """

    pane: Pane
    hooks: Hooks
    kept: list[object]

    def webView_decidePolicyForNavigationAction_decisionHandler_(
        self, _view: object, action: WebKit.WKNavigationAction, decide: Callable[[int], None]
    ) -> None:
        decide(_policies(self.pane, self.hooks, action))

    def webView_decidePolicyForNavigationResponse_decisionHandler_(
        self, _view: object, response: WebKit.WKNavigationResponse, decide: Callable[[int], None]
    ) -> None:
        decide(ALLOW if response.canShowMIMEType() else DOWNLOAD)

    def webView_navigationAction_didBecomeDownload_(
        self, _view: object, _action: object, download: WebKit.WKDownload
    ) -> None:
        _take_download(self.hooks, self.kept, download)

    def webView_navigationResponse_didBecomeDownload_(
        self, _view: object, _response: object, download: WebKit.WKDownload
    ) -> None:
        _take_download(self.hooks, self.kept, download)

    def webView_createWebViewWithConfiguration_forNavigationAction_windowFeatures_(
        self, _view: object, _configuration: object, action: WebKit.WKNavigationAction, _features: object
    ) -> None:
        # WebKit itself drops windows that no user asked for (javaScriptCanOpenWindowsAutomatically is off).
        self.hooks.opened(_address(action.request()), True)

    def webViewWebContentProcessDidTerminate_(self, view: WebKit.WKWebView) -> None:
        if self.hooks.died(self.pane, "the web content process ended"):
            view.reload()

    def webView_didFailProvisionalNavigation_withError_(
        self, _view: object, _navigation: object, error: Foundation.NSError
    ) -> None:
        url = error.userInfo().get("NSErrorFailingURLStringKey")
        if error.code() not in (-999, 102):  # cancelled; a policy of ours ended it
            self.hooks.failed(self.pane, str(url or ""), str(error.localizedDescription()))


class _Dialogs:
    """What pywebview's delegate does for the chat, for the editor."""

    def webView_runJavaScriptAlertPanelWithMessage_initiatedByFrame_completionHandler_(
        self, _view: object, message: str, _frame: object, done: Callable[[], None]
    ) -> None:
        alert = AppKit.NSAlert.alloc().init()
        alert.setMessageText_(str(message))
        alert.runModal()
        done()

    def webView_runJavaScriptConfirmPanelWithMessage_initiatedByFrame_completionHandler_(
        self, _view: object, message: str, _frame: object, done: Callable[[bool], None]
    ) -> None:
        alert = AppKit.NSAlert.alloc().init()
        alert.setMessageText_(str(message))
        alert.addButtonWithTitle_("OK")
        alert.addButtonWithTitle_("Cancel")
        done(alert.runModal() == AppKit.NSAlertFirstButtonReturn)

    def webView_runOpenPanelWithParameters_initiatedByFrame_completionHandler_(
        self,
        _view: object,
        parameters: WebKit.WKOpenPanelParameters,
        _frame: object,
        done: Callable[[list[Foundation.NSURL] | None], None],
    ) -> None:
        panel = AppKit.NSOpenPanel.openPanel()
        panel.setAllowsMultipleSelection_(parameters.allowsMultipleSelection())
        done(panel.URLs() if panel.runModal() == AppKit.NSModalResponseOK else None)


@cache
def _delegate(name: str, base: type, *parts: type) -> Any:
    """A class of Objective-C with the methods of `parts`. Its names are the process's, hence the cache."""
    body = {method: value for part in parts for method, value in vars(part).items() if method.endswith("_")}
    body = {method: value for method, value in body.items() if not method.startswith("_")}
    return new_class(name, (base,), exec_body=lambda namespace: namespace.update(body))


def _store() -> WebKit.WKWebsiteDataStore:
    """The editor's own cookies and storage; before macOS 14 there is only the shared store to keep things in."""
    stores = WebKit.WKWebsiteDataStore
    if stores.respondsToSelector_("dataStoreForIdentifier:"):
        return stores.dataStoreForIdentifier_(Foundation.NSUUID.alloc().initWithUUIDString_(str(_STORE)))
    return stores.defaultDataStore()
