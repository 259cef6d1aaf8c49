"""`twinseat run`: one task without a window. Progress goes to stderr, the result to stdout."""

import http.client
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.paths import Paths
from app.server.endpoint import Backend, NoBackend, attach, call

DONE, FAILED, COULD_NOT_START, NEEDS_APPROVAL, BUDGET, INTERRUPTED = 0, 1, 3, 4, 5, 130

type Json = dict[str, Any]


@dataclass(frozen=True)
class Errand:
    """What to do, where, and how freely."""

    text: str
    folder: Path
    model: str | None = None
    budget: float | None = None
    approve: Literal["never", "risky", "all"] = "never"


class Refused(Exception):
    """The backend refused a request; `problem` says why."""

    def __init__(self, problem: Json) -> None:
        super().__init__(problem.get("detail", "The backend refused."))
        self.problem = problem


def run(errand: Errand, paths: Paths, *, as_json: bool = False) -> int:
    """Do it and wait; the exit code."""
    try:
        backend = _backend(paths)
        task = _begin(backend, errand)
    except (NoBackend, Refused, OSError, http.client.HTTPException, ValueError) as error:
        return _could_not_start(error, as_json=as_json)
    return _follow(backend, task, errand.approve, as_json=as_json)


def run_demo(paths: Paths, *, follow: bool, as_json: bool = False) -> int:
    """Start the demo's task and, with `follow`, wait for it here."""
    try:
        backend = _backend(paths)
        demo = _ask(backend, "POST", "/api/demo")
        task = _ask(backend, "GET", f"/api/tasks/{demo['task_id']}")
    except (NoBackend, Refused, OSError, http.client.HTTPException, ValueError) as error:
        return _could_not_start(error, as_json=as_json)
    _say("A script stands in for the model here; the agent, the files and the tests are real.")
    return _follow(backend, task, "never", as_json=as_json) if follow else DONE


def _backend(paths: Paths) -> Backend:
    told = False

    def progress(seconds: float) -> None:
        nonlocal told
        if seconds > 1 and not told:
            told = True
            _say("Starting the backend …")

    return attach(paths, arguments=("--started-by-window",), progress=progress)


def _begin(backend: Backend, errand: Errand) -> Json:
    workspace = _ask(backend, "POST", "/api/workspaces", {"path": str(errand.folder)})
    if workspace["trust"] != "trusted":
        _say("This folder is not trusted yet, so its own settings, hooks and tools stay off.")
    new: Json = {
        "workspace_id": workspace["id"],
        "message": {"text": errand.text},
        "mode": "ask_never" if errand.approve == "all" else "ask_risky",
    }
    if errand.budget is not None:
        new["budget_usd"] = errand.budget
    if errand.model is not None:
        new["model_id"] = _model(backend, errand.model)
    return _ask(backend, "POST", "/api/tasks", new)


def _model(backend: Backend, wanted: str) -> str:
    if wanted == "demo":
        return wanted
    profiles = _ask(backend, "GET", "/api/models")["profiles"]
    for field in ("id", "name", "model"):
        for profile in profiles:
            if profile[field] == wanted:
                return str(profile["id"])
    known = ", ".join(profile["id"] for profile in profiles) or "none yet"
    raise Refused({"detail": f"There is no model {wanted!r}; known are: {known}.", "code": "not-found"})


def _follow(backend: Backend, task: Json, approve: str, *, as_json: bool) -> int:
    began = time.monotonic()
    task_id = task["id"]
    answer = ""
    last: Json = task
    _say(f"Task {task_id}: {task['title']}")
    try:
        for frame in _frames(backend, task_id):
            if frame["type"] == "durable":
                answer = _answer(frame["event"]) or answer
                continue
            state = frame["state"]
            if state is None:
                _say("The task was deleted.")
                return FAILED
            if state["activity"] and state["activity"] != last["activity"]:
                _say(f"  {state['activity']}")
            last = state
            code = _ended(state)
            if code == NEEDS_APPROVAL and approve != "never":
                _approve(backend, state)
            elif code is not None:
                return _report(last, answer, code, time.monotonic() - began, as_json=as_json)
    except KeyboardInterrupt:
        _say("Interrupting …")
        try:
            call(backend, "POST", f"/api/tasks/{task_id}/interrupt")
        except (OSError, http.client.HTTPException, ValueError):
            _say("The backend does not answer; the agent may still be at work.")
        return _report(last, answer, INTERRUPTED, time.monotonic() - began, as_json=as_json)
    except (OSError, http.client.HTTPException, ValueError) as error:
        _say(f"The backend stopped answering ({error}). Run `twinseat` to see how the task is.")
        return _report(last, answer, FAILED, time.monotonic() - began, as_json=as_json)
    return _report(last, answer, FAILED, time.monotonic() - began, as_json=as_json)


