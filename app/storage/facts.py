"""What a task's row says, computed from its events and from nothing else.

`fold` is pure: the same events give the same facts, whether they come one by one, in batches, or all at once from an
old journal. The facts are kept on the task's row, so a list of tasks needs no replay.

Upstream's states (openhands.sdk ConversationExecutionStatus, 1.58): idle, running, paused, waiting_for_confirmation,
finished, error, stuck, deleting. Its order of events, as measured: `execution_status` comes before the event that
explains it (`error` before ConversationErrorEvent, `waiting_for_confirmation` after the ActionEvents).
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import Field

from app.schemas import Event, Mode, PendingAction, PlanStep, Problem, QueuedMessage, Risk, Shape, TaskState
from app.storage import wording
from app.storage.failures import failure

MESSAGE_LINK = "twinseat_message"
"""Key in the data of upstream's echo of a user message: the id of our `UserMessage` that it stands for."""

RunStatus = Literal[
    "idle", "running", "paused", "waiting_for_confirmation", "finished", "error", "stuck", "deleting", "unknown"
]

_RESTARTED = Problem(
    code="agent-restarted",
    status=503,
    title="The agent was interrupted",
    detail="The agent's server ended while it was working on this task.",
    remedy="Press Continue to go on from where it was.",
)
_STUCK = Problem(
    code="agent-stuck",
    status=409,
    title="The agent went in circles",
    detail="The agent repeated the same step without getting any further, so it was stopped.",
    remedy="Send a message that says what to do differently.",
)
_AT_REST: frozenset[TaskState] = frozenset({"idle", "paused", "finished", "failed", "interrupted", "stopped"})


class OpenAction(Shape):
    """An action without a result yet."""

    id: str
    call: str
    tool: str
    summary: str | None
    arguments: dict[str, Any]
    risk: Risk
    position: int


class Awaited(Shape):
    """A message of ours whose echo upstream has not come yet."""

    message: QueuedMessage
    digest: str


class Alarm(Shape):
    """Something in the event log that only the backend may do, and that it did not do."""

    what: str
    position: int


class Rejected(Shape):
    """The user's no to all that waited. The agent goes on with it, unless the user stopped the task that way."""

    reason: str
    stop: bool


class Facts(Shape):
    state: TaskState = "idle"
    problem: Problem | None = None
    activity: str | None = None
    pending: list[PendingAction] = Field(default=[])
    plan: list[PlanStep] = Field(default=[])
    turn_started_at: datetime | None = None
    alarm: Alarm | None = Field(default=None, description="Not answered yet.")

    # What the above is computed from.
    conversation_id: str | None = Field(default=None, description="The conversation that the task shows now.")
    mode: Mode = "ask_risky"
    modes: list[Mode] = Field(default=[], description="In force, then those sent and not yet seen upstream.")
    analyzer: str | None = Field(default=None, description="Fingerprint of the safety check that the agent was given.")
    status: RunStatus = "idle"
    failure: Problem | None = None
    lost: bool = Field(default=False, description="The agent-server is gone or can't be reached.")
    starting: bool = False
    stopped: Problem | None = Field(default=None, description="The budget ended it.")
    awaited: list[Awaited] = Field(default=[])
    actions: dict[str, OpenAction] = Field(default={})
    approved: list[str] = Field(default=[], description="Open actions that the user approved.")
    rejected: Rejected | None = Field(default=None, description="Decided, and the agent has not gone on yet.")

    @property
    def queue(self) -> list[QueuedMessage]:
        return [one.message for one in self.awaited]


def fold(facts: Facts, events: Iterable[Event]) -> tuple[Facts, list[Event]]:
    """The facts after these events, and the events, with upstream's echoes linked to our messages."""
    after = facts.model_copy(deep=True)
    return after, [_apply(after, event) for event in events]


