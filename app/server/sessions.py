"""Who is signed in. The owner's secret is the launch secret; browsers get sessions through single-use codes.

Only a keyed hash of a session's token is kept, so the file is of no use to a reader. Sessions outlive a restart of
the backend (a page reconnects by itself) and end after SESSION_TIMEOUT seconds without use, or by signing out.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.config import Config
from app.paths import Paths, write_private
from app.problems import Fault
from app.redact import register
from app.schemas import Session

CODE_SECONDS = 60.0
WRONG_CODES_A_MINUTE = 10
SAVE_SECONDS = 60.0
"""How often the file is brought up to date with the time of last use."""


@dataclass(frozen=True)
class Identity:
    """Who a request comes from: the owner of the machine's account, or a session (by its token's hash)."""

    session: str | None = None

    @property
    def is_owner(self) -> bool:
        return self.session is None


class Sessions:
    """`clock` gives seconds since the epoch."""

    def __init__(self, config: Config, paths: Paths, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret.encode()
        self._clock = clock
        self._path = paths.sessions
        self._timeout = float(config.session_timeout)
        self._codes: dict[str, float] = {}
        self._wrong: list[float] = []
        self._live: dict[str, float] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._salt = secrets.token_hex(32)
        self._saved = 0.0
        register(secret)
        self._load()
        seed = config.jwt_secret.get_secret_value() if config.jwt_secret is not None else ""
        self._key = hashlib.sha256(f"{self._salt}\n{seed}".encode()).digest()

    def new_code(self) -> str:
        """A code that signs one browser in within the next minute."""
        now = self._clock()
        self._codes = {code: until for code, until in self._codes.items() if until > now}
        code = secrets.token_urlsafe(24)
        self._codes[self._hash(code)] = now + CODE_SECONDS
        return code

    def sign_in(self, code: str) -> Session:
        """Trade a code for a session. Raises Fault: `sign-in-code` (wrong, used, too old), `too-many` (tried often)."""
        now = self._clock()
        until = self._codes.pop(self._hash(code), 0.0)
        self._wrong = [at for at in self._wrong if at > now - 60]
        # A good code always works: whoever can reach the port could otherwise lock the owner out with wrong ones.
        if until <= now and len(self._wrong) >= WRONG_CODES_A_MINUTE:
            raise Fault(
                code="too-many",
                status=429,
                title="Too many attempts",
                detail="Too many wrong sign-in codes were tried in the last minute.",
                remedy="Wait a minute, then open a fresh link with `twinseat`.",
            )
        if until <= now:
            self._wrong.append(now)
            raise Fault(
                code="sign-in-code",
                status=401,
                title="This link was used or is too old",
                detail="A sign-in link works once and for a minute.",
                remedy="Run `twinseat` on that machine to get a fresh one.",
            )
        token = secrets.token_urlsafe(32)
        key = self._hash(token)
        self._live[key] = now + self._timeout
        self._save()
        return Session(token=token, expires_at=datetime.fromtimestamp(now + self._timeout, UTC))

    def identify(self, token: str) -> Identity | None:
        """Who holds this token; None for nobody. A session that is used stays alive."""
        if hmac.compare_digest(token.encode(), self._secret):
            return Identity()
        key = self._hash(token)
        return Identity(key) if self._touch(key) else None

    def still(self, identity: Identity) -> bool:
        """Whether a socket that was let in may stay; keeps its session alive."""
        return identity.session is None or self._touch(identity.session)

    def sign_out(self, identity: Identity) -> None:
        """End the session and its sockets. The owner's secret ends with the backend only."""
        if identity.session is not None and self._live.pop(identity.session, None) is not None:
            self._save()
            self._end(identity.session)

    def end_all(self) -> None:
        """Sign everybody out but the owner."""
        for key in list(self._live):
            del self._live[key]
            self._end(key)
        self._save()

    def ended(self, identity: Identity) -> asyncio.Event:
        """Set when the session is signed out."""
        return self._ended.setdefault(identity.session or "", asyncio.Event())

    def _touch(self, key: str) -> bool:
        until = self._live.get(key)
        now = self._clock()
        if until is None:
            return False
        if until <= now:
            del self._live[key]
            self._end(key)
            return False
        self._live[key] = now + self._timeout
        if now - self._saved > SAVE_SECONDS:
            self._save()
        return True

    def _end(self, key: str) -> None:
        event = self._ended.pop(key, None)
        if event is not None:
            event.set()

    def _hash(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def _load(self) -> None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            live = {str(key): float(until) for key, until in found["sessions"].items()}
            self._salt, self._live = str(found["salt"]), live

    def _save(self) -> None:
        now = self._saved = self._clock()
        self._live = {key: until for key, until in self._live.items() if until > now}
        with contextlib.suppress(OSError):  # a full disk must not sign anybody out
            write_private(self._path, json.dumps({"salt": self._salt, "sessions": self._live}))
