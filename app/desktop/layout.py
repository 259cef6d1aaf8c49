"""What the window remembers between launches: size, position, split, theme and the workspace last shown."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal

from app.paths import write_private

Theme = Literal["system", "dark", "light"]

DEFAULT_SPLIT = 0.62
"""The editor's share of the width; what a double click on the splitter returns to."""

EDITOR_LEAST, CHAT_LEAST = 320, 300
"""Minimum widths of the panes in pixels."""

FRAME = 64
"""Height that is left for a title bar and a panel when a window must be made to fit."""

WORKSPACE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Screen:
    """A monitor in the coordinates the window is placed in."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Layout:
    """Pixels; `x` and `y` are None until the window was placed once."""

    width: int = 1440
    height: int = 900
    x: int | None = None
    y: int | None = None
    maximized: bool = False
    split: float = DEFAULT_SPLIT
    theme: Theme = "system"
    workspace: str | None = None


def load(path: Path) -> Layout:
    """The remembered layout. A file that is missing or broken costs what it held, never the start."""
    try:
        stored: object = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return Layout()
    if not isinstance(stored, dict):
        return Layout()
    kept = {field.name: stored[field.name] for field in fields(Layout) if _sound(field.name, stored.get(field.name))}
    return Layout(**kept)


def save(path: Path, layout: Layout) -> None:
    """Replace the file in one step. Raises OSError."""
    write_private(path, json.dumps(asdict(layout), indent=1))


def fit(layout: Layout, screens: Sequence[Screen]) -> Layout:
    """The layout moved and shrunk so that it can be seen and its title bar reached: monitors come and go."""
    if not screens:
        return layout
    home = screens[0]
    if layout.x is not None and layout.y is not None:
        x, y = layout.x + min(layout.width, 200) // 2, layout.y + 10
        on = [s for s in screens if s.x <= x < s.x + s.width and s.y <= y < s.y + s.height]
        home = on[0] if on else home
        if not on:
            layout = replace(layout, x=None, y=None)
    return replace(
        layout, width=min(layout.width, home.width - FRAME // 2), height=min(layout.height, home.height - FRAME)
    )


def _sound(name: str, value: object) -> bool:
    match name:
        case "width" | "height":
            return type(value) is int and 200 <= value <= 20_000
        case "x" | "y":
            return type(value) is int and abs(value) <= 50_000
        case "maximized":
            return type(value) is bool
        case "split":
            return isinstance(value, int | float) and 0.1 <= value <= 0.9
        case "theme":
            return value in ("system", "dark", "light")
        case _:
            return isinstance(value, str) and WORKSPACE_ID.fullmatch(value) is not None
