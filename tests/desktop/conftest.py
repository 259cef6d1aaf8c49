"""A virtual display with a window manager, and the real window on it. Everything is the real thing but the backend."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image, ImageGrab

from tests.desktop.standin import Server, Stage, raise_curtain

ROOT = Path(__file__).parents[2]
LAUNCH = """
import sys
from pathlib import Path
from app.desktop.window import open_window
from app.paths import Paths
raise SystemExit(open_window(Paths(Path(sys.argv[1]), Path(sys.argv[2])), sys.argv[3] or None))
"""


def eventually[T](look: Callable[[], T], patience: float = 40) -> T:
    """The first true value of `look`."""
    until = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < until, f"still {found!r} after {patience} s"
        time.sleep(0.05)
    return found


def becomes(look: Callable[[], object], wanted: object, patience: float = 40) -> None:
    """Wait until `look` gives what is wanted."""
    until = time.monotonic() + patience
    while (found := look()) != wanted:
        assert time.monotonic() < until, f"still {found!r}, not {wanted!r}, after {patience} s"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A display of our own, its number chosen by the server, so that tests can run side by side."""
    reader, writer = os.pipe()
    # -r: no key repeats, however slowly a busy machine lets go of a key.
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1400x900x24", "-nolisten", "tcp", "-r"]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    with os.fdopen(reader) as answer:
        name = f":{answer.readline().strip()}"
    manager = subprocess.Popen(["openbox"], env={**os.environ, "DISPLAY": name}, stderr=subprocess.DEVNULL)
    yield name
    for process in (manager, server):
        process.terminate()
        process.wait()


@dataclass
class Desk:
    """A display, a home folder and a stand-in backend: where windows are opened."""

    display: str
    home: Path
    gui: str
    stage: Stage
    windows: list["subprocess.Popen[bytes]"]
    environment: dict[str, str]

    @property
    def data(self) -> Path:
        return self.home / "data"

    def launch(self, gui: str | None = None) -> "subprocess.Popen[bytes]":
        arguments = [str(self.data), str(self.home / "cache"), self.gui if gui is None else gui]
        window = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *arguments], cwd=ROOT, env=self.environment, stderr=subprocess.PIPE
        )
        self.windows.append(window)
        return window

    def opened(self) -> "subprocess.Popen[bytes]":
        """A window with both pages loaded."""
        window = self.launch()
        for pane in ("chat", "editor"):
            self.stage.hear(pane, "loaded")
        return window

    def remembered(self) -> dict[str, Any]:
        return json.loads((self.data / "window.json").read_text())

    def tool(self, *arguments: object) -> str:
        command = ["xdotool", *(str(one) for one in arguments)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout.strip()

    def main(self) -> str:
        """The X id of the main window, raised."""
        found = eventually(lambda: self.tool("search", "--onlyvisible", "--name", "Twinseat$").split())
        return found[-1]

    def frame(self) -> tuple[int, int, int, int]:
        """x, y, width, height of the window's content."""
        shell = dict(line.split("=") for line in self.tool("getwindowgeometry", "--shell", self.main()).splitlines())
        return int(shell["X"]), int(shell["Y"]), int(shell["WIDTH"]), int(shell["HEIGHT"])

    def active(self) -> str:
        return self.tool("getactivewindow")

    def click(self, pane: str, identifier: str, button: int = 1) -> None:
        x, y, width, _ = self.frame()
        if pane == "chat":
            x += width - self.stage.order("chat", "size")[0]
        left, top = self.stage.order(pane, "where", identifier)
        self.tool("mousemove", round(x + left), round(y + top), "click", button)

    def keys(self, *keys: str) -> None:
        self.tool("key", *keys)

    def drag(self, from_x: float, to_x: float, y: float) -> None:
        self.tool("mousemove", round(from_x), round(y), "mousedown", 1)
        for step in range(1, 5):
            self.tool("mousemove", round(from_x + (to_x - from_x) * step / 4), round(y))
        self.tool("mouseup", 1)

    def picture(self) -> Image.Image:
        return ImageGrab.grab(xdisplay=self.display)

    def outside(self) -> list[str]:
        """What was opened in the system's browser."""
        path = self.home / "browsed"
        return path.read_text().splitlines() if path.exists() else []

    def renderers(self, window: "subprocess.Popen[bytes]") -> list[int]:
        """Processes that draw pages. Chromium forks them from a helper process, so their command lines don't tell."""
        below: list[tuple[int, int, str]] = []
        for one in psutil.Process(window.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                below.append((one.pid, one.ppid(), one.name()))
        helpers = {pid for pid, _, name in below if name.startswith("QtWebEngine")}
        parents = {parent for _, parent, _ in below}
        return [
            pid
            for pid, parent, name in below
            if name.startswith("WebKitWebProc") or (parent in helpers and pid in helpers - parents)
        ]


@pytest.fixture
def desk(display: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    gui = getattr(request, "param", "qt")
    if gui == "gtk" and importlib.util.find_spec("gi") is None:
        pytest.skip("PyGObject is not installed: pip install 'pygobject<3.51'")
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "window.json").write_text(json.dumps({"workspace": "w1", "theme": "dark", "width": 1100, "height": 700}))
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/browsed"\n')
    browser.chmod(0o755)
    environment = {
        **os.environ,
        "DISPLAY": display,
        "HOME": str(tmp_path),
        "BROWSER": f"{browser} %s",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "NO_AT_BRIDGE": "1",
    }
    for name in ("WAYLAND_DISPLAY", "QTWEBENGINE_CHROMIUM_FLAGS", "DBUS_SESSION_BUS_ADDRESS"):
        environment.pop(name, None)
    if os.geteuid() == 0:  # Chromium refuses its sandbox to root; users are not root
        environment["QTWEBENGINE_CHROMIUM_FLAGS"] = "--no-sandbox"
    stage, servers = raise_curtain(data)
    desk = Desk(display, tmp_path, gui, stage, [], environment)
    yield desk
    for window in desk.windows:
        if window.poll() is None:
            window.send_signal(signal.SIGKILL)
        window.communicate()
    _close(servers)


def _close(servers: list[Server]) -> None:
    for server in servers:
        server.shutdown()
        server.server_close()
