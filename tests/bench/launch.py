"""Launch to painted, and to a chat that can be used, against a bare pywebview window with a static page.

Pairs in alternating order on a display of our own. Painted is what the screen shows: the bare window's colour, or words
in our chat pane. A chat can be used once its page has traded its code for a session: warm with the backend running, as
in the second and later launches of a day, cold with the backend started by the window.
`python -m tests.bench.launch` prints the result.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
from PIL import Image, ImageGrab

PAIRS = 5
TARGET = 1.4
PATIENCE = 60
BARE_COLOUR = (200, 30, 120)
CHAT_PANE = (800, 120, 1180, 740)
"""Inside the pane, for the window placed at 20, 20 below."""

BARE = """
import webview
page = "<body style='margin:0;background:rgb(200,30,120)'><textarea autofocus></textarea>"
webview.create_window("bare", html=page, width=1200, height=760, x=20, y=20)
webview.start(gui="qt")
"""
OURS = """
import sys
from pathlib import Path
from app.desktop.window import open_window
from app.paths import Paths
raise SystemExit(open_window(Paths(Path(sys.argv[1]), Path(sys.argv[2]))))
"""


@contextlib.contextmanager
def display() -> Iterator[dict[str, str]]:
    """An environment with a virtual display and a window manager."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x820x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    with os.fdopen(reader) as answer:
        environment = {**os.environ, "DISPLAY": f":{answer.readline().strip()}"}
    if os.geteuid() == 0:
        environment["QTWEBENGINE_CHROMIUM_FLAGS"] = "--no-sandbox"
    manager = subprocess.Popen(["openbox"], env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield environment
    finally:
        for process in (manager, server):
            process.terminate()
            process.wait()


def painted(environment: dict[str, str], shown: Callable[[Image.Image], bool], began: float) -> float:
    """Seconds from `began` until the screen shows it."""
    while time.monotonic() - began < PATIENCE:
        if shown(ImageGrab.grab(xdisplay=environment["DISPLAY"])):
            return time.monotonic() - began
        time.sleep(0.02)
    raise TimeoutError(f"nothing was painted within {PATIENCE} s")


def bare_page(screen: Image.Image) -> bool:
    return screen.getpixel((CHAT_PANE[0], CHAT_PANE[1])) == BARE_COLOUR


def chat_page(screen: Image.Image) -> bool:
    """Words in the chat pane, the splash's or the page's: an empty pane has a colour or two."""
    return len(screen.crop(CHAT_PANE).getcolors(1 << 24) or []) > 8


def bare(environment: dict[str, str]) -> float:
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", BARE], env=environment, stderr=subprocess.DEVNULL)
    try:
        return painted(environment, bare_page, began)
    finally:
        process.kill()
        process.wait()


def ours(environment: dict[str, str], data: Path, cache: Path) -> tuple[float, float]:
    """Seconds to the splash and to the page, which traded its code for a session."""
    sessions = data / "sessions.json"
    sessions.unlink(missing_ok=True)
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", OURS, str(data), str(cache)], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        splash = painted(environment, chat_page, began)
        while not (sessions.exists() and json.loads(sessions.read_text())["sessions"]):
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"the page did not sign in within {PATIENCE} s")
            time.sleep(0.01)
        return splash, time.monotonic() - began
    finally:
        process.kill()
        process.wait()


def end_backend(data: Path) -> None:
    with contextlib.suppress(OSError, ValueError, KeyError, psutil.Error):
        backend = psutil.Process(json.loads((data / "endpoint.json").read_text())["pid"])
        backend.terminate()
        backend.wait(20)


def run(pairs: int = PAIRS) -> dict[str, Any]:
    """Medians in seconds. `ratio` is the median of the pairs' own ratios; the target is for the splash and a warm
    chat. A cold one also waits for the backend to start."""
    floor: list[float] = []
    splash: list[float] = []
    warm: list[float] = []
    cold: list[float] = []
    with display() as environment, tempfile.TemporaryDirectory(prefix="ts-launch-") as scratch:
        data, cache = Path(scratch) / "data", Path(scratch) / "cache"
        data.mkdir(mode=0o700)
        placed = {"width": 1200, "height": 760, "x": 20, "y": 20, "theme": "dark"}
        (data / "window.json").write_text(json.dumps(placed))
        bare(environment)
        ours(environment, data, cache)  # what is compiled and cached once, is
        try:
            for number in range(pairs):
                measured: dict[str, float] = {}
                for way in ("bare", "ours") if number % 2 else ("ours", "bare"):
                    if way == "bare":
                        floor.append(bare(environment))
                    else:
                        measured["splash"], measured["warm"] = ours(environment, data, cache)
                splash.append(measured["splash"])
                warm.append(measured["warm"])
            for _ in range(max(1, pairs // 2)):
                end_backend(data)
                cold.append(ours(environment, data, cache)[1])
        finally:
            end_backend(data)
    return {
        "bare_s": round(statistics.median(floor), 3),
        "painted_s": round(statistics.median(splash), 3),
        "chat_warm_s": round(statistics.median(warm), 3),
        "chat_cold_s": round(statistics.median(cold), 3),
        "ratio": round(statistics.median(one / other for one, other in zip(splash, floor, strict=True)), 3),
        "chat_ratio": round(statistics.median(one / other for one, other in zip(warm, floor, strict=True)), 3),
        "target": TARGET,
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
