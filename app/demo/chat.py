"""What a script sees of a request, and what it answers: the chat so far, and one turn.

Everything is derived from the request, so the server keeps no state and a conversation survives its restart. The
round and step of a script travel in the ids of its tool calls (`call_todo_0_3`), which the agent sends back.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

type Json = dict[str, Any]

CALL_ID = re.compile(r"call_([a-z]+)_(\d+)_(\d+)")
FOLDER = re.compile(r"Your current working directory is: (.+)")
EXIT_CODE = re.compile(r"exit code (-?\d+)\]")


@dataclass(frozen=True)
class Call:
    """A tool call to make; `risk` and `summary` are sent only when the tool's schema has a place for them."""

    tool: str
    arguments: Json
    summary: str = ""
    risk: str = "LOW"


@dataclass(frozen=True)
class Turn:
    """One answer of the model. Without calls the agent takes it as the end of its turn."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Result:
    """A tool call made earlier, with what came of it (`output` is empty while it has no result)."""

    id: str
    tool: str
    arguments: Json
    output: str

    @property
    def rejected(self) -> bool:
        return self.output.startswith("Action rejected")

    @property
    def exit_code(self) -> int | None:
        found = EXIT_CODE.search(self.output)
        return int(found[1]) if found else None


@dataclass(frozen=True)
class Chat:
    """A parsed chat/completions request."""

    results: tuple[Result, ...]
    said: tuple[str, ...]
    """The user's messages, oldest first."""
    interjected: str | None
    """The user's message when it is the last thing in the chat and something was done before it."""
    tools: Mapping[str, frozenset[str]]
    """Names of the offered tools, each with its parameters' names."""
    folder: str
    round: int
    """Counts up with every `finish`."""
    step: int
    """Calls made in this round, as numbered by the ids."""

    @property
    def last(self) -> Result | None:
        return self.results[-1] if self.results else None


type Script = Callable[[Chat, int | None], Turn]


def parse(body: Json) -> Chat:
    """Read a request body. Unknown parts are skipped: a stand-in has no reason to be strict."""
    tools: dict[str, frozenset[str]] = {}
    folder = "."
    for tool in body.get("tools") or []:
        function = tool.get("function") or {}
        tools[str(function.get("name"))] = frozenset((function.get("parameters") or {}).get("properties") or {})
        if found := FOLDER.search(str(function.get("description") or "")):
            folder = found[1].strip()
    outputs: dict[str, str] = {}
    calls: list[Json] = []
    said: list[str] = []
    last_role = ""
    for message in body.get("messages") or []:
        role = message.get("role")
        if role == "user":
            said.append(_text(message.get("content")))
        elif role == "assistant":
            calls.extend(message.get("tool_calls") or [])
        elif role == "tool":
            outputs[str(message.get("tool_call_id"))] = _text(message.get("content"))
        last_role = str(role)
    results = tuple(_result(call, outputs) for call in calls)
    round_, step = 0, 0
    if results and (found := CALL_ID.match(results[-1].id)):
        round_, step = int(found[2]), int(found[3]) + 1
        if results[-1].tool == "finish":
            round_, step = round_ + 1, 0
    interjected = said[-1] if results and last_role == "user" else None
    return Chat(results, tuple(said), interjected, tools, folder, round_, step)


def message(chat: Chat, script: str, turn: Turn) -> tuple[str, str, list[Json]]:
    """The turn as (reasoning, content, OpenAI tool calls). Calls to tools the agent does not have are left out."""
    calls: list[Json] = []
    for call in turn.calls:
        if call.tool not in chat.tools:
            continue
        arguments = dict(call.arguments)
        if "security_risk" in chat.tools[call.tool]:
            arguments["security_risk"] = call.risk
        if call.summary and "summary" in chat.tools[call.tool]:
            arguments["summary"] = call.summary
        identity = f"call_{script}_{chat.round}_{chat.step + len(calls)}"
        function = {"name": call.tool, "arguments": json.dumps(arguments)}
        calls.append({"id": identity, "type": "function", "function": function})
    return turn.reasoning, turn.text, calls


def _text(content: object) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return str(content or "")


def _result(call: Json, outputs: Mapping[str, str]) -> Result:
    function = call.get("function") or {}
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except ValueError:
        arguments = {}
    identity = str(call.get("id"))
    return Result(identity, str(function.get("name")), arguments, outputs.get(identity, ""))
