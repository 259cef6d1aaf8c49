"""Can a window be shown here at all? Asked before the toolkit is loaded, because Qt ends the process when it can't.

PySide6's own errors name the wrong package or none; these sentences name what to install.
"""

import ctypes
import importlib.util
import os
import re
import sys

from app.desktop.panes import Gui

QT_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libnss3.so": "libnss3",
    "libnspr4.so": "libnspr4",
    "libasound.so.2": "libasound2",
    "libXcomposite.so.1": "libxcomposite1",
    "libXdamage.so.1": "libxdamage1",
    "libXrandr.so.2": "libxrandr2",
    "libXtst.so.6": "libxtst6",
    "libxkbfile.so.1": "libxkbfile1",
    "libgbm.so.1": "libgbm1",
    "libdrm.so.2": "libdrm2",
    "libxcb-dri3.so.0": "libxcb-dri3-0",
}
"""What Qt's X11 plugin and its web engine load, and the Debian and Ubuntu package that has each."""


def choose(wanted: Gui, forced: bool = False) -> tuple[Gui | None, str]:
    """The toolkit to use, or None and the reason in a sentence or two. Without `forced`, GTK stands in for Qt."""
    if sys.platform != "linux":
        return wanted, ""
    reason = display_problem()
    if reason:
        return None, reason
    if wanted == "gtk":
        reason = gtk_problem()
        return (None, reason) if reason else ("gtk", "")
    reason = qt_problem()
    if not reason:
        return "qt", ""
    if not forced and not gtk_problem():
        return "gtk", ""
    return None, reason


def display_problem() -> str:
    """Why nothing can be shown on this machine's screen; empty when it can."""
    if os.environ.get("WAYLAND_DISPLAY"):
        return ""
    display = os.environ.get("DISPLAY")
    if not display:
        return "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window can be shown."
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return ""  # qt_problem names the package
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    refused = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return f"The display {display} can't be reached, so no window can be shown." if refused else ""


def qt_problem() -> str:
    """What Qt lacks here; empty when it lacks nothing."""
    for module in ("qtpy", "PySide6", "PySide6.QtWebEngineCore"):
        try:
            if importlib.util.find_spec(module) is None:
                return f"The Python package that has {module} is not installed: install twinseat anew."
        except ModuleNotFoundError:
            return f"The Python package that has {module} is not installed: install twinseat anew."
    if os.geteuid() == 0 and "--no-sandbox" not in os.environ.get("QTWEBENGINE_CHROMIUM_FLAGS", ""):
        return "This is root, for whom Qt's web engine has no sandbox: start Twinseat as an ordinary user for a window."
    return missing_sentence([name for name in QT_LIBRARIES if not _loads(name)])


def gtk_problem() -> str:
    """What GTK lacks here; empty when it lacks nothing."""
    if importlib.util.find_spec("gi") is None:
        return "GTK needs the Python package PyGObject, which is not installed: `pip install 'pygobject<3.51'`."
    import gi  # pyright: ignore[reportMissingModuleSource]

    try:
        gi.require_version("Gtk", "3.0")
        gi.require_version("WebKit2", "4.1")
    except ValueError:
        return "GTK needs a system package that is not installed: `sudo apt-get install gir1.2-webkit2-4.1`."
    return ""


def missing_sentence(libraries: list[str]) -> str:
    """The one line that installs these shared libraries."""
    if not libraries:
        return ""
    packages = " ".join(sorted({_package(name) for name in libraries}))
    subject = "a system library" if len(libraries) == 1 else "system libraries"
    return f"The window needs {subject} not installed here: `sudo apt-get install {packages}`."


def explain(error: str) -> str:
    """A toolkit's own error as a sentence that names the package, or the error itself when it is another matter."""
    library = re.search(r"(lib[\w+.-]+\.so[.\d]*): cannot open shared object", error)
    if library:
        return missing_sentence([library[1]])
    if "xcb-cursor" in error or ("platform plugin" in error and "xcb" in error):
        return missing_sentence([name for name in QT_LIBRARIES if not _loads(name)] or ["libxcb-cursor.so.0"])
    return error


def _package(library: str) -> str:
    package = QT_LIBRARIES.get(library, library.partition(".so")[0].lower())
    # Since the move to 64-bit time two packages carry it in their names.
    if package in ("libasound2", "libglib2.0-0") and _time64():
        return f"{package}t64"
    return package


def _time64() -> bool:
    """Debian 13 and Ubuntu 24.04 onwards."""
    try:
        with open("/etc/os-release", encoding="utf-8") as file:  # noqa: PTH123 - read once, no path to join
            release = dict(line.strip().split("=", 1) for line in file if "=" in line)
        version = float(release.get("VERSION_ID", "0").strip('"'))
    except (OSError, ValueError):
        return False
    return {"debian": version >= 13, "ubuntu": version >= 24.04}.get(release.get("ID", "").strip('"'), False)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
