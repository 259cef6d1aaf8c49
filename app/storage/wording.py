"""What an action is doing and why it is asked, in words."""

import re
from pathlib import PurePosixPath
from typing import Any

from app.schemas import Mode, Risk

_LONGEST = 80

_DANGERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\brm\s+(?:\S+\s+)*-\w*[rRf]|\brm\s+--(?:recursive|force)"), "it deletes files for good"),
    (re.compile(r"\b(?:curl|wget)\b[^|]*\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b"), "it runs a program straight from the net"),
    (re.compile(r"\b(?:mkfs\.|dd\b.*\bof=/dev/)"), "it overwrites a disk"),
    (re.compile(r"\bsudo\b"), "it acts as the administrator"),
    (re.compile(r"\bgit\s+push\b.*(?:--force|-f\b)"), "it rewrites history on the remote"),
    (re.compile(r"\bgit\s+(?:reset\s+--hard|clean\s+-\w*f)"), "it throws away uncommitted work"),
    (re.compile(r"\bchmod\s+(?:-R\s+)?777\b"), "it opens files to everybody"),
    (re.compile(r"\b(?:eval|exec)\s*\(|\bos\.system\s*\(|\bsubprocess\."), "it runs code that it puts together itself"),
    (re.compile(r"\.ssh/|\.aws/|\.netrc|id_rsa|id_ed25519"), "it touches credentials"),
)


def activity(tool: str, arguments: dict[str, Any]) -> str:
    """What goes on, such as "Running pytest -q"."""
    match tool:
        case "terminal" if arguments.get("is_input"):
            return "Typing into the terminal"
        case "terminal":
            return _cut("Running " + _first_line(arguments.get("command")))
        case "file_editor":
            verb = {"view": "Reading", "create": "Writing", "undo_edit": "Undoing the last edit of"}
            name = PurePosixPath(str(arguments.get("path") or "a file")).name
            return _cut(f"{verb.get(str(arguments.get('command')), 'Editing')} {name}")
        case "task_tracker":
            return "Planning"
        case "think":
            return "Thinking"
        case "finish":
            return "Finishing"
        case _:
            return _cut(f"Using {tool.replace('_', ' ')}")


def reason(mode: Mode, risk: Risk, arguments: dict[str, Any]) -> str:
    """Why the user is asked, as a sentence."""
    text = " ".join(value for value in arguments.values() if isinstance(value, str))
    danger = next((words for pattern, words in _DANGERS if pattern.search(text)), None)
    if mode == "ask_all" and risk != "high":
        return "You asked to approve every action."
    if danger is not None:
        return f"This is risky: {danger}."
    if risk == "high":
        return "The safety check rates this action as high risk."
    if risk in ("low", "medium"):
        return "It is not risky itself, but comes together with an action that is."
    return "The safety check could not tell how risky this action is."


def _first_line(value: object) -> str:
    lines = str(value or "").strip().splitlines()
    return lines[0] if lines else "a command"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
