"""The window's own line to the backend: one kept connection, and the proof asked anew on every new one.

The secret travels only on a connection whose other end has just shown that it knows the secret. A program that takes
the port after the backend died (a squatter) is found out before it hears anything.
"""

import http.client
import json
import secrets
from hmac import compare_digest
from urllib.parse import urlsplit

from app.server.endpoint import Backend, proof

SECONDS = 5.0

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None


class Lost(Exception):
    """The backend does not answer, or someone else answers in its place."""


class Link:
    """Not for several threads at once."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        """Status and JSON of the answer. Raises Lost."""
        headers = {"Authorization": f"Bearer {self.backend.secret}", "Accept": "application/json"}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        if method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        # A kept connection may have been closed while it idled; the key above makes asking again safe.
        if self._connection is not None:
            try:
                return _exchange(self._connection, method, path, data, headers)
            except (OSError, http.client.HTTPException, ValueError):
                self.close()
        try:
            return _exchange(self._prove(), method, path, data, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Lost(f"The backend at {self.backend.url} stopped answering ({error}).") from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _prove(self) -> http.client.HTTPConnection:
        self.close()
        address = urlsplit(self.backend.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=SECONDS)
        nonce = secrets.token_hex(16)
        try:
            connection.request("GET", f"/api/health?nonce={nonce}")
            given = json.loads(connection.getresponse().read()).get("proof")
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            connection.close()
            raise Lost(f"The backend at {self.backend.url} does not answer ({error}).") from error
        if not isinstance(given, str) or not compare_digest(given, proof(self.backend.secret, nonce)):
            connection.close()
            raise Lost(f"Another program answers at {self.backend.url} in place of the backend.")
        connection.auto_open = 0  # http.client would reconnect by itself, without the proof
        self._connection = connection
        return connection


def _exchange(
    connection: http.client.HTTPConnection, method: str, path: str, data: bytes | None, headers: dict[str, str]
) -> tuple[int, Json]:
    connection.request(method, path, data, headers)
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, json.loads(text) if text else None
