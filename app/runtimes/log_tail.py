"""A child's log: its file, which lies where the child itself may not look, and its end in memory."""

import contextlib
import os
from collections import deque
from pathlib import Path

TAIL_BYTES = 8_000
LOG_BYTES = 5_000_000
"""A longer file becomes `….1.log`, in place of the one before."""


class LogTail:
    def __init__(self, path: Path) -> None:
        self.received = 0
        """Bytes in all: it growing is a sign of life."""
        self._path = path
        self._chunks: deque[bytes] = deque()
        self._size = 0

    def keep(self, chunk: bytes) -> None:
        self.received += len(chunk)
        self._chunks.append(chunk)
        self._size += len(chunk)
        while len(self._chunks) > 1 and self._size - len(self._chunks[0]) > TAIL_BYTES:
            self._size -= len(self._chunks.popleft())
        # A log that can't be written must not stop the child: its tail is still in memory.
        with contextlib.suppress(OSError):
            if self._path.exists() and self._path.stat().st_size > LOG_BYTES:
                self._path.replace(self._path.with_suffix(".1.log"))
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
                file.write(chunk)

    def text(self) -> str:
        return b"".join(self._chunks).decode("utf-8", "replace")[-TAIL_BYTES:]
