"""The one place where secrets are taken out of text: logs, errors, events and exports all pass through here.

Every secret the backend learns is registered by whoever learns it. Besides those, credentials that are recognisable
by their shape (bearer headers, provider keys, passwords in URLs) go as well, since a project can hold secrets that
we never saw.
"""

import base64
import json
import re
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

MASK = "•••"
SHORTEST = 6
"""Shorter values are words, not secrets: masking them would blank ordinary text."""

_SHAPES = re.compile(
    r"""(?ix)
    (?P<lead>
        \b(?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)?\s*
      | \bbearer[\s.]+
      | \b(?:x-api-key|x-goog-api-key|x-session-api-key|api[_-]key|apikey)["']?\s*[:=]\s*["']?
      | ://[^\s/:@"']*:(?=[^\s/@"']+@)
    )
    (?P<value>[^\s"'@,;&}]{6,})
  | (?P<bare>
        \b(?:sk|pk|rk|gsk|dtn|xai|hf|glpat)[-_][A-Za-z0-9_-]{16,}
      | \bgh[pousr]_[A-Za-z0-9]{20,}
      | \bgithub_pat_[A-Za-z0-9_]{20,}
      | \bAIza[A-Za-z0-9_-]{30,}
      | \bAKIA[A-Z0-9]{16}\b
      | (?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}
    )
    """
)

_lock = threading.Lock()
_known: Counter[str] = Counter()
_pattern: re.Pattern[str] | None = None


def register(secret: str) -> None:
    """Mask this value from now on, in its plain, URL-quoted, JSON-escaped and base64 forms."""
    if len(secret) >= SHORTEST:
        with _lock:
            _known[secret] += 1
            _compile()


def forget(secret: str) -> None:
    """Undo one `register`."""
    with _lock:
        _known[secret] -= 1
        if _known[secret] <= 0:
            del _known[secret]
        _compile()


def known(text: str) -> str:
    """The text without the registered secrets: for what the user works on, where a shape may be ordinary code."""
    pattern = _pattern
    return text if pattern is None else pattern.sub(MASK, text)


def redact(text: str) -> str:
    """The text without secrets."""
    return _SHAPES.sub(lambda match: f"{match['lead'] or ''}{MASK}", known(text))


def redact_json[T](value: T) -> T:
    """The same JSON value with secrets taken out of every string, keys included."""
    return _walk(value)


def _walk(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key) if isinstance(key, str) else key: _walk(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_walk(inner) for inner in value)
    return value


def _forms(secret: str) -> Iterable[str]:
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode().rstrip("=")


def _compile() -> None:
    global _pattern
    forms = {form for secret in _known for form in _forms(secret)}
    ordered = sorted(forms, key=len, reverse=True)
    _pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None
