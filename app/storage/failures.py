"""From the agent-server's `ConversationErrorEvent` to a sentence.

The event carries the exception's class in `code`, litellm's long message in `detail` (around what our own gateway
answered, which is already a sentence) and a small `classification`
(openhands.sdk.event.error_classification, 1.58: auth, quota, rate_limit, config, transient, agent_action, …).
"""

import json
import re
from typing import Any

from app.schemas import Problem

ANNOTATION = "twinseat_problem"
"""Key in an event's data under which the gateway's own problem travels, when it saw the failure itself."""

_WRAPPING = re.compile(r"^(?:litellm\.)?(?:\w+(?:Error|Exception)\b:?\s*(?:-\s*)?)+")

_BY_CODE: dict[str, tuple[str, int, str, str, str]] = {
    "MaxIterationsReached": (
        "too-many-steps",
        409,
        "The agent took too many steps",
        "The agent used all the steps it may take in one go without finishing.",
        "Look at what it did, then send a message that says how to go on.",
    ),
    "LLMContextWindowExceedError": (
        "context-full",
        413,
        "The conversation is too long for the model",
        "The conversation no longer fits into the model's context window.",
        "Start a new task, or switch to a model with a larger context window.",
    ),
}

_BY_KIND: dict[str, tuple[str, int, str, str, str]] = {
    "auth": (
        "model-key-refused",
        401,
        "The model refused the key",
        "The model provider did not accept the API key.",
        "Check the key in Settings → Models, then press Continue.",
    ),
    "quota": (
        "model-no-credit",
        402,
        "No credit left",
        "The model provider says that the account has no credit left or its limit is reached.",
        "Add credit with the provider or choose another model, then press Continue.",
    ),
    "rate_limit": (
        "model-rate-limit",
        429,
        "The model asks to slow down",
        "The model provider refused because too many requests came in a short time.",
        "Wait a minute, then press Continue.",
    ),
    "transient": (
        "model-unreachable",
        502,
        "The model can't be reached",
        "The model did not answer",
        "Check the network and the model's address in Settings → Models, then press Continue.",
    ),
    "config": (
        "model-refused",
        400,
        "The model refused the request",
        "The model provider refused the request",
        "Check the model's name and address in Settings → Models, then press Continue.",
    ),
}

_OTHER = (
    "agent-failed",
    500,
    "The agent failed",
    "The agent stopped because of an error",
    "Press Continue to let it try again, or send a message.",
)


def failure(data: dict[str, Any]) -> Problem:
    """The problem that a `ConversationErrorEvent` stands for."""
    noted = data.get(ANNOTATION)
    if isinstance(noted, dict):
        return Problem.model_validate(noted)
    code = str(data.get("code") or "")
    classification = data.get("classification")
    kind = str(classification.get("kind")) if isinstance(classification, dict) else ""
    name, status, title, sentence, remedy = _BY_CODE.get(code) or _BY_KIND.get(kind) or _OTHER
    said = _said(str(data.get("detail") or ""))
    if not sentence.endswith("."):
        sentence = f"{sentence}: {said}" if said else f"{sentence}."
    return Problem(code=name, status=status, title=title, detail=sentence, remedy=remedy)


def _said(detail: str) -> str:
    """What the innermost error said, without the class names around it, as a sentence."""
    text = detail.strip()
    start = text.find("{")
    if start >= 0:
        inner = _message(text[start:])
        text = inner if inner else text[:start] or text
    text = _WRAPPING.sub("", text.strip()).strip().splitlines()[0] if text.strip() else ""
    text = text[:400].strip()
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def _message(text: str) -> str | None:
    """`error.message` of a JSON body that begins here, in any of the forms providers use."""
    try:
        body, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return None
    while isinstance(body, dict):
        inner = body.get("error") or body.get("message") or body.get("detail")
        if isinstance(inner, str):
            return inner
        body = inner
    return None
