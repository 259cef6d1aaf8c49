"""What a conversation is made of: the agent, its tools, its condenser, and when it has to ask.

The names are those of openhands-agent-server 1.58, `POST /api/conversations` (openhands.sdk.conversation.request).
"""

from typing import Any

from app.schemas import Attachment, Mode, NewMessage
from app.storage.facts import policy

Json = dict[str, Any]

MOST_STEPS = 500
"""Iterations in one run."""

CONDENSE_AT = 240
"""Events in the model's view before the oldest are summarised."""

_TOOLS: list[Json] = [
    # The subprocess terminal takes 62-97 ms a step, tmux 190 ms (measured).
    {"name": "terminal", "params": {"terminal_type": "subprocess"}},
    {"name": "file_editor"},
    {"name": "task_tracker"},
]

ANALYZER: Json = {
    # The worst of three verdicts: rules on what commands do together, known patterns, the model's own field.
    "kind": "EnsembleSecurityAnalyzer",
    "analyzers": [
        {"kind": "PolicyRailSecurityAnalyzer"},
        {"kind": "PatternSecurityAnalyzer"},
        {"kind": "LLMSecurityAnalyzer"},
    ],
}


def start_request(conversation_id: str, folder: str, trusted: bool, llm: Json, mode: Mode) -> Json:
    """The body that makes a conversation. The project's skills (AGENTS.md, …) count only once it is trusted."""
    return {
        "conversation_id": conversation_id,
        "workspace": {"kind": "LocalWorkspace", "working_dir": folder},
        "agent": {
            "kind": "Agent",
            "llm": llm,
            "tools": _TOOLS,
            "condenser": {
                "kind": "LLMSummarizingCondenser",
                "llm": {**llm, "usage_id": "condenser", "stream": False},
                "max_size": CONDENSE_AT,
                "keep_first": 2,
            },
            "agent_context": {"load_project_skills": trusted},
        },
        "tool_module_qualnames": {
            name: f"openhands.tools.{name}.definition" for name in ("terminal", "file_editor", "task_tracker")
        },
        "confirmation_policy": policy(mode),
        "security_analyzer": ANALYZER,
        "max_iterations": MOST_STEPS,
        "autotitle": False,
    }


def message_content(message: NewMessage) -> list[Json]:
    """What the agent is sent for a user's message: the text, what it points to, images."""
    text = message.text
    if message.attachments:
        text += "\n\n" + "\n".join(_pointer(one) for one in message.attachments)
    content: list[Json] = [{"type": "text", "text": text}]
    if message.images:
        urls = [f"data:{image.media_type};base64,{image.data}" for image in message.images]
        content.append({"type": "image", "image_urls": urls})
    return content


def _pointer(attachment: Attachment) -> str:
    lines = ""
    if attachment.from_line is not None:
        last = attachment.to_line if attachment.to_line is not None else attachment.from_line
        lines = f" (lines {attachment.from_line}-{last})" if last != attachment.from_line else f" (line {last})"
    head = f"See {attachment.path}{lines}"
    return head if attachment.text is None else f"{head}:\n```\n{attachment.text}\n```"
