"""What goes wrong with local servers, told to the user: what happened, why, and what to do next."""

import errno

from app.problems import Fault, describe
from app.redact import redact
from app.runtimes.child import Report
from app.runtimes.keeper_client import KeeperFailed
from app.schemas import Problem

_DOCTOR = "Retry; if it happens again, `twinseat doctor` checks every part."
_SUBJECTS = {"agent": "The agent's server", "editor": "The editor (code-server)"}

# What a server that could not say why leaves in its log.
_TRACES = (
    ("No space left on device", "disk-full"),
    ("ENOSPC", "disk-full"),
    ("Address already in use", "port-in-use"),
    ("EADDRINUSE", "port-in-use"),
    ("ModuleNotFoundError", "engine-missing"),
    ("Read-only file system", "data-unwritable"),
    ("MemoryError", "out-of-memory"),
    ("Cannot allocate memory", "out-of-memory"),
)


def of_child(name: str, report: Report, tail: str) -> Problem:
    """Why the child `name` isn't there. While it is about to be started again, the remedy says so."""
    subject = _SUBJECTS[name.partition(":")[0]]
    failure = report.failure or {"code": "crashed", "detail": "it ended"}
    code, detail = failure["code"], redact(failure["detail"])
    if code in ("crashed", "agent-failed"):
        code = next((known for trace, known in _TRACES if trace in tail), code)
    title, sentence, remedy = _told(code, subject, detail)
    if report.state in ("waiting", "starting"):
        remedy = "It is being started again; there is nothing to do."
    elif code == "crashed":
        sentence += " It was started again several times and ended each time."
    return Problem(code=code, status=503, title=title, detail=sentence, remedy=remedy)


def _told(code: str, subject: str, detail: str) -> tuple[str, str, str]:
    match code:
        case "engine-missing":
            return (
                "A part of the installation is missing",
                f"{subject} can't start because a Python package it needs is not installed ({detail}).",
                "Install again (from source: `make run` does it), then retry.",
            )
        case "missing-program":
            return (
                "A program is missing",
                f"{subject} can't start because a program it needs was not found ({detail}).",
                "Install again (from source: `make run` does it), then retry.",
            )
        case "port-in-use":
            return (
                "The port is in use",
                f"{subject} can't start because another program uses the port it was to listen on.",
                "End the other program or choose another port, then retry.",
            )
        case "disk-full":
            return (
                "The disk is full",
                f"{subject} can't store anything because there is no space left on the disk ({detail}).",
                "Free some space, then retry.",
            )
        case "data-unwritable":
            return (
                "The data directory can't be written",
                f"{subject} can't start because its folder can't be written ({detail}).",
                "Give this user the right to write there, or choose another folder with TWINSEAT_DATA_DIR.",
            )
        case "out-of-memory":
            return (
                "Out of memory",
                f"{subject} ended because the memory ran out.",
                "Close something large, then retry.",
            )
        case "stalled":
            return ("It hangs", f"{subject} did not get ready: {detail}.", _DOCTOR)
        case "agent-failed":
            return ("It could not start", f"{subject} could not start: {detail}.", _DOCTOR)
        case _:
            return ("It ended by itself", f"{subject} ended unexpectedly: {detail}.", _DOCTOR)


def of_start(name: str, error: BaseException) -> Problem:
    """Why `name` could not even be asked to start."""
    subject = _SUBJECTS[name.partition(":")[0]]
    if isinstance(error, Fault):
        return error.problem()
    if isinstance(error, KeeperFailed):
        return Problem(
            code="keeper-failed", status=503, title="The local servers can't be kept", detail=str(error), remedy=_DOCTOR
        )
    if isinstance(error, OSError):
        known = {errno.ENOSPC: "disk-full", errno.EDQUOT: "disk-full", errno.ENOENT: "missing-program"}
        code = known.get(error.errno or 0, "data-unwritable")
        where = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        title, sentence, remedy = _told(code, subject, where)
        return Problem(code=code, status=503, title=title, detail=sentence, remedy=remedy)
    return describe(error, subject, 503)


UNSUPPORTED = Problem(
    code="local-unsupported",
    status=501,
    title="Not on this system",
    detail="The local runtime needs unix sockets and POSIX signals, which this system doesn't have.",
    remedy="On Windows use WSL2, Docker or a Daytona sandbox; docs/platforms.md says how.",
)
