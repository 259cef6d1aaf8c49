"""Errors as sentences: what happened, why, and what to do next.

`Fault` is the one exception our code raises on purpose; the API turns it into RFC 9457 problem details.
`describe` does the same for exceptions that others raise: the families a user really meets (a name that does not
resolve, a refused connection, a bad certificate, a full disk, …).
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from app.redact import redact
from app.schemas import Problem


class Fault(Exception):
    """Something went wrong that the user can understand. `detail` is a whole sentence, `remedy` what to do next."""

    def __init__(
        self,
        *,
        code: str,
        status: int,
        title: str,
        detail: str,
        remedy: str | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status
        self.title = title
        self.detail = detail
        self.remedy = remedy
        self.errors = errors

    @classmethod
    def of(cls, exc: BaseException, subject: str) -> "Fault":
        """The fault that says what `describe` makes of an exception."""
        known = describe(exc, subject)
        return cls(code=known.code, status=known.status, title=known.title, detail=known.detail, remedy=known.remedy)

    def problem(self) -> Problem:
        return Problem(
            title=redact(self.title),
            status=self.status,
            detail=redact(self.detail),
            remedy=None if self.remedy is None else redact(self.remedy),
            code=self.code,
            errors=self.errors,
        )


def not_found(what: str, identifier: str) -> Fault:
    """`what` with its article, such as "a task"."""
    return Fault(
        code="not-found",
        status=404,
        title="Not found",
        detail=f"There is no {what} with the id {identifier[:80]!r}.",
        remedy="It may have been deleted; go back to the list.",
    )


def describe(exc: BaseException, subject: str = "the server", status: int = 502) -> Problem:
    """The problem behind an exception. `subject` names the other side, such as "the model at api.example.com".

    Looks through causes and contexts, so a wrapped error is named by what is at its bottom. An unknown exception is
    told by its own message, redacted, without a stack trace.
    """
    if isinstance(exc, Fault):
        return exc.problem()
    for link in _chain(exc):
        known = _known(link, subject, status)
        if known is not None:
            return known
    message = redact(str(exc)).strip() or type(exc).__name__
    return Problem(
        code="unexpected",
        status=500,
        title="Something unexpected happened",
        detail=f"{subject[:1].upper()}{subject[1:]} failed: {message[:500]}",
        remedy="Try again; if it happens again, `twinseat doctor` checks every part.",
    )


def _chain(exc: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    queue: list[BaseException] = [exc]
    while queue:
        link = queue.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        inner = (getattr(link, "os_error", None), getattr(link, "orig", None), link.__cause__, link.__context__)
        queue.extend(one for one in inner if isinstance(one, BaseException))
        if isinstance(link, BaseExceptionGroup):
            queue.extend(link.exceptions)


def _known(exc: BaseException, subject: str, status: int) -> Problem | None:
    def problem(code: str, title: str, because: str, remedy: str, status: int = status) -> Problem:
        return Problem(
            code=code, status=status, title=title, detail=f"Can't reach {subject}: {because}.", remedy=remedy
        )

    family = {cls.__name__ for cls in type(exc).__mro__}
    if "ClientProxyConnectionError" in family or "ClientHttpProxyError" in family:
        return problem(
            "proxy",
            "The proxy did not let it through",
            "the network's proxy refused the connection",
            "Check HTTPS_PROXY and NO_PROXY, or ask whoever runs the proxy.",
        )
    match exc:
        case ssl.SSLCertVerificationError():
            return problem(
                "tls",
                "The certificate is not trusted",
                f"its certificate was not accepted ({getattr(exc, 'verify_message', None) or exc})",
                "Check the address and this computer's clock; behind a company proxy, set SSL_CERT_FILE to its "
                "certificate.",
            )
        case ssl.SSLError():
            return problem(
                "tls",
                "No secure connection",
                "it did not speak TLS the way it should",
                "Check that the address begins with the right one of http:// and https://.",
            )
        case socket.gaierror():
            return problem(
                "dns",
                "The name does not resolve",
                "the name does not resolve",
                "Check the address in Settings, or your network.",
            )
        case TimeoutError() | asyncio.TimeoutError():
            return problem(
                "time-out",
                "No answer in time",
                "it did not answer in time",
                "Try again; if it stays slow, check its status page or your network.",
                504,
            )
        case ConnectionRefusedError():
            return problem(
                "refused",
                "The connection was refused",
                "nothing listens at that address",
                "Check the port, and that the server is running.",
            )
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return problem("cut-off", "The connection was cut off", "it closed the connection", "Try again.")
        case OSError() if exc.errno is not None:
            return _system(exc, subject)
        case _:
            pass
    if "ServerDisconnectedError" in family or "ClientPayloadError" in family:
        return problem("cut-off", "The connection was cut off", "it closed the connection half-way", "Try again.")
    if "OperationalError" in family and "disk is full" in str(exc):
        return _system(OSError(errno.ENOSPC, ""), subject)
    return None


def _system(exc: OSError, subject: str) -> Problem | None:
    where = f" ({exc.filename})" if exc.filename else ""
    match exc.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return Problem(
                code="disk-full",
                status=507,
                title="The disk is full",
                detail=f"Nothing more could be written{where}: the disk is full.",
                remedy="Free some space, then try again; nothing that was shown as saved is lost.",
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return Problem(
                code="not-permitted",
                status=403,
                title="Not permitted",
                detail=f"The system does not permit access{where}.",
                remedy="Check who owns the folder and its permissions, or choose another one.",
            )
        case errno.EADDRINUSE:
            return Problem(
                code="port-in-use",
                status=503,
                title="The port is in use",
                detail=f"Another program already listens where {subject} should.",
                remedy="End that program, or choose another port (APP_PORT).",
            )
        case errno.ENETUNREACH | errno.EHOSTUNREACH | errno.ENETDOWN:
            return Problem(
                code="no-network",
                status=502,
                title="No network",
                detail=f"Can't reach {subject}: there is no way to it on the network.",
                remedy="Check your network connection.",
            )
        case errno.ENOTDIR | errno.EEXIST:
            return Problem(
                code="not-a-folder",
                status=409,
                title="That is no folder",
                detail=f"A file is where a folder should be{where}.",
                remedy="Check the path, or choose another one.",
            )
        case errno.ENAMETOOLONG | errno.ELOOP:
            return Problem(
                code="bad-path",
                status=422,
                title="Not a path the system takes",
                detail="The system can't use that path: a name in it is too long, or its links lead in a circle.",
                remedy="Choose another one.",
            )
        case errno.ENOENT:
            return Problem(
                code="no-such-file",
                status=404,
                title="It is not there",
                detail=f"The file or folder does not exist{where}.",
                remedy="It may have been moved or deleted; check the path.",
            )
        case _:
            return None
