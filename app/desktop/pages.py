"""The window's own pages: the splash, and what a pane shows when it has nothing else. No scripts, no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Literal

from app.desktop.links import RETRY

Shade = Literal["dark", "light"]


@dataclass(frozen=True)
class Palette:
    """VS Code's Dark Modern and Light Modern, as far as the window itself needs them."""

    editor: str
    chat: str
    line: str
    text: str
    strong: str
    quiet: str
    accent: str
    on_accent: str


PALETTES: dict[Shade, Palette] = {
    "dark": Palette("#1f1f1f", "#181818", "#2b2b2b", "#cccccc", "#ffffff", "#9d9d9d", "#0078d4", "#ffffff"),
    "light": Palette("#ffffff", "#f8f8f8", "#e5e5e5", "#3b3b3b", "#1f1f1f", "#616161", "#005fb8", "#ffffff"),
}

_TEMPLATE = Template((Path(__file__).parent / "page.html").read_text("utf-8"))


def splash(shade: Shade) -> str:
    """What the chat pane shows from the first frame until the chat is there."""
    return _page(shade, "chat", '<p class="state" id="state" role="status">Starting Twinseat</p>', pulse=True)


def problem(
    shade: Shade, pane: Literal["editor", "chat"], title: str, detail: str, remedy: str = "", log: str = ""
) -> str:
    """A pane that could not load: what happened, what to do, and a way to try again."""
    body = [f'<h1>{escape(title)}</h1><p role="alert">{escape(detail)}</p>']
    if remedy:
        body.append(f"<p>{escape(remedy)}</p>")
    body.append(f'<p><a class="button" href="{RETRY}" autofocus>Retry</a></p>')
    if log.strip():
        body.append(f"<details><summary>Log</summary><pre>{escape(log)}</pre></details>")
    return _page(shade, pane, "".join(body))


def editor_starting(shade: Shade, name: str, steps: Sequence[tuple[str, float | None]]) -> str:
    """The phases of a start, each with its seconds once it is over."""
    done = "".join(
        f"<li{' class=now' if took is None else ''}>{escape(step)}"
        f"<span>{'' if took is None else f'{took:.1f} s'}</span></li>"
        for step, took in steps
    )
    title = f"Opening {name}" if name else "Opening the editor"
    body = f'<p class="state" role="status">{escape(title)}</p>{f"<ul>{done}</ul>" if done else ""}'
    return _page(shade, "editor", body, pulse=True)


def editor_empty(shade: Shade) -> str:
    return _page(shade, "editor", '<p class="state">No folder open</p><p>Open one from the chat, on the right.</p>')


def _page(shade: Shade, pane: Literal["editor", "chat"], body: str, *, pulse: bool = False) -> str:
    colours = PALETTES[shade]
    return _TEMPLATE.substitute(
        shade=shade,
        background=colours.editor if pane == "editor" else colours.chat,
        line=colours.line,
        text=colours.text,
        strong=colours.strong,
        quiet=colours.quiet,
        accent=colours.accent,
        on_accent=colours.on_accent,
        mark="mark busy" if pulse else "mark",
        body=body,
    )
