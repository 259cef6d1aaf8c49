from enum import Enum, IntEnum

from gi.repository import Gdk, GObject, Gtk

class PolicyDecisionType(Enum):
    NAVIGATION_ACTION = 0
    NEW_WINDOW_ACTION = 1
    RESPONSE = 2

class NavigationType(Enum):
    LINK_CLICKED = 0

class WebProcessTerminationReason(Enum):
    CRASHED = 0
    @property
    def value_nick(self) -> str: ...

class NetworkError(IntEnum):
    CANCELLED = 302
    @staticmethod
    def quark() -> int: ...

class PolicyError(IntEnum):
    FRAME_LOAD_INTERRUPTED_BY_POLICY_CHANGE = 102
    @staticmethod
    def quark() -> int: ...

class UserContentInjectedFrames(Enum):
    TOP_FRAME = 1

class UserScriptInjectionTime(Enum):
    START = 0

class UserScript:
    @staticmethod
    def new(
        source: str,
        frames: UserContentInjectedFrames,
        time: UserScriptInjectionTime,
        allowed: None,
        blocked: None,
    ) -> UserScript: ...

class URIRequest:
    def get_uri(self) -> str: ...

class NavigationAction:
    def get_request(self) -> URIRequest: ...
    def get_navigation_type(self) -> NavigationType: ...
    def is_user_gesture(self) -> bool: ...

class ClipboardPermissionRequest:
    def allow(self) -> None: ...

class Download(GObject.Object):
    def set_destination(self, uri: str) -> None: ...
    def cancel(self) -> None: ...

class Settings(GObject.Object): ...

class WebsiteDataManager(GObject.Object):
    def __init__(self, *, base_data_directory: str, base_cache_directory: str) -> None: ...

class WebContext(GObject.Object):
    @staticmethod
    def new_with_website_data_manager(manager: WebsiteDataManager) -> WebContext: ...
    def set_sandbox_enabled(self, enabled: bool) -> None: ...

class WebView(Gtk.Widget):
    def __init__(self, *, web_context: WebContext) -> None: ...
    def get_context(self) -> WebContext: ...
    def get_settings(self) -> Settings: ...
    def load_uri(self, uri: str) -> None: ...
    def load_html(self, content: str, base_uri: str) -> None: ...
    def reload(self) -> None: ...
    def try_close(self) -> None: ...
    def get_zoom_level(self) -> float: ...
    def set_zoom_level(self, level: float) -> None: ...
    def set_background_color(self, colour: Gdk.RGBA) -> None: ...
    def evaluate_javascript(
        self,
        script: str,
        length: int,
        world: str | None,
        source: str | None,
        cancellable: None,
        callback: None,
    ) -> None: ...
