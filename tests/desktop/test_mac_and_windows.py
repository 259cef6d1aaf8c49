"""The Cocoa and WinForms modules, driven by fakes of the native calls: neither platform is at hand.

What is shown here is our side of each call; that the platforms answer as their documentation says is not.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import pytest

from app.desktop.layout import Layout


class Hooks:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard: list[tuple[object, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *values: self.heard.append((name, *values)) or name == "died"

    def may_load(self, pane: str, url: str, clicked: bool) -> bool:
        self.heard.append(("may_load", pane, url, clicked))
        return url.startswith("http://127.0.0.1")

    def download(self, suggested: str) -> Path:
        return self.folder / suggested


class Native:
    """A native object: methods that are not given here are recorded and answer nothing."""

    def __init__(self, **state: object) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.__dict__.update(state)

    @classmethod
    def alloc(cls) -> Self:
        return cls()

    def init(self) -> Self:
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *values: self.calls.append((name, *values))

    def called(self, name: str) -> list[tuple[object, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]


def rect(x: float, y: float, width: float, height: float) -> Any:
    return SimpleNamespace(origin=SimpleNamespace(x=x, y=y), size=SimpleNamespace(width=width, height=height))


def module(name: str, **names: object) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(names)
    return made


@pytest.fixture
def modules() -> Iterator[dict[str, ModuleType]]:
    """Modules put in here exist for the test's length."""
    before = dict(sys.modules)
    yield sys.modules
    for name in set(sys.modules) - set(before):
        del sys.modules[name]
    sys.modules.update(before)


# ── Cocoa ─────────────────────────────────────────────────────────────────────────────────────────


class View(Native):
    def __init__(self, **state: object) -> None:
        super().__init__(**state)
        self.box, self.inside = rect(0, 0, 1200, 800), []

    def initWithFrame_(self, frame: object) -> Self:  # noqa: N802
        self.box = frame
        return self

    def initWithFrame_configuration_(self, frame: object, configuration: object) -> Self:  # noqa: N802
        self.box, self.configuration = frame, configuration
        return self

    def frame(self) -> Any:
        return self.box

    def subviews(self) -> list[Any]:
        return self.inside

    def addSubview_(self, view: Any) -> None:  # noqa: N802
        self.inside.append(view)

    def setPosition_ofDividerAtIndex_(self, position: float, _index: int) -> None:  # noqa: N802
        self.inside[0].box = rect(0, 0, position, 800)
        self.inside[1].box = rect(position, 0, self.box.size.width - position, 800)

    def isDescendantOf_(self, other: object) -> bool:  # noqa: N802
        return self is other

    def mouseDown_(self, _event: object) -> None:  # noqa: N802
        self.setPosition_ofDividerAtIndex_(500.0, 0)


class Window(View):
    def contentView(self) -> View:  # noqa: N802
        return View()

    def makeFirstResponder_(self, view: object) -> bool:  # noqa: N802
        self.first = view
        return True

    def firstResponder(self) -> object:  # noqa: N802
        return self.first

    def isZoomed(self) -> bool:  # noqa: N802
        return False


class Alert(Native):
    answer = 1000

    def runModal(self) -> int:  # noqa: N802
        return self.answer


class UserScript(Native):
    def initWithSource_injectionTime_forMainFrameOnly_(self, *values: object) -> Self:  # noqa: N802
        self.values = values
        return self


class BrowserDelegate(Native):
    """pywebview's."""


class Url(Native):
    text = ""

    @classmethod
    def URLWithString_(cls, text: str) -> Self:  # noqa: N802
        return cls(text=text)

    fileURLWithPath_ = URLWithString_  # noqa: N815

    def absoluteString(self) -> str:  # noqa: N802
        return self.text


class Uuid(Native):
    def initWithUUIDString_(self, text: str) -> Self:  # noqa: N802
        self.text = text
        return self


