"""The scripts, by name. A model name such as `edits-50` is the script `edits` with the number 50."""

import re

from app.demo.chat import Script
from app.demo.scripts import ask, echo, edits, shell, stream, todo

SCRIPTS: dict[str, Script] = {
    "ask": ask.next_turn,
    "echo": echo.next_turn,
    "edits": edits.next_turn,
    "shell": shell.next_turn,
    "stream": stream.next_turn,
    "todo": todo.next_turn,
}

_NAME = re.compile(r"([a-z]+)(?:-(\d+))?")


def find(model: str) -> tuple[str, Script, int | None] | None:
    """The script of a model name with its number, or None when there is none of that name."""
    found = _NAME.fullmatch(model.rpartition("/")[2])
    if not found or found[1] not in SCRIPTS:
        return None
    return found[1], SCRIPTS[found[1]], int(found[2]) if found[2] else None
