"""`Idempotency-Key` on every POST: the same request twice is done once and answered twice.

After the IETF draft draft-ietf-httpapi-idempotency-key-header: the same key with another body is a 409. A second
request that arrives while the first is under way waits for its answer. Sign-in is left out, since its answer is a
credential that must not be stored.
"""

import asyncio
import hashlib
import json

from app.problems import Fault
from app.schemas import Problem
from app.server.guard import App, Message, Receive, Scope, Send, refuse
from app.server.sessions import Identity
from app.storage.idempotency import Idempotency as Store
from app.storage.idempotency import StoredAnswer

LONGEST_KEY = 200


class Idempotency:
    """Stands between the guard, which read the body, and the routes."""

    def __init__(self, app: App, store: Store) -> None:
        self._app = app
        self._store = store
        self._running: dict[str, asyncio.Future[None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = _key(scope)
        if given is None:
            await self._app(scope, receive, send)
            return
        if not 0 < len(given) <= LONGEST_KEY:
            await refuse(scope, receive, send, _bad_key())
            return
        identity: Identity = scope["state"]["identity"]
        # One signed-in page must not be given what another one asked for.
        key = hashlib.sha256(f"{identity.session or 'owner'}\n{given}".encode()).hexdigest()
        request = _digest(scope)
        while (running := self._running.get(key)) is not None:
            await asyncio.wait([running])
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running[key] = done
        try:
            before = await self._store.get(key)
            if before is None:
                await self._run(key, request, scope, receive, send)
            elif before.request != request:
                await refuse(scope, receive, send, _mismatch().problem())
            else:
                await _replay(before, send)
        finally:
            del self._running[key]
            done.set_result(None)

    async def _run(self, key: str, request: str, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0
        body = bytearray()

        async def kept(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body") and status < 500:
                    await self._store.put(key, StoredAnswer(request, status, body.decode()))
            await send(message)

        await self._app(scope, receive, kept)


async def _replay(before: StoredAnswer, send: Send) -> None:
    kind = b"application/json" if before.status < 400 else b"application/problem+json"
    body = before.body.encode()
    headers = [(b"idempotency-replayed", b"true"), (b"content-length", str(len(body)).encode())]
    if body:
        headers.append((b"content-type", kind))
    await send({"type": "http.response.start", "status": before.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _key(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "POST" or str(scope["path"]).startswith("/api/session"):
        return None
    for name, value in scope["headers"]:
        if name.lower() == b"idempotency-key":
            return value.decode("latin-1")
    return None


def _digest(scope: Scope) -> str:
    body: bytes = scope["state"].get("body", b"")
    address = json.dumps([scope["method"], scope["path"], scope["query_string"].decode("latin-1")])
    return hashlib.sha256(address.encode() + b"\n" + body).hexdigest()


def _mismatch() -> Fault:
    return Fault(
        code="idempotency-mismatch",
        status=409,
        title="This key was used for something else",
        detail="The Idempotency-Key was used before with another request.",
        remedy="Use a fresh key for each new request.",
    )


def _bad_key() -> Problem:
    return Problem(
        code="idempotency-key",
        status=400,
        title="Not a key",
        detail=f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.",
        remedy="A UUID is a good one.",
    )