class Store(Native):
    @staticmethod
    def respondsToSelector_(_name: str) -> bool:  # noqa: N802
        return True

    @staticmethod
    def dataStoreForIdentifier_(identifier: Any) -> str:  # noqa: N802
        return f"store {identifier.text}"


@pytest.fixture
def mac(modules: dict[str, ModuleType], tmp_path: Path) -> SimpleNamespace:
    application = Native(effectiveAppearance=lambda: Native(name=lambda: "NSAppearanceNameDarkAqua"))
    monitors: list[Any] = []
    screens = [Native(frame=lambda: rect(0, 0, 1440, 900)), Native(frame=lambda: rect(1440, 100, 800, 600))]
    appkit = module(
        "AppKit",
        NSObject=Native,
        NSView=View,
        NSSplitView=View,
        NSAlert=Alert,
        NSApplication=SimpleNamespace(sharedApplication=lambda: application),
        NSAppearance=SimpleNamespace(appearanceNamed_=lambda name: name),
        NSScreen=SimpleNamespace(screens=lambda: screens),
        NSEvent=type(
            "NSEvent",
            (Native,),
            {"addLocalMonitorForEventsMatchingMask_handler_": staticmethod(lambda _mask, key: monitors.append(key))},
        ),
        NSAlertFirstButtonReturn=1000,
        NSEventMaskKeyDown=1024,
        NSEventModifierFlagCommand=1 << 20,
        NSInformationalRequest=10,
        NSModalResponseOK=1,
        NSSplitViewDividerStyleThin=2,
        NSViewHeightSizable=16,
        NSViewWidthSizable=2,
    )
    request = SimpleNamespace(requestWithURL_=lambda url: url)
    foundation = module(
        "Foundation", NSURL=Url, NSURLRequest=request, NSUUID=Uuid, NSError=Native, NSObject=Native, NSRect=object
    )
    names = ("WKNavigationAction", "WKNavigationResponse", "WKDownload", "WKOpenPanelParameters")
    plain = dict.fromkeys((*names, "WKWebViewConfiguration"), Native)
    webkit = module("WebKit", WKWebView=View, WKUserScript=UserScript, WKWebsiteDataStore=Store, **plain)
    window, chat, controller = Window(), View(), Native()
    chat.configuration = lambda: Native(userContentController=lambda: controller)
    window.frame = lambda: rect(100, 200, 1200, 600)
    instance = SimpleNamespace(webview=chat, screen=rect(0, 0, 1440, 900), _browserDelegate=None)
    pywebview = module(
        "webview.platforms.cocoa",
        BrowserView=SimpleNamespace(instances={"master": instance}, BrowserDelegate=BrowserDelegate),
        inject_pywebview=print,
        js_bridge_call=print,
    )
    helper = module("PyObjCTools.AppHelper", callAfter=lambda function, *values: function(*values))
    modules |= {
        "AppKit": appkit,
        "Foundation": foundation,
        "WebKit": webkit,
        "objc": module("objc", super=super),
        "PyObjCTools": module("PyObjCTools", AppHelper=helper),
        "PyObjCTools.AppHelper": helper,
        "webview.platforms.cocoa": pywebview,
    }
    sys.modules.pop("app.desktop.cocoa", None)
    cocoa = importlib.import_module("app.desktop.cocoa")
    hooks = Hooks(tmp_path)
    panes = cocoa.CocoaPanes(hooks)
    panes.prepare(len, repr)
    panes.attach(SimpleNamespace(uid="master", native=window), 0.62, "dark", "// early")
    return SimpleNamespace(
        panes=panes, hooks=hooks, window=window, chat=chat, editor=panes._editor, key=monitors[0], pywebview=pywebview,
        application=application,
        controller=controller,
        delegates={view: view.called("setNavigationDelegate_")[-1][0] for view in (chat, panes._editor)},
    )  # fmt: skip


