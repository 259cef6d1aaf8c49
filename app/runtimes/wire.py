"""How backend and keeper talk: lines of JSON over a unix socket, and how each proves itself to the other.

Both know the secret of the data directory. The keeper greets with a nonce; the backend answers with its proof and a
nonce of its own; the keeper answers with its proof and its children. Then requests `{"id", "op", …}` and answers
`{"id", "ok": …}` or `{"id", "error": …}`, and, unasked, `{"child": …}` after every change.
Standard library only: the keeper imports this.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import tempfile
from pathlib import Path
from typing import Any

LINE_BYTES = 4_000_000
"""Longest line accepted; a list with every child's log tail stays far below."""

_SUN_PATH = 103
"""The shortest limit of a unix socket's path on a supported system (macOS: 104 with the final NUL; Linux: 108)."""

type Message = dict[str, Any]


def proof(secret: str, side: str, nonce: str) -> str:
    """What `side` ("backend" or "keeper") answers to the other's nonce."""
    return hmac.new(secret.encode(), f"twinseat {side} {nonce}".encode(), hashlib.sha256).hexdigest()


def same(one: object, other: str) -> bool:
    return isinstance(one, str) and hmac.compare_digest(one, other)


async def send(writer: asyncio.StreamWriter, message: Message) -> None:
    writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
    await writer.drain()


async def receive(reader: asyncio.StreamReader) -> Message | None:
    """The next message, or None at the end. Raises ValueError for anything that is not a JSON object on a line."""
    line = await reader.readline()
    if not line:
        return None
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")  # noqa: TRY004 - what json raises for rubbish as well
    return message


def socket_path(folder: Path, name: str) -> Path:
    """A socket's place: in `folder`, or, when that is too long a path for a socket, in a short one for it alone.

    The short folder belongs to this user, mode 0700; its name follows from `folder`, so that everyone finds it.
    Raises OSError when someone else holds that name.
    """
    path = folder / name
    if len(os.fsencode(path)) <= _SUN_PATH:
        return path
    mark = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]
    base = Path(tempfile.gettempdir())
    short = (base if len(os.fsencode(base)) < 40 else Path("/tmp")) / f"twinseat-{mark}"  # noqa: S108
    short.mkdir(mode=0o700, exist_ok=True)
    status = short.lstat()
    if short.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(13, "the folder for its sockets belongs to someone else", str(short))
    return short / name


async def answers(path: str) -> None:
    """Until an HTTP server on the unix socket at `path` has a page (code-server listens before it has any)."""
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_unix_connection(path)
                try:
                    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    if (await reader.readline()).partition(b" ")[2][:1] in (b"2", b"3"):
                        return
                finally:
                    writer.close()
        await asyncio.sleep(0.05)