def digest(content: Iterable[dict[str, Any]]) -> str:
    """What a message's content is recognised by when it comes back from upstream."""
    parts = [
        ["text", part.get("text")] if part.get("type") == "text" else ["image", part.get("image_urls")]
        for part in content
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def fingerprint(value: object) -> str:
    """What tells one safety check of the agent-server from another."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def policy(mode: Mode) -> dict[str, Any]:
    """The agent-server's confirmation policy for a mode."""
    match mode:
        case "ask_all":
            return {"kind": "AlwaysConfirm"}
        case "ask_never":
            return {"kind": "NeverConfirm"}
        case "ask_risky":
            return {"kind": "ConfirmRisky", "threshold": "HIGH", "confirm_unknown": True}


def _apply(facts: Facts, event: Event) -> Event:
    if event.seq is None:
        _own(facts, event)
    elif facts.conversation_id is None or facts.conversation_id == event.conversation_id:
        facts.conversation_id = event.conversation_id
        event = _upstream(facts, event)
    _settle(facts, event)
    return event


def _own(facts: Facts, event: Event) -> None:
    data = event.data
    match event.kind:
        case "UserMessage":
            if event.conversation_id is not None:
                facts.conversation_id = event.conversation_id
            text = str(data.get("text") or "")
            message = QueuedMessage(id=event.id, text=text, position=event.position)
            facts.awaited.append(Awaited(message=message, digest=str(data.get("digest"))))
            facts.stopped = facts.failure = None
        case "Approval":
            action = str(data.get("action_id"))
            if data.get("decision") == "approved":
                facts.approved.append(action)
            else:
                facts.rejected = Rejected(reason=str(data.get("reason") or ""), stop=bool(data.get("stop")))
        case "ModeChange":
            mode = _mode(data.get("mode"))
            if mode is not None:
                facts.mode = mode
                facts.modes.append(mode)
        case "RuntimePhase":
            _runtime(facts, data)
        case "BudgetStop":
            facts.stopped = Problem.model_validate(data["problem"])
        case "Notice":
            if facts.alarm is not None and data.get("alarm") == facts.alarm.position:
                facts.alarm = None
                facts.analyzer = data.get("analyzer", facts.analyzer)
            if data.get("raise"):
                facts.alarm = Alarm(what=str(data["raise"]), position=event.position)
            if data.get("recreated"):
                # The agent-server no longer has the former conversation: what was open there can't be answered.
                facts.conversation_id = event.conversation_id
                facts.actions.clear()
                facts.approved.clear()
                facts.modes = [facts.mode]
                facts.analyzer = None
                facts.status, facts.failure = "idle", None
        case _:
            pass


def _runtime(facts: Facts, data: dict[str, Any]) -> None:
    problem = data.get("problem")
    match data.get("phase"):
        case "starting":
            facts.starting, facts.failure = True, None
        case "ready":
            facts.starting = False
            facts.analyzer = facts.analyzer or data.get("analyzer")
            if "status" in data:  # it was synchronised, too
                facts.lost = False
                facts.status = _status(data["status"])
        case "lost":
            facts.lost, facts.starting = True, False
        case "failed":
            facts.starting = False
            facts.failure = Problem.model_validate(problem) if isinstance(problem, dict) else None
        case _:
            pass


def _upstream(facts: Facts, event: Event) -> Event:
    data = event.data
    match event.kind:
        case "MessageEvent" if event.source == "user":
            event = _link(facts, event)
        case "ActionEvent" if data.get("action") is not None:
            arguments = {key: value for key, value in data["action"].items() if key != "kind"}
            facts.actions[event.id] = OpenAction(
                id=event.id,
                call=str(data.get("tool_call_id")),
                tool=str(data.get("tool_name")),
                summary=data.get("summary"),
                arguments=arguments,
                risk=_risk(data.get("security_risk")),
                position=event.position,
            )
        case "SecurityAnalysisEvent":
            for action_id, risk in data.get("risks", {}).items():
                if action_id in facts.actions:
                    facts.actions[action_id].risk = _risk(risk)
        case "ObservationEvent" | "UserRejectObservation":
            facts.actions.pop(str(data.get("action_id")), None)
            _plan(facts, data)
        case "AgentErrorEvent":
            call = data.get("tool_call_id")
            facts.actions = {key: one for key, one in facts.actions.items() if one.call != call}
        case "ConversationErrorEvent":
            facts.failure, facts.status = failure(data), "error"
        case "ConversationStateUpdateEvent":
            _state_update(facts, event, data.get("key"), data.get("value"))
        case _:
            pass
    return event


def _link(facts: Facts, event: Event) -> Event:
    """The oldest message still awaited with the same content is the one that came back."""
    content = event.data.get("llm_message", {}).get("content") or []
    found = digest(content)
    for one in facts.awaited:
        if one.digest == found:
            facts.awaited.remove(one)
            if facts.status in ("idle", "finished", "error", "stuck"):
                facts.status, facts.failure = "running", None  # it was sent with run=true: a moment later it is so
            return event.model_copy(update={"data": {**event.data, MESSAGE_LINK: one.message.id}})
    return event


def _state_update(facts: Facts, event: Event, key: object, value: object) -> None:
    if key == "execution_status":
        status = _status(value)
        if facts.status == "waiting_for_confirmation" and status == "running":
            unapproved = [action for action in facts.actions if action not in facts.approved]
            if unapproved:
                facts.alarm = Alarm(what="approval", position=event.position)
        if status == "running":
            facts.failure = facts.stopped = None
            facts.approved.clear()
        if status in ("running", "paused", "error"):
            facts.rejected = None
        # Upstream says first that it failed and then why: until it has, nothing is known to be interrupted.
        if status != "error" or facts.failure is not None or facts.lost:
            facts.status = status
        facts.starting = facts.lost = False
    elif key == "confirmation_policy" and isinstance(value, dict):
        for index, mode in enumerate(facts.modes):
            if policy(mode) == value:
                facts.modes = facts.modes[index:]
                return
        facts.alarm = Alarm(what="policy", position=event.position)
    elif key == "security_analyzer" and facts.alarm is None and fingerprint(value) != facts.analyzer:
        facts.alarm = Alarm(what="analyzer", position=event.position)


def _plan(facts: Facts, data: dict[str, Any]) -> None:
    observation = data.get("observation")
    if not isinstance(observation, dict) or observation.get("kind") != "TaskTrackerObservation":
        return
    if observation.get("is_error"):
        return
    facts.plan = [
        PlanStep(
            title=str(step.get("title")),
            notes=step.get("notes") or None,
            status=step["status"] if step.get("status") in ("todo", "in_progress", "done") else "todo",
        )
        for step in observation.get("task_list") or []
    ]


def _settle(facts: Facts, event: Event) -> None:
    """State, activity and problem from the rest."""
    facts.problem = None
    state = _state(facts)
    if state == "waiting":
        facts.pending = [
            PendingAction(
                id=one.id,
                tool=one.tool,
                summary=one.summary,
                arguments=one.arguments,
                risk=one.risk,
                reason=wording.reason(facts.mode, one.risk, one.arguments),
                position=one.position,
            )
            for one in facts.actions.values()
            if one.id not in facts.approved
        ]
    else:
        facts.pending = []
    match state:
        case "failed":
            facts.problem = facts.failure or _STUCK
        case "interrupted":
            facts.problem = _RESTARTED
        case "stopped":
            facts.problem = facts.stopped
        case _:
            pass
    facts.activity = _activity(facts, state)
    if state in _AT_REST:
        facts.turn_started_at = None
    elif facts.turn_started_at is None:
        facts.turn_started_at = event.at
    facts.state = state


def _state(facts: Facts) -> TaskState:
    if facts.stopped is not None:
        return "stopped"
    if facts.failure is not None and (facts.status != "running" or facts.lost):
        return "failed"
    if facts.starting:
        return "starting"
    if facts.lost and facts.status in ("running", "waiting_for_confirmation", "error"):
        return "interrupted"
    match facts.status:
        case "waiting_for_confirmation":
            undecided = facts.rejected is None and any(one not in facts.approved for one in facts.actions)
            return "waiting" if undecided else "running"
        case "running":
            return "running"
        case "stuck":
            settled: TaskState = "failed"
        case "error":
            settled = "interrupted"
        case "paused":
            settled = "paused"
        case "finished":
            settled = "finished"
        case _:
            settled = "running" if facts.rejected else "idle"  # the agent goes on with the rejection
    return "running" if facts.awaited else settled


def _activity(facts: Facts, state: TaskState) -> str | None:
    match state:
        case "starting":
            return "Starting the agent"
        case "waiting":
            return "Waiting for your approval"
        case "running":
            first = next(iter(facts.actions.values()), None)
            return wording.activity(first.tool, first.arguments) if first is not None else "Thinking"
        case _:
            return None


def _risk(value: object) -> Risk:
    match value:
        case "LOW":
            return "low"
        case "MEDIUM":
            return "medium"
        case "HIGH":
            return "high"
        case _:
            return "unknown"


def _mode(value: object) -> Mode | None:
    return value if value in get_args(Mode) else None  # pyright: ignore[reportReturnType]


def _status(value: object) -> RunStatus:
    return value if value in get_args(RunStatus) else "unknown"  # pyright: ignore[reportReturnType]