def test_mac_puts_the_editor_left_of_the_chat(mac: SimpleNamespace) -> None:
    split = mac.window.called("setContentView_")[0][0]
    assert split.subviews() == [mac.editor, mac.chat]
    assert mac.editor.frame().size.width == pytest.approx(1200 * 0.62)
    assert mac.window.first is mac.chat
    assert mac.controller.called("addUserScript_")[0][0].values == ("// early", 0, True)
    assert (mac.pywebview.inject_pywebview, mac.pywebview.js_bridge_call) == (len, repr)
    assert "store" in mac.editor.configuration.called("setWebsiteDataStore_")[0][0]
    assert split.splitView_constrainMinCoordinate_ofSubviewAt_(split, 10, 0) == 320
    assert split.splitView_constrainMaxCoordinate_ofSubviewAt_(split, 1190, 0) == 900
    split.mouseDown_(SimpleNamespace(clickCount=lambda: 1))
    split.mouseDown_(SimpleNamespace(clickCount=lambda: 2))
    shares = [call[1] for call in mac.hooks.heard if call[0] == "split"]
    assert shares == [pytest.approx(500 / 1200), pytest.approx(0.62)]


def test_mac_screens_and_layout_count_from_the_top(mac: SimpleNamespace) -> None:
    first, second = mac.panes.screens()
    assert (first.x, first.y, second.x, second.y) == (0, 0, 1440, 200)
    kept = mac.panes.layout(Layout())
    assert (kept.x, kept.y, kept.width, kept.height) == (100, 100, 1200, 600)
    assert mac.panes.shade() == "dark"


@pytest.mark.parametrize("pane", ["chat", "editor"])
def test_mac_delegates_judge(mac: SimpleNamespace, pane: str, tmp_path: Path) -> None:
    view = mac.chat if pane == "chat" else mac.editor
    delegate = mac.delegates[view]
    assert isinstance(delegate, mac.pywebview.BrowserView.BrowserDelegate) == (pane == "chat")

    def action(url: str, main: bool | None, download: bool = False) -> Any:
        frame = None if main is None else SimpleNamespace(isMainFrame=lambda: main)
        request = SimpleNamespace(URL=lambda: Url(text=url))
        return SimpleNamespace(
            shouldPerformDownload=lambda: download,
            targetFrame=lambda: frame,
            request=lambda: request,
            navigationType=lambda: 0,
        )

    decisions: list[int] = []
    for url, main, download in (
        ("http://127.0.0.1:1/", True, False),
        ("https://example.com/", True, False),
        ("https://example.com/", False, False),
        ("https://example.com/", None, False),
        ("http://127.0.0.1:1/file", True, True),
    ):
        delegate.webView_decidePolicyForNavigationAction_decisionHandler_(
            view, action(url, main, download), decisions.append
        )
    assert decisions == [1, 0, 1, 1, 2]
    new = "webView_createWebViewWithConfiguration_forNavigationAction_windowFeatures_"
    assert getattr(delegate, new)(view, None, action("https://example.com/new", None), None) is None
    delegate.webViewWebContentProcessDidTerminate_(view)
    error = SimpleNamespace(
        code=lambda: -1004, userInfo=lambda: {"NSErrorFailingURLStringKey": "u"}, localizedDescription=lambda: "refused"
    )
    delegate.webView_didFailProvisionalNavigation_withError_(view, None, error)
    assert ("opened", "https://example.com/new", True) in mac.hooks.heard
    assert ("died", pane, "the web content process ended") in mac.hooks.heard
    assert view.called("reload")
    assert ("failed", pane, "u", "refused") in mac.hooks.heard
    download = Native()
    delegate.webView_navigationAction_didBecomeDownload_(view, None, download)
    target = download.called("setDelegate_")[0][0]
    chosen: list[Any] = []
    name = "download_decideDestinationUsingResponse_suggestedFilename_completionHandler_"
    getattr(target, name)(download, None, "a.txt", chosen.append)
    target.downloadDidFinish_(download)
    assert chosen[0].text == str(tmp_path / "a.txt")
    assert ("downloaded", tmp_path / "a.txt") in mac.hooks.heard


