"""Every shape that crosses the API: the one place where names and units are decided.

Times are ISO 8601 in UTC, durations seconds, money US dollars, sizes bytes.
Positions are the journal's: integers from 1, increasing per task, the only cursor a client sees.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """Base of every shape: unknown fields in a request are an error, not silence."""

    model_config = ConfigDict(extra="forbid")


# ── Errors ────────────────────────────────────────────────────────────────────────────────────────


class Problem(BaseModel):
    """RFC 9457 problem details, the API's only error form; also embedded wherever a state has failed.

    `detail` is a whole sentence: what happened and why. `remedy` says what to do next.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    remedy: str | None = None
    code: str = Field(description="Stable machine name, such as `model-unreachable`.")
    errors: list[dict[str, Any]] | None = None


# ── Session ───────────────────────────────────────────────────────────────────────────────────────


class SignIn(Shape):
    code: str = Field(description="Single-use code from the URL's fragment.")


class Session(Shape):
    token: str = Field(description="Bearer token for the Authorization header and the socket's subprotocol.")
    expires_at: datetime


class Health(BaseModel):
    ok: bool
    version: str
    proof: str | None = Field(
        default=None, description="HMAC-SHA256 of the caller's nonce with the launch secret, hex."
    )


# ── Workspaces and runtimes ───────────────────────────────────────────────────────────────────────

Trust = Literal["undecided", "trusted", "restricted"]
RuntimeKind = Literal["local", "docker", "daytona", "remote"]
PartState = Literal["off", "starting", "ready", "failed"]


class Phase(Shape):
    """A step of a start. `took` is null while it runs."""

    name: str = Field(examples=["Starting the agent"])
    started_at: datetime
    took: float | None = None
    detail: str | None = None


class Part(Shape):
    """One server of a runtime: the agent or the editor."""

    state: PartState
    problem: Problem | None = None
    log_tail: str = ""


class RuntimeStatus(Shape):
    state: Literal["off", "starting", "ready", "stopping", "failed"]
    place: str = Field(description="Where it runs and how contained, in words.", examples=["Local, not contained"])
    contained: bool = False
    phases: list[Phase] = []
    agent: Part
    editor: Part
    editor_url: str | None = Field(default=None, description="On the workspace's own origin; null until ready.")
    restarts: int = 0


class Workspace(Shape):
    id: str
    name: str
    path: str
    runtime: RuntimeKind = "local"
    trust: Trust = "undecided"
    is_git: bool = True
    git_decision: Literal["undecided", "init", "scratch"] | None = Field(
        default=None,
        description="Only for a folder that is no repository: whether the user agreed to `git init` there.",
    )
    exists: bool = True
    created_at: datetime
    last_opened_at: datetime
    status: RuntimeStatus | None = None


class Clone(Shape):
    url: str
    into: str | None = Field(default=None, description="Parent folder; the settings' workspace base when absent.")


class NewWorkspace(Shape):
    """Either `path` of an existing folder, or `clone`."""

    path: str | None = None
    clone: Clone | None = None
    name: str | None = None
    create: bool = Field(default=False, description="Make the folder when it is missing.")


class TrustDecision(Shape):
    trusted: bool


class GitDecision(Shape):
    init: bool


class FileEntry(Shape):
    name: str
    path: str = Field(description="Relative to the workspace, with forward slashes.")
    kind: Literal["file", "folder", "link"]
    size: int | None = None


class FileChange(Shape):
    path: str
    change: Literal["added", "modified", "deleted", "renamed"]
    added: int = 0
    removed: int = 0


class Changes(Shape):
    files: list[FileChange]
    added: int
    removed: int


class OpenInEditor(Shape):
    path: str
    line: int | None = None
    end_line: int | None = None
    follow: bool = Field(default=False, description="Reveal without taking the focus from the chat.")


class DiffInEditor(Shape):
    path: str
    before: str
    after: str | None = Field(default=None, description="The file on disk when absent.")
    title: str | None = None


# ── Tasks ─────────────────────────────────────────────────────────────────────────────────────────

TaskState = Literal[
    "idle",  # nothing asked yet, or the last turn is over
    "starting",  # the runtime is coming up; the message waits in the outbox
    "running",
    "waiting",  # for the user's approval
    "paused",
    "finished",
    "failed",
    "interrupted",  # the agent-server died under it: Continue
    "stopped",  # the budget ended it
]
Mode = Literal["ask_all", "ask_risky", "ask_never"]
Risk = Literal["low", "medium", "high", "unknown"]


class Usage(Shape):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float = 0.0
    estimated: bool = Field(default=False, description="True when any part was counted by us, not by the provider.")
    priced: bool = Field(default=True, description="False when the model's price is unknown.")
    requests: int = 0


class PendingAction(Shape):
    """An action the agent may not take before the user says so."""

    id: str = Field(description="The action event's id; what approve and reject name.")
    tool: str
    summary: str | None = None
    arguments: dict[str, Any] = {}
    risk: Risk = "unknown"
    reason: str = Field(description="Why it is asked, in a sentence.")
    position: int


class PlanStep(Shape):
    title: str
    notes: str | None = None
    status: Literal["todo", "in_progress", "done"]


class QueuedMessage(Shape):
    id: str
    text: str
    position: int


class Task(Shape):
    id: str
    workspace_id: str
    title: str
    state: TaskState
    problem: Problem | None = Field(
        default=None, description="Why it failed or was stopped; while it runs, why the model is asked again."
    )
    activity: str | None = Field(default=None, description="In words.", examples=["Running pytest -q"])
    mode: Mode = "ask_risky"
    model_id: str | None = Field(default=None, description="The model profile in use.")
    model_name: str | None = None
    budget_usd: float | None = None
    usage: Usage = Usage()
    pending: list[PendingAction] = []
    plan: list[PlanStep] = []
    queue: list[QueuedMessage] = Field(default=[], description="Messages accepted but not yet taken by the agent.")
    position: int = Field(default=0, description="The last committed position.")
    turn_started_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class Tasks(Shape):
    tasks: list[Task]
    more: bool = False


