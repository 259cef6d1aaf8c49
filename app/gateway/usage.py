"""Tokens of an answer: read where the provider counts them, estimated where it does not.

Field names, by where they are documented:
- chat/completions: https://platform.openai.com/docs/api-reference/chat/object (`usage`); DeepSeek's
  `prompt_cache_hit_tokens` https://api-docs.deepseek.com/guides/kv_cache; OpenRouter's `usage.cost`
  https://openrouter.ai/docs/use-cases/usage-accounting; Groq's `x_groq.usage` https://github.com/vercel/ai/issues/1651
- responses: https://platform.openai.com/docs/api-reference/responses/object
- Messages: https://docs.anthropic.com/en/api/messages (input_tokens excludes what was read from or written to cache)
- generateContent: https://ai.google.dev/api/generate-content#UsageMetadata
"""

import json
from collections.abc import Iterable
from typing import Any

from pydantic_core import from_json

from app.gateway.prices import Counts
from app.schemas import Protocol

type Json = dict[str, Any]

CHARACTERS_PER_TOKEN = 4
IMAGE_TOKENS = 800
"""What a picture is taken for when nobody counts: its base64 would be thousands of tokens of text."""

_TEXT = {
    "content",
    "text",
    "reasoning_content",
    "reasoning",
    "thinking",
    "arguments",
    "partial_json",
    "refusal",
    "delta",
}


def read(protocol: Protocol, documents: Iterable[Json]) -> Counts | None:
    """The counts in the parsed answer, or in the events of a stream that mention usage. None when there are none."""
    found: Counts | None = None
    for document in documents:
        match protocol:
            case "anthropic":
                found = _anthropic(document, found)
            case "gemini":
                found = _gemini(document) or found
            case "responses" | "openai":
                found = _openai(document) or found
    return found


def estimate(request: bytes, answers: Iterable[Json]) -> Counts:
    """A count of our own, from the length of the texts, marked as such."""
    try:
        asked = _length(from_json(request), everything=True)
    except ValueError:
        asked = len(request)
    said = sum(_length(answer) for answer in answers)
    return Counts(asked // CHARACTERS_PER_TOKEN, -(-said // CHARACTERS_PER_TOKEN), estimated=True)


def events(stream: bytes) -> list[Json]:
    """The JSON documents of a stream: server-sent events, or the array that Gemini sends without `alt=sse`."""
    found: list[Json] = []
    for line in stream.splitlines():
        if line.startswith(b"data:"):
            found += document(line[5:])
    return found or document(stream)


def document(text: bytes) -> list[Json]:
    """The object, or the objects of an array, in this text; nothing when it is not JSON."""
    try:
        value = from_json(text)
    except ValueError:
        try:
            value = json.loads(text)
        except ValueError:
            return []
    if isinstance(value, list):
        return [one for one in value if isinstance(one, dict)]
    return [value] if isinstance(value, dict) else []


def _openai(document: Json) -> Counts | None:
    inner = document.get("response") if isinstance(document.get("response"), dict) else document
    usage = (inner or {}).get("usage") or _part(document, "x_groq").get("usage")
    if not isinstance(usage, dict):
        return None
    prompt = _part(usage, "prompt_tokens_details") or _part(usage, "input_tokens_details")
    completion = _part(usage, "completion_tokens_details") or _part(usage, "output_tokens_details")
    cost = usage.get("cost")
    return Counts(
        prompt=_number(usage, "prompt_tokens") or _number(usage, "input_tokens"),
        completion=_number(usage, "completion_tokens") or _number(usage, "output_tokens"),
        cached=_number(prompt, "cached_tokens") or _number(usage, "prompt_cache_hit_tokens"),
        cache_written=_number(prompt, "cache_write_tokens"),
        reasoning=_number(completion, "reasoning_tokens"),
        cost=float(cost) if isinstance(cost, int | float) else None,
    )


def _anthropic(document: Json, before: Counts | None) -> Counts | None:
    """`message_start` counts the input, `message_delta` the output so far (and, of late, the input again)."""
    usage = _part(document, "message").get("usage") or document.get("usage")
    if not isinstance(usage, dict):
        return before
    before = before or Counts()
    read, written = _number(usage, "cache_read_input_tokens"), _number(usage, "cache_creation_input_tokens")
    prompt = _number(usage, "input_tokens") + read + written
    return Counts(
        prompt=prompt or before.prompt,
        completion=max(_number(usage, "output_tokens"), before.completion),
        cached=read or before.cached,
        cache_written=written or before.cache_written,
    )


def _gemini(document: Json) -> Counts | None:
    usage = document.get("usageMetadata")
    if not isinstance(usage, dict):
        return None
    thoughts = _number(usage, "thoughtsTokenCount")
    return Counts(
        prompt=_number(usage, "promptTokenCount") + _number(usage, "toolUsePromptTokenCount"),
        completion=_number(usage, "candidatesTokenCount") + thoughts,
        cached=_number(usage, "cachedContentTokenCount"),
        reasoning=thoughts,
    )


def _part(value: Json, name: str) -> Json:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _number(value: Json, name: str) -> int:
    number = value.get(name)
    return int(number) if isinstance(number, int | float) and number > 0 else 0


def _length(value: Any, name: str = "", *, everything: bool = False) -> int:
    """Characters of text in a JSON value; of a request everything counts, of an answer only what the model wrote."""
    if isinstance(value, str):
        if value.startswith("data:image/") or (name == "data" and len(value) > 1000):
            return IMAGE_TOKENS * CHARACTERS_PER_TOKEN
        return len(value) if everything or name in _TEXT else 0
    if isinstance(value, dict):
        return sum(_length(inner, str(key), everything=everything) for key, inner in value.items())
    if isinstance(value, list):
        return sum(_length(inner, name, everything=everything) for inner in value)
    return 0
