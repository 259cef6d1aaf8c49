"""The backend's side of the keeper: find it or start it, ask it, hear of its children."""

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from app.paths import write_private
from app.runtimes import wire
from app.runtimes.child import Phase, Report, Spec


class KeeperFailed(Exception):
    """The keeper could not be started, or is gone. The message is a sentence."""


@dataclass(frozen=True)
class Known:
    """What the keeper last said of a child. `payload` holds its key material: never log it."""

    name: str
    report: Report
    payload: dict[str, Any] | None = field(repr=False)
    tail: str = ""

    @classmethod
    def of(cls, said: dict[str, Any]) -> Self:
        said = dict(said)
        name, payload, tail = said.pop("name"), said.pop("payload"), said.pop("tail")
        said["phases"] = [Phase(**phase) for phase in said["phases"]]
        return cls(name, Report(**said), payload, tail)


@dataclass(frozen=True)
class KeeperPlace:
    """Where a data directory's keeper is, and how it behaves. `grace`: seconds it waits for a backend to return."""

    folder: Path
    grace: float = 30.0
    pace: dict[str, float] = field(default_factory=dict)

    @property
    def socket(self) -> Path:
        return wire.socket_path(self.folder, "socket")

    def secret(self, name: str) -> str:
        """A secret that stays: made at first use, in a file of mode 0600 that the shield hides."""
        path = self.folder / name
        with contextlib.suppress(FileNotFoundError):
            if kept := path.read_text(encoding="utf-8").strip():
                return kept
        made = secrets.token_hex(32)
        write_private(path, made)
        return made


class KeeperClient:
    """A connection to the keeper. `changed` hears every child's news; `lost` when the connection is gone unasked."""

    def __init__(self, changed: Callable[[Known], None], lost: Callable[[], None]) -> None:
        self.pid = 0
        self.children: dict[str, Known] = {}
        self._changed = changed
        self._lost = lost
        self._writer: asyncio.StreamWriter | None = None
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._reading: asyncio.Task[None] | None = None

    async def open(self, place: KeeperPlace) -> bool:
        """Connect to the keeper of `place`, starting one when there is none. Returns whether it was there before.

        Raises KeeperFailed, or OSError when the data directory can't be used.
        """
        place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        secret = place.secret("secret")
        if await self._connect(place.socket, secret):
            return True
        await _launch(place, secret)
        if not await self._connect(place.socket, secret):
            raise KeeperFailed("The process that keeps the local servers started, but does not answer.")
        return False

    async def start(self, spec: Spec) -> Known:
        return self._learn(await self._ask(op="start", spec=spec))

    async def stop(self, name: str) -> None:
        said = await self._ask(op="stop", name=name)
        if said is not None:
            self._learn(said)

    async def end(self) -> None:
        """End every child and the keeper; returns when its end of the connection is closed."""
        reading = self._reading
        with contextlib.suppress(KeeperFailed):
            await self._ask(op="end")
        if reading is not None:
            await asyncio.wait((reading,))

    async def close(self) -> None:
        """Leave; the children live on for the keeper's grace."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        if self._writer is not None:
            self._writer.close()

    async def _connect(self, path: Path, secret: str) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=wire.LINE_BYTES)
        except OSError:
            return False
        try:
            welcome = await _introduce(reader, writer, secret)
        except (OSError, ValueError, KeyError, TimeoutError):
            writer.close()
            return False
        except BaseException:
            writer.close()
            raise
        self.pid = welcome["pid"]
        self._writer = writer
        self.children = {said["name"]: Known.of(said) for said in welcome["children"]}
        self._reading = asyncio.create_task(self._read(reader))
        return True

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while (message := await wire.receive(reader)) is not None:
                if "child" in message:
                    self._learn(message["child"])
                elif (answer := self._pending.pop(message["id"], None)) is not None and not answer.done():
                    if "error" in message:
                        answer.set_exception(KeeperFailed(f"The keeper can't do that: {message['error']}."))
                    else:
                        answer.set_result(message["ok"])
        except (OSError, ValueError):
            pass
        finally:
            for answer in self._pending.values():
                if not answer.done():
                    answer.set_exception(KeeperFailed("The process that keeps the local servers is gone."))
            self._pending.clear()
        self._lost()

    def _learn(self, said: dict[str, Any]) -> Known:
        known = Known.of(said)
        self.children[known.name] = known
        self._changed(known)
        return known

    async def _ask(self, **request: Any) -> Any:
        if self._writer is None or self._reading is None or self._reading.done():
            raise KeeperFailed("The process that keeps the local servers is gone.")
        self._number += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[self._number] = answer
        try:
            await wire.send(self._writer, {"id": self._number, **request})
        except OSError as error:
            raise KeeperFailed("The process that keeps the local servers is gone.") from error
        return await answer


def module_command(module: str) -> list[str]:
    """How to run a module of ours with this Python: isolated, so that nothing in the current folder is imported."""
    return [sys.executable, "-I", "-m", module]


def tree_name(folder: Path) -> str:
    """The mark of a data directory's processes."""
    status = folder.stat()
    return f"twinseat-{status.st_dev:x}-{status.st_ino:x}"


async def _introduce(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: str) -> wire.Message:
    """Each side proves that it knows the secret; returns what the keeper welcomes us with."""
    greeting = await asyncio.wait_for(wire.receive(reader), 5)
    if greeting is None:
        raise KeeperFailed("The process that keeps the local servers refused this one.")
    nonce = secrets.token_hex(16)
    answer = wire.proof(secret, "backend", str(greeting["nonce"]))
    await wire.send(writer, {"op": "hello", "proof": answer, "nonce": nonce})
    welcome = await asyncio.wait_for(wire.receive(reader), 5)
    if welcome is None or not wire.same(welcome.get("proof"), wire.proof(secret, "keeper", nonce)):
        raise KeeperFailed("Something that is not our keeper listens on the keeper's socket.")
    return welcome


_started: list[subprocess.Popen[bytes]] = []
"""Keepers that this backend started: kept, because a `Popen` that is thrown away is waited for by nobody."""


async def _launch(place: KeeperPlace, secret: str) -> None:
    configuration = {
        "socket": str(place.socket),
        "secret": secret,
        "tree": tree_name(place.folder),
        "grace": place.grace,
        "pace": place.pace,
    }
    _started[:] = [one for one in _started if one.poll() is None]
    # Not asyncio's: its transport kills the process when the loop of the backend is closed.
    started = await asyncio.to_thread(_spawn, json.dumps(configuration).encode() + b"\n")
    _started.append(started)
    assert started.stdout is not None  # noqa: S101 - it was asked for
    try:
        said = json.loads(await asyncio.wait_for(asyncio.to_thread(started.stdout.readline), 60) or b"{}")
    except (TimeoutError, ValueError) as error:
        started.kill()
        raise KeeperFailed("The process that keeps the local servers did not start in time.") from error
    finally:
        started.stdout.close()
    if "listening" not in said:
        reason = said.get("failed", "it ended without a word")
        raise KeeperFailed(f"The process that keeps the local servers could not start: {reason}.")


def _spawn(configuration: bytes) -> subprocess.Popen[bytes]:
    started = subprocess.Popen(
        module_command("app.runtimes.keeper"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/" if os.name == "posix" else None,
        env={name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
        start_new_session=True,
    )
    assert started.stdin is not None  # noqa: S101 - it was asked for
    with started.stdin as channel:
        channel.write(configuration)
    return started
