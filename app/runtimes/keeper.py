"""`python -m app.runtimes.keeper`: holds the local children, so that they outlive a backend by a little, never by more.

A process of its own session with nothing but the standard library in it. It starts, watches and ends children, keeps
their key material in its (unreadable) memory, and answers one backend on a unix socket. When the backend is gone for
`grace` seconds, every process below the keeper ends, then the keeper. When the keeper itself is killed, its children
get SIGKILL from the kernel, and the next keeper clears away what those had started.

Who may talk to it: the same user, not a process below the keeper (the agent's tools are below it), and only with the
proof of the data directory's secret. Its configuration comes as one line of JSON on stdin: `socket`, `secret`, `tree`
(a name for this data directory's processes), `grace`, and optionally `pace` (see `child.Pace`). It says
`{"listening": true}` on stdout, or `{"failed": …}`.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import secrets
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any, TypedDict

from app.runtimes import process, wire
from app.runtimes.child import Child, Pace, Spec


class Configuration(TypedDict):
    socket: str
    secret: str
    tree: str
    grace: float
    pace: dict[str, Any]


class Keeper:
    """The children by name, and at most one backend."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._pace = Pace(**configuration["pace"])
        self._children: dict[str, Child] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._backend: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._alone: asyncio.TimerHandle | None = None
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Serve until the backend has been gone for too long, or says so, or SIGTERM."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._over.set)
        path = Path(self._configuration["socket"])
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._meet, path, limit=wire.LINE_BYTES)
        finally:
            os.umask(before)
        self._wait_for_backend()
        self._background(self._reap())
        print('{"listening": true}', flush=True)  # noqa: T201 - the protocol of the start
        await self._over.wait()
        server.close()
        path.unlink(missing_ok=True)
        await self._end_everything()
        server.close_clients()

    # ── The backend ───────────────────────────────────────────────────────────────────────────────

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._may_talk(writer) and await self._introduced(reader, writer):
                await self._serve(reader, writer)
        except (OSError, ValueError, KeyError, TypeError, asyncio.LimitOverrunError, TimeoutError):
            pass  # rubbish, or gone: the connection ends, the keeper doesn't
        finally:
            writer.close()
            if self._backend is writer:
                self._backend = None
                self._wait_for_backend()

    def _may_talk(self, writer: asyncio.StreamWriter) -> bool:
        connection: socket.socket = writer.get_extra_info("socket")
        if not process.LINUX:
            return True  # the socket's mode and the proof have to do
        size = struct.calcsize("3i")
        pid, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        return user == os.getuid() and not process.is_below(pid, os.getpid())

    async def _introduced(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        nonce = secrets.token_hex(16)
        await wire.send(writer, {"nonce": nonce})
        hello = await asyncio.wait_for(wire.receive(reader), 10)
        secret = self._configuration["secret"]
        if hello is None or not wire.same(hello.get("proof"), wire.proof(secret, "backend", nonce)):
            return False
        if self._backend is not None:
            self._backend.close()
        self._backend = writer
        if self._alone is not None:
            self._alone.cancel()
            self._alone = None
        answer = {"proof": wire.proof(secret, "keeper", str(hello["nonce"])), "pid": os.getpid()}
        await wire.send(writer, answer | {"children": [self._describe(child) for child in self._children.values()]})
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await wire.receive(reader)) is not None:
            self._background(self._answer(request, writer))

    async def _answer(self, request: wire.Message, writer: asyncio.StreamWriter) -> None:
        try:
            answer = {"id": request.get("id"), "ok": await self._do(request)}
        except Exception as error:  # a bad request must not end the one that holds the children
            answer = {"id": request.get("id"), "error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(OSError):
            await wire.send(writer, answer)

    async def _do(self, request: wire.Message) -> Any:
        match request["op"]:
            case "start":
                spec: Spec = request["spec"]
                name = spec["name"]
                async with self._lock(name):
                    known = self._children.get(name)
                    if known is None or known.report.state in ("off", "failed", "waiting"):
                        if known is not None:
                            await known.stop()
                        self._children[name] = Child(spec, self._configuration["tree"], self._pace, self._tell)
                    self._children[name].start()
                    return self._describe(self._children[name])
            case "stop":
                async with self._lock(request["name"]):
                    child = self._children.get(request["name"])
                    if child is not None:
                        await child.stop()
                        return self._describe(child)
                    return None
            case "list":
                return [self._describe(child) for child in self._children.values()]
            case "end":
                self._over.set()
                return True
            case unknown:
                raise ValueError(f"no such operation: {unknown!r}")

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())

    def _describe(self, child: Child) -> dict[str, Any]:
        return {
            "name": child.spec["name"],
            "payload": child.spec["payload"],
            "tail": child.tail(),
            **dataclasses.asdict(child.report),
        }

    def _tell(self, child: Child) -> None:
        if self._backend is not None and not self._backend.is_closing():
            self._backend.write(json.dumps({"child": self._describe(child)}).encode() + b"\n")

    def _wait_for_backend(self) -> None:
        if self._alone is None:
            loop = asyncio.get_running_loop()
            self._alone = loop.call_later(self._configuration["grace"], self._over.set)

    # ── The end, and the orphans ──────────────────────────────────────────────────────────────────

    async def _end_everything(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(child.stop() for child in self._children.values()), return_exceptions=True)
        # A fork can slip in between looking and killing; what is left then is found by the next look.
        for _ in range(200):
            left = [one.pid for one in process.below(os.getpid())]
            if not left:
                break
            process.signal_all(left, signal.SIGKILL)
            self._reap_once()
            await asyncio.sleep(0.01)

    async def _reap(self) -> None:
        """Orphans that were handed to us are ours to wait for. asyncio waits for the children it started."""
        noticed = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, noticed.set)
        while True:
            await noticed.wait()
            await asyncio.sleep(0.2)
            noticed.clear()
            self._reap_once()

    def _reap_once(self) -> None:
        own = {child.pid for child in self._children.values()}
        for one in process.table().values():
            if one.parent == os.getpid() and one.state == "Z" and one.pid not in own:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(one.pid, os.WNOHANG)

    def _background(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def clear_away(tree: str) -> int:
    """End what an earlier keeper of this data directory left, with everything below it. Returns how many there were."""
    ended = 0
    for _ in range(50):
        table = process.table()
        left = process.marked(f"{tree}:", table)
        found = {*left, *(one.pid for pid in left for one in process.below(pid, table))} - {os.getpid()}
        if not found:
            break
        ended += len(found)
        process.signal_all(found, signal.SIGKILL)
        time.sleep(0.02)
    return ended


def main() -> None:
    process.hide()
    process.adopt_orphans()
    configuration: Configuration = json.loads(sys.stdin.readline())
    try:
        clear_away(configuration["tree"])
        asyncio.run(Keeper(configuration).run())
    except OSError as error:
        print(json.dumps({"failed": f"{error.strerror or error}: {configuration['socket']}"}), flush=True)  # noqa: T201
        sys.exit(1)


if __name__ == "__main__":
    main()
