"""The faults a model server can have, each as a model name: `fault-401`, `fault-midstream`, `fault-429`, …

The bodies are OpenAI's own (https://platform.openai.com/docs/guides/error-codes). `-once` after the name makes the
first attempt of a request fail and the next succeed; `fault-429` is so by itself, with a Retry-After of one second.
"""

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Fault:
    """How a request fails: with a status and body, or in the stream."""

    status: int = 200
    message: str = ""
    type: str = "invalid_request_error"
    code: str | None = None
    retry_after: int | None = None
    kind: Literal["error", "midstream", "garbage", "slow", "empty", "html"] = "error"
    once: bool = False


FAULTS: dict[str, Fault] = {
    "fault-401": Fault(401, "Incorrect API key provided.", code="invalid_api_key"),
    "fault-402": Fault(402, "Insufficient credits. Add more and retry.", "insufficient_quota", "insufficient_quota"),
    "fault-404": Fault(
        404, "The model `fault-404` does not exist or you do not have access to it.", code="model_not_found"
    ),
    "fault-429": Fault(429, "Rate limit reached.", "requests", "rate_limit_exceeded", retry_after=1, once=True),
    "fault-429-always": Fault(429, "Rate limit reached.", "requests", "rate_limit_exceeded", retry_after=1),
    "fault-quota": Fault(429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
    "fault-500": Fault(500, "The server had an error while processing your request.", "server_error"),
    "fault-503": Fault(503, "The server is overloaded.", "server_error"),
    "fault-context": Fault(
        400,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        code="context_length_exceeded",
    ),
    "fault-midstream": Fault(kind="midstream"),
    "fault-garbage": Fault(kind="garbage"),
    "fault-slow": Fault(kind="slow"),
    "fault-empty": Fault(kind="empty"),
    "fault-html": Fault(kind="html"),
}


def find(model: str) -> Fault | None:
    """The fault of a model name, or None."""
    if fault := FAULTS.get(model):
        return fault
    fault = FAULTS.get(model.removesuffix("-once"))
    return replace(fault, once=True) if fault else None
