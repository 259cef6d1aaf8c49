"""Where keys live: the environment, else the system's keyring, else a file behind a passphrase, else memory.

A keyring counts only if it gives back what was put in: `keyring`'s null backend accepts and forgets in silence, and
plain-text backends (keyrings.alt) are no keyring at all. Every call runs in a thread of its own with a time-out,
since a Secret Service may hang on a prompt nobody sees.
"""

import asyncio
import base64
import contextlib
import json
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from app.config import Config
from app.paths import Paths, write_private
from app.problems import Fault
from app.redact import register
from app.schemas import SecretName

SERVICE = "twinseat"
"""The keyring's service; the user name is ours: `secret-tool lookup service twinseat username model:<id>`."""

KEYRING_SECONDS = 15.0
SCRYPT_COST = 2**15

_WORDS = {
    "environment": "the environment",
    "keyring": "the system keyring",
    "file": "an encrypted file, opened by your passphrase",
    "memory": "memory only, until Twinseat ends",
}


class SecretStore:
    """Names are `model:<profile id>` and `daytona`. Values are registered for redaction whenever they pass through."""

    def __init__(self, config: Config, paths: Paths | None = None) -> None:
        self._paths = paths or config.paths
        self._environment = {
            name: value.get_secret_value()
            for name, value in (("model:env", config.llm_api_key), ("daytona", config.daytona_api_key))
            if value is not None
        }
        self._memory: dict[str, str] = {}
        self._file: _PassphraseFile | None = None
        if config.twinseat_passphrase is not None:
            self._file = _PassphraseFile(self._paths, config.twinseat_passphrase.get_secret_value())
        self._keyring: str | None = None
        self._keyring_trouble = ""
        self._checked = asyncio.Lock()
        self._index = self._read_index()

    async def get(self, name: str) -> str | None:
        """The value, or None if there is none. Raises Fault if there is one that can't be had now."""
        value = self._environment.get(name)
        if value is None:
            match self._index.get(name):
                case "keyring":
                    value = await self._from_keyring(name)
                case "file":
                    value = (await self._passphrase_file().read()).get(name)
                case _:
                    value = self._memory.get(name)
        if value:
            register(value)
        return value or None

    async def set(self, name: str, value: str) -> None:
        """Store it in the best place there is. Raises Fault."""
        if name in self._environment:
            raise Fault(
                code="secret-from-environment",
                status=409,
                title="This key comes from the environment",
                detail=f"The key {name!r} is set in the environment, which comes before anything stored here.",
                remedy="Change it there, or remove it there and store it here.",
            )
        register(value)
        place = await self._place()
        if place == "keyring":
            await _in_thread(lambda: _keyring_set(name, value))
        elif place == "file":
            await self._passphrase_file().change(lambda values: values.__setitem__(name, value))
        else:
            self._memory[name] = value
        before = self._index.get(name)
        self._remember(name, place)
        if before not in (None, place):
            with contextlib.suppress(Fault):
                await self._remove(name, before)

    async def delete(self, name: str) -> None:
        """Forget it everywhere we put it. One from the environment stays, since it is not ours."""
        place = self._index.get(name)
        if place is not None:
            await self._remove(name, place)
            self._remember(name, None)

    def names(self) -> list[SecretName]:
        """What is stored, by name; the environment's first."""
        places = {**self._index, **dict.fromkeys(self._environment, "environment")}
        return [SecretName(name=name, stored=True, where=_WORDS[place]) for name, place in sorted(places.items())]

    async def where(self) -> str:
        """In words, where a key stored now would go."""
        return _WORDS[await self._place()]

    async def warning(self) -> str | None:
        """What the user should know about that place, if anything."""
        place = await self._place()
        if place == "keyring":
            return None
        reason = self._keyring_trouble or "it has no keyring"
        if place == "file":
            return f"This system's keyring can't be used ({reason}); keys are in a file that your passphrase encrypts."
        return (
            f"This system's keyring can't be used ({reason}). To keep keys, unlock or install one, or set "
            "TWINSEAT_PASSPHRASE for an encrypted file."
        )

    async def _place(self) -> str:
        async with self._checked:
            if self._keyring is None:
                try:
                    await _in_thread(_probe)
                    self._keyring = "keyring"
                except Fault as fault:
                    self._keyring_trouble = fault.title
                    self._keyring = "file" if self._file is not None else "memory"
            return self._keyring

    async def _from_keyring(self, name: str) -> str | None:
        return await _in_thread(lambda: _keyring_get(name))

    async def _remove(self, name: str, place: str) -> None:
        if place == "keyring":
            await _in_thread(lambda: _keyring_delete(name))
        elif place == "file":
            await self._passphrase_file().change(lambda values: values.pop(name, None))
        else:
            self._memory.pop(name, None)

    def _passphrase_file(self) -> "_PassphraseFile":
        if self._file is None:
            raise Fault(
                code="passphrase-missing",
                status=409,
                title="The key file is locked",
                detail="The key is in a file encrypted with your passphrase, and no passphrase was given.",
                remedy="Start Twinseat with TWINSEAT_PASSPHRASE or TWINSEAT_PASSPHRASE_FILE.",
            )
        return self._file

    def _read_index(self) -> dict[str, str]:
        try:
            found = json.loads(self._paths.secret_names.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {str(name): place for name, place in found.items() if place in ("keyring", "file")}

    def _remember(self, name: str, place: str | None) -> None:
        if place is None:
            self._index.pop(name, None)
        else:
            self._index[name] = place
        kept = {name: place for name, place in self._index.items() if place != "memory"}
        try:
            write_private(self._paths.secret_names, json.dumps(kept, indent=1))
        except OSError as error:
            raise Fault.of(error, "the list of stored keys") from error


class _PassphraseFile:
    """`keys.enc`: scrypt makes a key from the passphrase, AES-256-GCM seals the JSON of names and values."""

    def __init__(self, paths: Paths, passphrase: str) -> None:
        self._path = paths.encrypted_keys
        self._passphrase = passphrase.encode()
        self._lock = threading.Lock()

    async def read(self) -> dict[str, str]:
        return await _in_thread(self._read)

    async def change(self, change: Callable[[dict[str, str]], object]) -> None:
        def work() -> None:
            with self._lock:
                values = self._read()
                change(values)
                self._write(values)

        await _in_thread(work)

    def _read(self) -> dict[str, str]:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            sealed = json.loads(self._path.read_text(encoding="utf-8"))
            salt, nonce, data = (base64.b64decode(sealed[part]) for part in ("salt", "nonce", "data"))
            opened = AESGCM(self._key(salt, int(sealed["n"]))).decrypt(nonce, data, b"twinseat keys 1")
            return dict(json.loads(opened))
        except FileNotFoundError:
            return {}
        except InvalidTag:
            raise Fault(
                code="passphrase-wrong",
                status=409,
                title="The passphrase does not fit",
                detail=f"The key file {self._path.name} does not open with the passphrase that was given.",
                remedy="Set TWINSEAT_PASSPHRASE to the one used before, or move the file away to begin anew.",
            ) from None
        except (ValueError, KeyError, TypeError):
            raise Fault(
                code="key-file-broken",
                status=500,
                title="The key file is broken",
                detail=f"The key file {self._path.name} can't be read: it is not in the form Twinseat writes.",
                remedy="Move the file away, then store the keys again in Settings.",
            ) from None

    def _write(self, values: dict[str, str]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        salt, nonce = os.urandom(16), os.urandom(12)
        data = AESGCM(self._key(salt, SCRYPT_COST)).encrypt(nonce, json.dumps(values).encode(), b"twinseat keys 1")
        parts = {"salt": salt, "nonce": nonce, "data": data}
        encoded = {part: base64.b64encode(value).decode() for part, value in parts.items()}
        write_private(self._path, json.dumps({"v": 1, "kdf": "scrypt", "n": SCRYPT_COST, **encoded}))

    def _key(self, salt: bytes, cost: int) -> bytes:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        return Scrypt(salt=salt, length=32, n=min(cost, 2**18), r=8, p=1).derive(self._passphrase)


def _probe() -> None:
    """Raise Fault unless the keyring keeps what it is given."""
    backend = _backend()
    name, value = "twinseat:probe", base64.b64encode(os.urandom(12)).decode()
    backend.set_password(SERVICE, name, value)
    try:
        kept = backend.get_password(SERVICE, name)
    finally:
        with contextlib.suppress(Exception):
            backend.delete_password(SERVICE, name)
    if kept != value:
        raise _no_keyring("it does not keep what it is given")


def _backend() -> Any:
    import keyring
    from keyring.backends import chainer

    backend = keyring.get_keyring()
    choices = backend.backends if isinstance(backend, chainer.ChainerBackend) else [backend]
    for choice in choices:
        module = type(choice).__module__
        if not module.startswith(("keyring.backends.null", "keyring.backends.fail", "keyrings.alt")):
            return choice
    raise _no_keyring("there is none")


def _keyring_get(name: str) -> str | None:
    return _backend().get_password(SERVICE, name)


def _keyring_set(name: str, value: str) -> None:
    backend = _backend()
    backend.set_password(SERVICE, name, value)
    if backend.get_password(SERVICE, name) != value:
        raise _no_keyring("it does not keep what it is given")


def _keyring_delete(name: str) -> None:
    from keyring.errors import PasswordDeleteError

    with contextlib.suppress(PasswordDeleteError):
        _backend().delete_password(SERVICE, name)


def _no_keyring(reason: str) -> Fault:
    return Fault(
        code="keyring-unavailable",
        status=503,
        title=reason,
        detail=f"The system's keyring can't be used: {reason}.",
        remedy="Unlock or install a keyring, or set TWINSEAT_PASSPHRASE to keep keys in an encrypted file.",
    )


def _guarded[T](work: Callable[[], T]) -> T:
    try:
        return work()
    except Fault:
        raise
    except Exception as error:
        from keyring.errors import InitError, KeyringLocked, NoKeyringError

        match error:
            case KeyringLocked():
                raise _no_keyring("it is locked") from None
            case NoKeyringError():
                raise _no_keyring("there is none") from None
            case InitError():
                raise _no_keyring("it can't be opened") from None
            case OSError():
                raise Fault.of(error, "the key store") from None
            case _:
                raise _no_keyring(f"it answered with {type(error).__name__}") from None


def _in_thread[T](work: Callable[[], T]) -> Coroutine[Any, Any, T]:
    """Run it in a daemon thread: one that hangs on a prompt must neither block the loop nor keep us from ending."""

    async def call() -> T:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def finish(set_it: Callable[[], None]) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: None if answer.done() else set_it())

        def run() -> None:
            try:
                value = _guarded(work)
            except Exception as error:
                finish(lambda error=error: answer.set_exception(error))
            else:
                finish(lambda: answer.set_result(value))

        threading.Thread(target=run, name="keyring", daemon=True).start()
        try:
            return await asyncio.wait_for(answer, KEYRING_SECONDS)
        except TimeoutError:
            raise _no_keyring(f"it did not answer within {KEYRING_SECONDS:.0f} seconds") from None

    return call()