def _frames(backend: Backend, task_id: str) -> Iterator[Json]:
    """The task's events and states, from the beginning; comes back after a break."""
    from websockets.exceptions import ConnectionClosed, InvalidHandshake
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    position = 0
    address = backend.url.replace("http://", "ws://", 1) + "/ws/agent"
    for attempt in range(60):
        if attempt:
            time.sleep(min(0.5 * attempt, 5))
        try:
            task = _ask(backend, "GET", f"/api/tasks/{task_id}")
            protocols = [Subprotocol("twinseat.v1"), Subprotocol(f"bearer.{backend.secret}")]
            with closing(connect(address, subprotocols=protocols, proxy=None, max_size=None, compression=None)) as line:
                line.send(json.dumps({"type": "subscribe", "task": task_id, "after": position}))
                through = task["position"]
                seen = False
                for text in line:
                    frame = json.loads(text)
                    if frame.get("task") != task_id or frame["type"] not in ("durable", "status"):
                        continue
                    if frame["type"] == "durable":
                        position = frame["position"]
                    yield frame
                    if position >= through and not seen:
                        # What happened before we listened made no status frame for us.
                        seen = True
                        yield {"type": "status", "state": _ask(backend, "GET", f"/api/tasks/{task_id}")}
        except (ConnectionClosed, InvalidHandshake, ConnectionRefusedError):
            continue
    raise ConnectionRefusedError("it is gone")


def _ended(task: Json) -> int | None:
    """The exit code of a task that goes no further by itself; None while it does."""
    if task["queue"]:
        return BUDGET if task["state"] == "stopped" else FAILED if task["state"] == "failed" else None
    match task["state"]:
        case "finished" | "idle":
            return DONE
        case "failed" | "interrupted" | "paused":
            return FAILED
        case "stopped":
            return BUDGET
        case "waiting":
            return NEEDS_APPROVAL if task["pending"] else None
        case _:
            return None


def _approve(backend: Backend, task: Json) -> None:
    for action in task["pending"]:
        status, _ = call(backend, "POST", f"/api/tasks/{task['id']}/actions/{action['id']}/approve")
        if status == 200:
            _say(f"  Approved ({action['risk']} risk): {action['summary'] or action['tool']}")


def _answer(event: Json) -> str:
    """What the agent said to the user in this event, if anything."""
    data = event["data"]
    if event["kind"] == "MessageEvent" and event["source"] == "agent":
        parts = (data.get("llm_message") or {}).get("content") or []
        return "\n".join(part["text"] for part in parts if part.get("type") == "text").strip()
    if event["kind"] == "ActionEvent" and data.get("tool_name") == "finish":
        return str((data.get("action") or {}).get("message") or "").strip()
    return ""


def _report(task: Json, answer: str, code: int, seconds: float, *, as_json: bool) -> int:
    usage = task["usage"]
    problem = task["problem"]
    if code == NEEDS_APPROVAL:
        _say("It needs an approval that this command may not give; approve it in the window, or allow it (--approve).")
        for action in task["pending"]:
            _say(f"  {action['tool']}: {action['summary'] or json.dumps(action['arguments'])} - {action['reason']}")
    elif problem:
        _say(f"{problem['detail']} {problem.get('remedy') or ''}".rstrip())
    price = f"${usage['cost_usd']:.4f}" if usage["priced"] else "price unknown"
    tokens = usage["prompt_tokens"] + usage["completion_tokens"]
    _say(f"{task['state'].capitalize()} after {seconds:.1f} s; {tokens} tokens, {price}.")
    if as_json:
        _print(
            {
                "task_id": task["id"],
                "workspace_id": task["workspace_id"],
                "state": task["state"],
                "exit_code": code,
                "result": answer or None,
                "problem": problem,
                "pending": task["pending"],
                "usage": usage,
                "seconds": round(seconds, 3),
            }
        )
    elif answer:
        sys.stdout.write(f"{answer}\n")
    return code


def _could_not_start(error: Exception, *, as_json: bool) -> int:
    remedy = error.remedy if isinstance(error, NoBackend) else ""
    problem: Json = {"detail": str(error), "code": "could-not-start", "remedy": remedy}
    if isinstance(error, Refused):
        problem = error.problem
    _say(f"It could not start: {problem['detail']} {problem.get('remedy') or ''}".rstrip())
    if as_json:
        _print({"task_id": None, "state": None, "exit_code": COULD_NOT_START, "result": None, "problem": problem})
    return COULD_NOT_START


def _ask(backend: Backend, method: str, path: str, body: object = None) -> Any:
    """Raises Refused. A clone or a demo may take a while, so there is no time-out."""
    status, answer = call(backend, method, path, body, timeout=None)
    if status >= 400:
        raise Refused(answer if isinstance(answer, dict) else {"detail": f"HTTP {status}"})
    return answer


def _print(value: Json) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
