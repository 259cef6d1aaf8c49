"""Watches an answer go by: finds the usage, notices an error, rubbish, and a stream that breaks off.

The hot path looks at bytes, not at JSON: a chunk is searched for a usage or error object and its lines for their
form. Only the lines with one are parsed, once the stream is over.
"""

import re

from app.gateway import usage
from app.gateway.prices import Counts
from app.schemas import Protocol

KEPT = 8 * 1024 * 1024
"""Bytes of a stream kept for an estimate, should the provider not count."""

_USAGE = rb'"usage"\s*:\s*\{'
_ERROR = rb'"error"\s*:\s*\{|"type"\s*:\s*"error"'
_NOTED = {
    "openai": re.compile(_USAGE + b"|" + _ERROR),
    "responses": re.compile(_USAGE + b"|" + _ERROR),
    "anthropic": re.compile(_USAGE + b"|" + _ERROR),
    "gemini": re.compile(rb'"usageMetadata"\s*:\s*\{|' + _ERROR),
}
_IS_ERROR = re.compile(_ERROR)
_END = {
    "openai": re.compile(rb'"finish_reason"\s*:\s*"|data:\s*\[DONE\]'),
    "responses": re.compile(rb'"response\.(?:completed|incomplete|failed)"'),
    "anthropic": re.compile(rb'"message_stop"'),
    "gemini": re.compile(rb'"finishReason"\s*:\s*"|"blockReason"\s*:\s*"'),
}
_FIELDS = (b":", b"event:", b"id:", b"retry:")
_LINES_KEPT = 64


class Garbage(Exception):
    """The answer is not in the protocol's form. `args[0]` is a short sample of it."""


class Meter:
    """Watches one streamed answer."""

    def __init__(self, protocol: Protocol, *, sse: bool = True) -> None:
        self._protocol: Protocol = protocol
        self._noted = _NOTED[protocol]
        self._strict = sse and protocol != "gemini"
        self._sse = sse
        self._rest = b""
        self._lines: list[bytes] = []
        self._chunks: list[bytes] = []
        self._size = 0

    @property
    def started(self) -> bool:
        return self._size > 0

    def feed(self, chunk: bytes) -> None:
        """Look at a chunk before it is passed on. Raises Garbage."""
        self._size += len(chunk)
        if self._size <= KEPT:
            self._chunks.append(chunk)
        data = self._rest + chunk if self._rest else chunk
        cut = data.rfind(b"\n") + 1
        lines, self._rest = data[:cut], data[cut:]
        if not lines:
            return
        if self._strict:
            for line in lines.split(b"\n"):
                _check(line)
        if self._noted.search(lines):
            found = [line for line in lines.split(b"\n") if self._noted.search(line)]
            self._lines = self._lines[:1] + (self._lines[1:] + found)[-_LINES_KEPT:]

    def ended(self) -> bool:
        """Whether the protocol's last word was heard."""
        return any(_END[self._protocol].search(part) for part in (b"".join(self._chunks[-8:]), self._rest, self._all()))

    def error(self) -> bytes | None:
        """The JSON of the error that the provider sent within its stream, if it did."""
        for line in reversed(self._lines):
            if _IS_ERROR.search(line):
                return line.partition(b":")[2].strip()
        return None

    def counts(self, request: bytes) -> Counts:
        """What it took: the provider's own count, or an estimate."""
        if self._sse:
            documents = [one for line in [*self._lines, self._rest] for one in usage.document(line.partition(b":")[2])]
        else:
            documents = usage.document(self._all())
        counted = usage.read(self._protocol, documents)
        if counted is not None and (counted.prompt or counted.completion):
            return counted
        return usage.estimate(request, usage.events(self._all()))

    def _all(self) -> bytes:
        return b"".join(self._chunks)


def _check(line: bytes) -> None:
    line = line.rstrip(b"\r")
    if not line or line.startswith(_FIELDS):
        return
    if line.startswith(b"data:"):
        data = line[5:].strip()
        if (data.startswith(b"{") and data.endswith(b"}")) or data in (b"[DONE]", b""):
            return
        line = data
    raise Garbage(line[:80].decode("utf-8", "replace"))
