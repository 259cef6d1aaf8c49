"""Finding the one backend of a data directory, or starting it. Standard library only: the window imports this.

The backend holds a lock for as long as it lives and, once it listens, writes an endpoint file that only its owner can
read. A file left over by a crash is told apart by a proof: whoever answers at that port must know the launch secret
(a squatter on the port does not, and never gets it from us).
"""

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import IO, Any
from urllib.parse import urlsplit

from app.paths import Paths, write_private

ANSWER_SECONDS = 5.0
START_PROBLEM = "start-problem.json"
"""Where a backend that could not start leaves the reason for whoever started it."""


@dataclass(frozen=True)
class Backend:
    """The content of the endpoint file. `secret` is the owner's bearer token."""

    url: str
    pid: int
    secret: str
    version: str
    started_at: str


class NoBackend(Exception):
    """There is no backend and none could be started. The message is a sentence, `remedy` what to do."""

    def __init__(self, message: str, remedy: str = "Run `twinseat doctor` to check every part.") -> None:
        super().__init__(message)
        self.remedy = remedy


class Lock:
    """Held by the backend of a data directory. The system lets go of it when the process ends, however it ends."""

    def __init__(self, paths: Paths) -> None:
        self._path = paths.lock
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """False if another backend holds it. Raises OSError."""
        file = self._path.open("a+")
        try:
            _lock(file)
        except BlockingIOError:
            file.close()
            return False
        except BaseException:
            file.close()
            raise
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from error
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def proof(secret: str, nonce: str) -> str:
    """HMAC-SHA256 of the nonce's text with the secret, hex."""
    return hmac.new(secret.encode(), nonce.encode(), hashlib.sha256).hexdigest()


def write(paths: Paths, backend: Backend) -> None:
    """Say where we listen. Raises OSError."""
    write_private(paths.endpoint, json.dumps(asdict(backend)))


def read(paths: Paths) -> Backend | None:
    """What the file says, which need not be true any more."""
    try:
        found = json.loads(paths.endpoint.read_text(encoding="utf-8"))
        backend = Backend(**{name: found[name] for name in Backend.__annotations__})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return backend if _is_loopback(backend.url) else None


def find(paths: Paths) -> Backend | None:
    """The running backend, proven to be ours."""
    backend = read(paths)
    return backend if backend is not None and is_ours(backend) else None


def is_ours(backend: Backend) -> bool:
    """Whether the process at that address knows the launch secret."""
    try:
        with contextlib.closing(_connect(backend, ANSWER_SECONDS)):
            return True
    except (OSError, http.client.HTTPException, ValueError):
        return False


def call(
    backend: Backend, method: str, path: str, body: object = None, *, timeout: float | None = ANSWER_SECONDS
) -> tuple[int, Any]:
    """One request to the backend, proven on the same connection; no proxy is ever asked.

    Raises OSError (ConnectionRefusedError for a stranger), HTTPException or ValueError.
    """
    headers = {"Accept": "application/json", "Authorization": f"Bearer {backend.secret}"}
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    if method == "POST":
        headers["Idempotency-Key"] = secrets.token_hex(16)
    with contextlib.closing(_connect(backend, timeout)) as connection:
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


def _connect(backend: Backend, timeout: float | None) -> http.client.HTTPConnection:
    """A connection whose other end has just shown that it knows the secret, and that never reconnects by itself."""
    address = urlsplit(backend.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=ANSWER_SECONDS)
    try:
        nonce = secrets.token_hex(16)
        connection.request("GET", f"/api/health?nonce={nonce}")
        _check(json.loads(connection.getresponse().read()), proof(backend.secret, nonce))
        connection.auto_open = 0
        connection.sock.settimeout(timeout)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(answer: object, expected: str) -> None:
    given = answer.get("proof") if isinstance(answer, dict) else None
    if not isinstance(given, str) or not hmac.compare_digest(given, expected):
        raise ConnectionRefusedError("another program answers there")


def sign_in_url(backend: Backend) -> str:
    """The page's address with a single-use code in its fragment. Only ask after `find` proved the backend."""
    try:
        status, answer = call(backend, "POST", "/api/session/codes")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoBackend(f"The backend at {backend.url} stopped answering ({error}).") from error
    if status != 200:
        raise NoBackend(f"The backend at {backend.url} refused to sign this window in (HTTP {status}).")
    return str(answer["url"])


def attach(
    paths: Paths, *, arguments: tuple[str, ...] = (), progress: Callable[[float], None] = lambda seconds: None
) -> Backend:
    """The running backend, or a new one, once it listens.

    A slow start is waited for as long as the process lives; `progress` is told the seconds so far, about five times
    a second, and may raise to give up. Raises NoBackend.
    """
    backend = find(paths)
    if backend is not None:
        return backend
    process = start(paths, arguments)
    began = time.monotonic()
    while True:
        backend = find(paths)
        if backend is not None:
            return backend
        ended = process.poll()
        if ended is not None and not _somebody_starts(paths):
            raise _reason(paths, ended)
        progress(time.monotonic() - began)
        time.sleep(0.05 if time.monotonic() - began < 2 else 0.2)


def start(paths: Paths, arguments: tuple[str, ...] = ()) -> "subprocess.Popen[bytes]":
    """Start `twinseat serve` in a session of its own, so that it outlives us. Raises NoBackend."""
    try:
        paths.create()
        (paths.data / START_PROBLEM).unlink(missing_ok=True)
        output = (paths.logs / "backend.out").open("ab")
    except OSError as error:
        raise NoBackend(
            f"The data folder {paths.data} can't be written: {error.strerror or error}.",
            "Free some space or correct its permissions, or name another folder in TWINSEAT_DATA_DIR.",
        ) from error
    environment = {**os.environ, "TWINSEAT_DATA_DIR": str(paths.data), "TWINSEAT_CACHE_DIR": str(paths.cache)}
    detached = 0
    if sys.platform == "win32":
        detached = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    with output:
        return subprocess.Popen(
            [*_command(), "serve", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
            creationflags=detached,
        )


def _command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable]
    # -P: the working directory may be a stranger's project, and its modules must not be taken for ours.
    return [sys.executable, "-P", "-m", "app.cli"]


def _somebody_starts(paths: Paths) -> bool:
    """Whether the lock is held: another command was quicker, and its backend will listen soon."""
    lock = Lock(paths)
    try:
        free = lock.acquire()
    except OSError:
        return False
    lock.release()
    return not free


def _reason(paths: Paths, code: int) -> NoBackend:
    try:
        problem = json.loads((paths.data / START_PROBLEM).read_text(encoding="utf-8"))
        return NoBackend(str(problem["detail"]), str(problem.get("remedy") or ""))
    except (OSError, ValueError, KeyError, TypeError):
        return NoBackend(f"The backend ended while it started (code {code}); its last words are in {paths.logs}.")


def _is_loopback(url: str) -> bool:
    return urlsplit(url).scheme == "http" and urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
