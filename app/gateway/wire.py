"""How each protocol is spoken to a provider: address, credential, and the few changes to a request's body."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

from app.schemas import ModelProfile, Protocol

type Json = dict[str, Any]

PASSED_ON = ("anthropic-version", "anthropic-beta", "openai-beta")
"""The agent's headers that the provider gets; everything else of the agent's stays here."""

OPTIONAL = (
    "stream_options",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "tool_choice",
)
"""What a request can do without: left out, and tried again, when a provider refuses it by name."""

RENAMED = {"max_completion_tokens": "max_tokens", "max_tokens": "max_completion_tokens"}
"""OpenAI's newer models know only the first, most other servers only the second."""


@dataclass(frozen=True)
class Call:
    """A request to a provider, ready to be sent."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    stream: bool


def call(
    profile: ModelProfile,
    protocol: Protocol,
    operation: str,
    headers: Mapping[str, str],
    body: bytes,
    key: str | None,
    *,
    query: str = "",
    refused: frozenset[str] = frozenset(),
) -> Call:
    """Build the provider's request from the agent's.

    `operation` is the path below the base address, for Gemini the method's name (`streamGenerateContent`). `refused`
    are the parameters to leave out. Raises ValueError when the body is no JSON object.
    """
    document = parse(body)
    changed = _adapt(document, profile, protocol, refused)
    stream = bool(document.get("stream")) or "stream" in operation
    sent = dump(document) if changed else body
    return Call(address(profile, protocol, operation, query), credentials(protocol, key, headers), sent, stream)


def address(profile: ModelProfile, protocol: Protocol, operation: str, query: str = "") -> str:
    """The URL of an operation at the profile's provider."""
    base = profile.base_url.rstrip("/")
    if protocol == "gemini" and operation != "models":
        operation = f"models/{profile.model.removeprefix('models/')}:{operation}"
    elif protocol == "anthropic":
        operation = f"v1/{operation}"
    return f"{base}/{operation}{'?' if query else ''}{query}"


def credentials(protocol: Protocol, key: str | None, headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """The headers of a provider's request."""
    headers = headers or {}
    sent = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "twinseat"}
    sent.update({name: headers[name] for name in PASSED_ON if name in headers})
    match protocol:
        case "anthropic":
            sent.setdefault("anthropic-version", "2023-06-01")
            if key:
                sent["x-api-key"] = key
        case "gemini":
            if key:
                sent["x-goog-api-key"] = key
        case _:
            if key:
                sent["Authorization"] = f"Bearer {key}"
    return sent


def refused_parameters(body: bytes, error: str) -> frozenset[str]:
    """The optional parameters of this request that the provider's error names."""
    try:
        document = parse(body)
    except ValueError:
        return frozenset()
    return frozenset(name for name in (*OPTIONAL, *RENAMED) if name in document and f"{name}" in error)


def parse(body: bytes) -> Json:
    """The request's JSON object. Raises ValueError. A lone surrogate, which text cut in two can hold, is no error."""
    try:
        document = from_json(body)
    except ValueError:
        document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("not an object")  # noqa: TRY004  callers take bad JSON and this for the same
    return document


def dump(document: Json) -> bytes:
    """The JSON of a request."""
    try:
        return to_json(document)
    except (PydanticSerializationError, ValueError):
        return json.dumps(document).encode()


def _adapt(document: Json, profile: ModelProfile, protocol: Protocol, refused: frozenset[str]) -> bool:
    """Change the body in place where it must be; say whether it was."""
    changed = False
    if protocol != "gemini" and document.get("model") != profile.model:
        document["model"] = profile.model
        changed = True
    if protocol == "openai" and document.get("stream"):
        options = document.get("stream_options")
        if not (isinstance(options, dict) and options.get("include_usage")):
            document["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
            changed = True
    for name in refused:
        if name in document:
            value = document.pop(name)
            changed = True
            if name in RENAMED:
                document.setdefault(RENAMED[name], value)
    return changed
