"""Logs: JSON lines in the data folder, secrets removed, rotated at 5 MB."""

import logging
import logging.handlers
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from app.redact import redact, redact_json

FILE_BYTES = 5 << 20
FILES = 5


def start(folder: Path, level: str, *, to_terminal: bool = False) -> None:
    """Send our own log, and the libraries', to `<folder>/backend.log`. Raises OSError."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redacted,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handlers: list[logging.Handler] = [_Private(folder / "backend.log", maxBytes=FILE_BYTES, backupCount=FILES)]
    if to_terminal:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(_Redacting(formatter))
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(level.upper())
    for chatty in ("aiosqlite", "asyncio", "watchfiles", "websockets", "uvicorn.access", "alembic"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    # A full disk must not fill the terminal with complaints of the log about itself.
    logging.raiseExceptions = False


def _redacted(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return redact_json(dict(event))


class _Redacting(logging.Formatter):
    """The last word before the file: a secret in a library's message or traceback is caught here."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return redact(self._inner.format(record))


class _Private(logging.handlers.RotatingFileHandler):
    """Readable by the owner only."""

    def _open(self) -> Any:
        Path(self.baseFilename).touch(mode=0o600)
        return super()._open()