def test_mac_keys_calls_and_questions(mac: SimpleNamespace) -> None:
    def press(code: int, characters: str, command: bool = True) -> Any:
        flags = 1 << 20 if command else 0
        return SimpleNamespace(
            modifierFlags=lambda: flags, keyCode=lambda: code, charactersIgnoringModifiers=lambda: characters
        )

    assert mac.key(press(97, "")) is None
    assert mac.window.first is mac.editor
    assert mac.key(press(97, "")) is None
    assert mac.window.first is mac.chat
    other = press(0, "x")
    assert mac.key(other) is other
    plain = press(97, "", command=False)
    assert mac.key(plain) is plain
    mac.chat.pageZoom = lambda: 1.0
    assert mac.key(press(24, "=")) is None
    assert mac.chat.called("setPageZoom_") == [(1.1,)]
    mac.panes.load("editor", "http://127.0.0.1:1/")
    assert mac.editor.called("loadRequest_")[0][0].text == "http://127.0.0.1:1/"
    mac.panes.show("chat", "<p>")
    assert mac.chat.called("loadHTMLString_baseURL_") == [("<p>", None)]
    mac.panes.run("1")
    assert mac.chat.called("evaluateJavaScript_completionHandler_") == [("1", None)]
    for answer, index in ((1000, 0), (1001, 1), (1002, 2), (-1000, 2)):
        Alert.answer = answer
        assert mac.panes.ask("t", "x", ("a", "b", "c")) == index
    mac.panes.tint(None)
    mac.panes.tint("light")
    assert mac.application.called("setAppearance_") == [(None,), ("NSAppearanceNameAqua",)]
    mac.panes.raise_window()
    assert mac.window.called("makeKeyAndOrderFront_")
    mac.panes.close()
    assert mac.editor.called("setNavigationDelegate_")[-1] == (None,)


# ── WinForms ──────────────────────────────────────────────────────────────────────────────────────


class NetEvent(list[Any]):
    def __iadd__(self, handler: Any) -> Self:
        self.append(handler)
        return self

    def __isub__(self, handler: Any) -> Self:
        self.remove(handler)
        return self

    def fire(self, *values: object) -> None:
        for handler in list(self):
            handler(*values)


class Control(Native):
    def __init__(self, **state: object) -> None:
        super().__init__(**state)
        self.Controls = Native()
        self.Width = 0
        for name in ("SplitterMoved", "DoubleClick", "Resize", "CoreWebView2InitializationCompleted"):
            setattr(self, name, NetEvent())
        for name in ("NavigationStarting", "NavigationCompleted", "KeyDown"):
            setattr(self, name, NetEvent())
        self.CoreWebView2: Any = None
        self.Source = None

    def begin(self) -> Any:
        """WebView2 has finished its start."""
        self.CoreWebView2 = Native(Settings=SimpleNamespace())
        for name in ("NewWindowRequested", "DownloadStarting", "ProcessFailed", "PermissionRequested"):
            setattr(self.CoreWebView2, name, NetEvent())
        return self.CoreWebView2


class Chrome:
    def __init__(self) -> None:
        self.webview = Control()

    def on_new_window_request(self, *_: object) -> None:
        raise AssertionError("pywebview's own handler opens any address")

    on_download_starting = on_new_window_request


class Form(Control):
    uid = "master"
    _scale = 1.25

    def __init__(self) -> None:
        super().__init__()
        self.browser, self.ClientSize = Chrome(), SimpleNamespace(Width=1205)
        self.WindowState, self.Left, self.Top, self.Height = "Normal", 125, 250, 750

    def BeginInvoke(self, action: Any) -> None:  # noqa: N802
        action()


