"""One window per data directory: the first holds a lock and listens, a second asks it to come to the front."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Self

RAISE, DONE = b"raise", b"done"


class AlreadyRunning(Exception):
    """Another window holds the lock."""


class Instance:
    """Held for the life of the process; the system frees the lock however it ends.

    The socket lies beside the lock, mode 0600. Messages are fixed words, read as bytes and never unpickled.
    """

    def __init__(self, lock: int, address: str) -> None:
        self._lock = lock
        self._address = address
        self._listener: Listener | None = None

    @classmethod
    def claim(cls, data: Path) -> Self:
        """Become the one window of `data`. Raises AlreadyRunning, OSError."""
        lock = os.open(data / "window.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(lock)
        except OSError:
            os.close(lock)
            raise AlreadyRunning from None
        return cls(lock, _address(data))

    def listen(self, raised: Callable[[], None]) -> None:
        """Call `raised` (in a thread of its own) whenever another launch asks for the window."""
        if sys.platform != "win32":
            Path(self._address).unlink(missing_ok=True)
        old = os.umask(0o177) if sys.platform != "win32" else 0
        try:
            self._listener = Listener(self._address)
        finally:
            if sys.platform != "win32":
                os.umask(old)
        threading.Thread(target=self._serve, args=(raised,), name="instance", daemon=True).start()

    def release(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        with contextlib.suppress(OSError):
            os.close(self._lock)

    def _serve(self, raised: Callable[[], None]) -> None:
        while (listener := self._listener) is not None:
            try:
                connection = listener.accept()
            except (OSError, EOFError):
                return
            with connection, contextlib.suppress(OSError, EOFError):
                if connection.poll(2) and connection.recv_bytes(64) == RAISE:
                    raised()
                    connection.send_bytes(DONE)


def raise_first(data: Path, patience: float = 10) -> bool:
    """Ask the window that holds the lock to come to the front. False: it did not answer within `patience` seconds.

    A first window that is just starting does not listen yet, so this asks again until then.
    """
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            connection = Client(_address(data))
        except OSError:
            time.sleep(0.1)
            continue
        with connection, contextlib.suppress(OSError, EOFError):
            connection.send_bytes(RAISE)
            return connection.poll(max(0.1, until - time.monotonic())) and connection.recv_bytes(64) == DONE
    return False


def _address(data: Path) -> str:
    """A socket path is limited to about 100 bytes: a longer one is reached through a short link to its folder."""
    if sys.platform == "win32":
        return rf"\\.\pipe\twinseat-{_fingerprint(data)}"
    plain = str(data / "window.sock")
    if len(os.fsencode(plain)) < 100:
        return plain
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) if runtime else Path(f"/tmp/twinseat-{os.getuid()}")  # noqa: S108 - checked below
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat()
    if owner.st_uid != os.getuid() or owner.st_mode & 0o077:
        raise PermissionError(f"{folder} belongs to someone else, so the window's socket can't be kept there.")
    return str(folder / f"twinseat-{_fingerprint(data)}.sock")


def _fingerprint(data: Path) -> str:
    from hashlib import sha256

    return sha256(str(data).encode()).hexdigest()[:16]


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