class Attachment(Shape):
    """A file or a range the user pointed the agent to. Files are named by path, not copied."""

    path: str
    from_line: int | None = None
    to_line: int | None = None
    text: str | None = None


class ImageInput(Shape):
    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
    data: str = Field(description="Base64.")


class NewMessage(Shape):
    text: str = Field(min_length=1, max_length=200_000)
    id: str | None = Field(default=None, description="Chosen by the client; the same id is stored once.")
    attachments: list[Attachment] = []
    images: list[ImageInput] = []


class NewTask(Shape):
    workspace_id: str
    message: NewMessage | None = Field(default=None, description="Without one the task only warms up.")
    title: str | None = None
    mode: Mode | None = None
    model_id: str | None = None
    budget_usd: float | None = None


class TaskPatch(Shape):
    title: str | None = Field(default=None, max_length=200)
    mode: Mode | None = None
    model_id: str | None = None
    budget_usd: float | None = None


class Rejection(Shape):
    reason: str = Field(default="", max_length=4000)


class Event(BaseModel):
    """One row of the journal.

    `kind` is the agent-server's own (`MessageEvent`, `ActionEvent`, `ObservationEvent`, …) with its event, untouched,
    in `data`; or one of ours: `UserMessage`, `Approval`, `RuntimePhase`, `BudgetStop`, `ModeChange`, `Notice`.
    A client renders a kind it does not know generically.
    """

    position: int
    id: str
    task_id: str
    conversation_id: str | None
    seq: int | None = Field(description="The agent-server's own number; null for our rows.")
    kind: str
    source: Literal["user", "agent", "environment", "twinseat"]
    at: datetime
    data: dict[str, Any]


class Events(Shape):
    """A window of the journal in ascending order. `more_before`/`more_after` say whether it goes on."""

    events: list[Event]
    more_before: bool
    more_after: bool


# ── Models, settings, secrets ─────────────────────────────────────────────────────────────────────

Protocol = Literal["openai", "responses", "anthropic", "gemini"]


class Provider(Shape):
    """A preset of the wizard."""

    id: str = Field(examples=["openai"])
    name: str
    base_url: str
    protocol: Protocol = "openai"
    needs_key: bool = True
    local: bool = False
    key_url: str | None = Field(default=None, description="Where the user gets a key.")
    key_hint: str | None = Field(default=None, examples=["sk-…"])
    suggested_models: list[str] = []
    found: bool | None = Field(default=None, description="For local ones: whether it answers now.")


class ModelInfo(Shape):
    id: str
    context_window: int | None = None
    max_output: int | None = None
    price_in: float | None = Field(default=None, description="Dollars per million tokens.")
    price_out: float | None = None
    vision: bool | None = None
    tools: bool | None = None
    reasoning: bool | None = None


class ModelProfile(Shape):
    """A model the user set up. The key is in the secret store under `model:<id>`, never here."""

    id: str
    name: str
    provider: str
    protocol: Protocol = "openai"
    base_url: str
    model: str
    temperature: float | None = None
    max_tokens: int | None = None
    has_key: bool = False
    price_in: float | None = None
    price_out: float | None = None
    context_window: int | None = None
    is_default: bool = False


class NewModelProfile(Shape):
    name: str | None = None
    provider: str
    protocol: Protocol | None = None
    base_url: str | None = None
    model: str
    key: str | None = Field(default=None, description="Write-only.")
    temperature: float | None = None
    max_tokens: int | None = None
    price_in: float | None = None
    price_out: float | None = None
    context_window: int | None = None
    make_default: bool = True


class Probe(Shape):
    """What the wizard asks of a provider before anything is stored. `profile_id` reuses a stored key."""

    provider: str
    protocol: Protocol | None = None
    base_url: str | None = None
    key: str | None = None
    profile_id: str | None = None
    model: str | None = None


class ModelList(Shape):
    models: list[ModelInfo]
    problem: Problem | None = None


class ProbeResult(Shape):
    ok: bool
    took: float
    problem: Problem | None = None


class SecretName(Shape):
    name: str
    stored: bool
    where: str = Field(description="In words.", examples=["the system keyring"])


class SecretValue(Shape):
    value: str = Field(min_length=1, max_length=8192)


class Secrets(Shape):
    secrets: list[SecretName]
    store: str
    warning: str | None = None


class Settings(Shape):
    """What the user may change while it runs; kept in `settings.json`."""

    theme: Literal["system", "dark", "light"] = "system"
    default_mode: Mode = "ask_risky"
    default_budget_usd: float | None = None
    default_model_id: str | None = None
    workspace_base: str = ""
    onboarded: bool = False
    follow_agent: bool = Field(default=True, description="The editor shows the file the agent is working on.")
    git_scratch: Literal["ask", "always", "never"] = "ask"
    warnings: list[str] = Field(default=[], description="Read-only: settings that were ignored, and why.")


class SettingsPatch(Shape):
    theme: Literal["system", "dark", "light"] | None = None
    default_mode: Mode | None = None
    default_budget_usd: float | None = None
    default_model_id: str | None = None
    workspace_base: str | None = None
    onboarded: bool | None = None
    follow_agent: bool | None = None
    git_scratch: Literal["ask", "always", "never"] | None = None


class Demo(Shape):
    """Where the keyless demo was set up."""

    workspace_id: str
    task_id: str