@pytest.fixture
def windows(modules: dict[str, ModuleType], tmp_path: Path) -> SimpleNamespace:
    box = SimpleNamespace(answer="Yes")
    forms = module(
        "System.Windows.Forms",
        Panel=Control,
        Splitter=Control,
        DockStyle=SimpleNamespace(Left="Left", Fill="Fill"),
        FormWindowState=SimpleNamespace(Normal="Normal", Minimized="Minimized", Maximized="Maximized"),
        Keys=SimpleNamespace(F6="F6"),
        DialogResult=SimpleNamespace(Yes="Yes", No="No", Cancel="Cancel"),
        MessageBoxButtons=SimpleNamespace(YesNoCancel=3),
        MessageBoxIcon=SimpleNamespace(Question=32),
        MessageBox=SimpleNamespace(Show=lambda *_: box.answer),
        Screen=SimpleNamespace(
            AllScreens=[
                SimpleNamespace(Primary=False, Bounds=SimpleNamespace(X=1920, Y=0, Width=800, Height=600)),
                SimpleNamespace(Primary=True, Bounds=SimpleNamespace(X=0, Y=0, Width=1920, Height=1080)),
            ]
        ),
    )
    edge = module("webview.platforms.edgechromium", EdgeChrome=Chrome, inject_pywebview=print, js_bridge_call=print)
    winforms = module("webview.platforms.winforms", renderer="edgechromium")
    states = SimpleNamespace(Allow="Allow", Deny="Deny")
    modules |= {
        "webview.platforms.edgechromium": edge,
        "webview.platforms.winforms": winforms,
        "System": module("System", Action=lambda function: function, Uri=str),
        "System.Drawing": module("System.Drawing", ColorTranslator=SimpleNamespace(FromHtml=lambda text: text)),
        "System.Windows": module("System.Windows", Forms=forms),
        "System.Windows.Forms": forms,
        "Microsoft": module("Microsoft"),
        "Microsoft.Web": module("Microsoft.Web"),
        "Microsoft.Web.WebView2": module("Microsoft.Web.WebView2"),
        "Microsoft.Web.WebView2.Core": module("Microsoft.Web.WebView2.Core", CoreWebView2PermissionState=states),
        "Microsoft.Web.WebView2.WinForms": module(
            "Microsoft.Web.WebView2.WinForms", WebView2=Control, CoreWebView2CreationProperties=Native
        ),
    }
    import webview.platforms

    webview.platforms.edgechromium, webview.platforms.winforms = edge, winforms
    sys.modules.pop("app.desktop.winforms", None)
    ours = importlib.import_module("app.desktop.winforms")
    hooks, form = Hooks(tmp_path), Form()
    panes = ours.WinFormsPanes(hooks, tmp_path / "editor")
    panes.prepare(len, repr)
    panes.attach(SimpleNamespace(native=form), 0.6, "dark", "// early")
    return SimpleNamespace(
        panes=panes, hooks=hooks, form=form, box=box, edge=edge, winforms=winforms, chat=form.browser.webview,
        editor=panes._views["editor"], ours=ours,
    )  # fmt: skip


def test_windows_docks_the_editor_left_of_the_chat(windows: SimpleNamespace, tmp_path: Path) -> None:
    order = sorted(windows.form.Controls.called("SetChildIndex"), key=lambda call: call[1])
    panel, bar = order[2][0], order[1][0]
    assert order[0][0] is windows.chat
    assert panel.Controls.called("Add") == [(windows.editor,)]
    assert (panel.Dock, bar.Dock, windows.editor.Dock) == ("Left", "Left", "Fill")
    assert panel.Width == 720
    assert windows.editor.CreationProperties.UserDataFolder == str(tmp_path / "editor")
    panel.Width = 600
    bar.SplitterMoved.fire(None, None)
    windows.form.ClientSize.Width = 1005
    windows.form.Resize.fire(None, None)
    assert panel.Width == 500
    bar.DoubleClick.fire(None, None)
    assert panel.Width == 620
    assert [call for call in windows.hooks.heard if call[0] == "split"] == [("split", 0.5), ("split", 0.62)]
    kept = windows.panes.layout(Layout())
    assert (kept.x, kept.y, kept.height) == (100, 200, 600)
    assert [screen.width for screen in windows.panes.screens()] == [1920, 800]


