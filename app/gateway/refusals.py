"""What the gateway itself has to say no to, as sentences."""

from app.gateway import failures, usage
from app.problems import Fault
from app.schemas import ModelProfile, Problem


def unsound(body: bytes, profile: ModelProfile) -> Problem | None:
    """What is wrong with a whole answer of status 200, if anything: no JSON, or an error in disguise."""
    documents = usage.document(body)
    if not documents:
        return failures.garbage(profile, body[:80].decode("utf-8", "replace"))
    error = documents[0].get("error")
    if error and "choices" not in documents[0]:
        status = error.get("code") if isinstance(error, dict) else None
        status = status if isinstance(status, int) and 400 <= status < 600 else 502
        return failures.refused(status, "application/json", body, profile)
    return None


def as_fault(problem: Problem) -> Fault:
    """The problem as an exception."""
    return Fault(
        code=problem.code, status=problem.status, title=problem.title, detail=problem.detail, remedy=problem.remedy
    )


def no_key(profile: ModelProfile) -> Fault:
    """A key is needed and none is stored."""
    return Fault(
        code="model-no-key",
        status=401,
        title="The key is missing",
        detail=f"{profile.name} wants a key, and none is stored.",
        remedy="Add it in Settings → Models. Without a keyring, keys are kept until Twinseat ends.",
    )


def other_protocol(profile: ModelProfile) -> Fault:
    """The agent was not told of its new model yet."""
    return Fault(
        code="model-other-protocol",
        status=400,
        title="The model speaks another protocol",
        detail=f"The task was moved to {profile.name}, which speaks another protocol than the agent does so far.",
        remedy="Send a message, or press Continue: the agent is then told about its new model.",
    )


def no_such_path(path: str) -> Problem:
    """Nothing is served there."""
    return Problem(
        code="not-found", status=404, title="No such path", detail=f"The model gateway has no {path[:120]!r} to offer."
    )


BAD_TOKEN = Problem(
    code="bad-task-token",
    status=401,
    title="Not a task's token",
    detail="The token is not, or no longer, that of a task.",
    remedy="Press Continue in the task: the agent then gets a new one.",
)


def no_demo() -> Fault:
    """Nobody told the gateway where the script runs."""
    return Fault(
        code="no-demo",
        status=503,
        title="The demo is not running",
        detail="The scripted demo model is not available here.",
        remedy="Start it with `twinseat demo`.",
    )


def no_json() -> Fault:
    """The body is not what a model is asked with."""
    return Fault(
        code="bad-request",
        status=400,
        title="Not a request for a model",
        detail="The agent's request is no JSON object.",
    )