def test_windows_waits_for_the_engine_then_loads_the_last_wish(windows: SimpleNamespace) -> None:
    windows.panes.load("editor", "http://127.0.0.1:1/a")
    windows.panes.load("editor", "http://127.0.0.1:1/b")
    assert windows.editor.Source is None
    assert len(windows.editor.called("EnsureCoreWebView2Async")) == 2
    windows.editor.begin()
    windows.editor.CoreWebView2InitializationCompleted.fire(windows.editor, SimpleNamespace(IsSuccess=True))
    assert windows.editor.Source == "http://127.0.0.1:1/b"


@pytest.mark.parametrize("pane", ["chat", "editor"])
def test_windows_events_are_judged(windows: SimpleNamespace, pane: str, tmp_path: Path) -> None:
    view = windows.panes._views[pane]
    core = view.begin()
    if pane == "chat":
        core.NewWindowRequested += windows.form.browser.on_new_window_request
        core.DownloadStarting += windows.form.browser.on_download_starting
    view.CoreWebView2InitializationCompleted.fire(view, SimpleNamespace(IsSuccess=True))
    assert core.called("AddScriptToExecuteOnDocumentCreatedAsync") == ([("// early",)] if pane == "chat" else [])
    for url, cancelled in (("http://127.0.0.1:1/", False), ("https://example.com/", True)):
        event = SimpleNamespace(Uri=url, IsUserInitiated=True, Cancel=False)
        view.NavigationStarting.fire(view, event)
        assert event.Cancel is cancelled
    event = SimpleNamespace(Uri="https://example.com/new", IsUserInitiated=True, Handled=False)
    core.NewWindowRequested.fire(core, event)
    assert event.Handled
    assert ("opened", "https://example.com/new", True) in windows.hooks.heard
    operation = SimpleNamespace(State="InProgress", StateChanged=NetEvent())
    event = SimpleNamespace(ResultFilePath="a.txt", Cancel=True, Handled=False, DownloadOperation=operation)
    core.DownloadStarting.fire(core, event)
    assert (event.Cancel, event.ResultFilePath) == (False, str(tmp_path / "a.txt"))
    operation.State = "Completed"
    operation.StateChanged.fire(None, None)
    assert ("downloaded", tmp_path / "a.txt") in windows.hooks.heard
    core.ProcessFailed.fire(core, SimpleNamespace(ProcessFailedKind="RenderProcessExited"))
    assert view.called("Reload")
    for kind, state in (("ClipboardRead", "Allow"), ("Camera", "Deny")):
        event = SimpleNamespace(PermissionKind=kind, State=None)
        core.PermissionRequested.fire(core, event)
        assert event.State == state
    view.NavigationCompleted.fire(view, SimpleNamespace(IsSuccess=False, WebErrorStatus="CannotConnect"))
    assert ("failed", pane, "None", "CannotConnect") in windows.hooks.heard
    event = SimpleNamespace(Control=True, KeyCode="F6", Handled=False)
    view.KeyDown.fire(view, event)
    assert event.Handled
    assert windows.panes._views["chat" if pane == "editor" else "editor"].called("Focus")


def test_windows_questions_and_a_missing_engine(windows: SimpleNamespace) -> None:
    for answer, index in (("Yes", 0), ("No", 1), ("Cancel", 2)):
        windows.box.answer = answer
        assert windows.panes.ask("t", "x", ("a", "b", "c")) == index
    windows.form.WindowState = "Minimized"
    windows.panes.raise_window()
    assert windows.form.WindowState == "Normal"
    windows.winforms.renderer = "mshtml"
    with pytest.raises(windows.ours.CannotShow, match="WebView2 Runtime"):
        windows.panes.prepare(len, repr)
