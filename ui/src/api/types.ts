// Written by ui/dev/write_types.py from app/schemas.py. Do not edit.

/** RFC 9457 problem details, the API's only error form; also embedded wherever a state has failed. `detail` is a whole sentence: what happened and why. `remedy` says what to do next. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  remedy: string | null;
  /** Stable machine name, such as `model-unreachable`. */
  code: string;
  errors: Record<string, unknown>[] | null;
}

export interface SignIn {
  /** Single-use code from the URL's fragment. */
  code: string;
}

export interface Session {
  /** Bearer token for the Authorization header and the socket's subprotocol. */
  token: string;
  expires_at: string;
}

export interface Health {
  ok: boolean;
  version: string;
  /** HMAC-SHA256 of the caller's nonce with the launch secret, hex. */
  proof: string | null;
}

export type Trust = "undecided" | "trusted" | "restricted";

export type RuntimeKind = "local" | "docker" | "daytona" | "remote";

export type PartState = "off" | "starting" | "ready" | "failed";

/** A step of a start. `took` is null while it runs. */
export interface Phase {
  name: string;
  started_at: string;
  took: number | null;
  detail: string | null;
}

/** One server of a runtime: the agent or the editor. */
export interface Part {
  state: PartState;
  problem: Problem | null;
  log_tail: string;
}

export interface RuntimeStatus {
  state: "off" | "starting" | "ready" | "stopping" | "failed";
  /** Where it runs and how contained, in words. */
  place: string;
  contained: boolean;
  phases: Phase[];
  agent: Part;
  editor: Part;
  /** On the workspace's own origin; null until ready. */
  editor_url: string | null;
  restarts: number;
}

export interface Workspace {
  id: string;
  name: string;
  path: string;
  runtime: RuntimeKind;
  trust: Trust;
  is_git: boolean;
  /** Only for a folder that is no repository: whether the user agreed to `git init` there. */
  git_decision: "undecided" | "init" | "scratch" | null;
  exists: boolean;
  created_at: string;
  last_opened_at: string;
  status: RuntimeStatus | null;
}

export interface Clone {
  url: string;
  /** Parent folder; the settings' workspace base when absent. */
  into?: string | null;
}

/** Either `path` of an existing folder, or `clone`. */
export interface NewWorkspace {
  path?: string | null;
  clone?: Clone | null;
  name?: string | null;
  /** Make the folder when it is missing. */
  create?: boolean;
}

export interface TrustDecision {
  trusted: boolean;
}

export interface GitDecision {
  init: boolean;
}

export interface FileEntry {
  name: string;
  /** Relative to the workspace, with forward slashes. */
  path: string;
  kind: "file" | "folder" | "link";
  size: number | null;
}

export interface FileChange {
  path: string;
  change: "added" | "modified" | "deleted" | "renamed";
  added: number;
  removed: number;
}

export interface Changes {
  files: FileChange[];
  added: number;
  removed: number;
}

export interface OpenInEditor {
  path: string;
  line?: number | null;
  end_line?: number | null;
  /** Reveal without taking the focus from the chat. */
  follow?: boolean;
}

export interface DiffInEditor {
  path: string;
  before: string;
  /** The file on disk when absent. */
  after?: string | null;
  title?: string | null;
}

export type TaskState = "idle" | "starting" | "running" | "waiting" | "paused" | "finished" | "failed" | "interrupted" | "stopped";

export type Mode = "ask_all" | "ask_risky" | "ask_never";

export type Risk = "low" | "medium" | "high" | "unknown";

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  cached_tokens: number;
  reasoning_tokens: number;
  cost_usd: number;
  /** True when any part was counted by us, not by the provider. */
  estimated: boolean;
  /** False when the model's price is unknown. */
  priced: boolean;
  requests: number;
}

/** An action the agent may not take before the user says so. */
export interface PendingAction {
  /** The action event's id; what approve and reject name. */
  id: string;
  tool: string;
  summary: string | null;
  arguments: Record<string, unknown>;
  risk: Risk;
  /** Why it is asked, in a sentence. */
  reason: string;
  position: number;
}

export interface PlanStep {
  title: string;
  notes: string | null;
  status: "todo" | "in_progress" | "done";
}

export interface QueuedMessage {
  id: string;
  text: string;
  position: number;
}

export interface Task {
  id: string;
  workspace_id: string;
  title: string;
  state: TaskState;
  /** Why it failed or was stopped; while it runs, why the model is asked again. */
  problem: Problem | null;
  /** In words. */
  activity: string | null;
  mode: Mode;
  /** The model profile in use. */
  model_id: string | null;
  model_name: string | null;
  budget_usd: number | null;
  usage: Usage;
  pending: PendingAction[];
  plan: PlanStep[];
  /** Messages accepted but not yet taken by the agent. */
  queue: QueuedMessage[];
  /** The last committed position. */
  position: number;
  turn_started_at: string | null;
  created_at: string;
  updated_at: string;
}

export interface Tasks {
  tasks: Task[];
  more: boolean;
}

/** A file or a range the user pointed the agent to. Files are named by path, not copied. */
export interface Attachment {
  path: string;
  from_line?: number | null;
  to_line?: number | null;
  text?: string | null;
}

export interface ImageInput {
  media_type: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
  /** Base64. */
  data: string;
}

export interface NewMessage {
  text: string;
  /** Chosen by the client; the same id is stored once. */
  id?: string | null;
  attachments?: Attachment[];
  images?: ImageInput[];
}

export interface NewTask {
  workspace_id: string;
  /** Without one the task only warms up. */
  message?: NewMessage | null;
  title?: string | null;
  mode?: Mode | null;
  model_id?: string | null;
  budget_usd?: number | null;
}

export interface TaskPatch {
  title?: string | null;
  mode?: Mode | null;
  model_id?: string | null;
  budget_usd?: number | null;
}

export interface Rejection {
  reason?: string;
}

/** One row of the journal. `kind` is the agent-server's own (`MessageEvent`, `ActionEvent`, `ObservationEvent`, …) with its event, untouched, in `data`; or one of ours: `UserMessage`, `Approval`, `RuntimePhase`, `BudgetStop`, `ModeChange`, `Notice`. A client renders a kind it does not know generically. */
export interface Event {
  position: number;
  id: string;
  task_id: string;
  conversation_id: string | null;
  /** The agent-server's own number; null for our rows. */
  seq: number | null;
  kind: string;
  source: "user" | "agent" | "environment" | "twinseat";
  at: string;
  data: Record<string, unknown>;
}

/** A window of the journal in ascending order. `more_before`/`more_after` say whether it goes on. */
export interface Events {
  events: Event[];
  more_before: boolean;
  more_after: boolean;
}

export type Protocol = "openai" | "responses" | "anthropic" | "gemini";

/** A preset of the wizard. */
export interface Provider {
  id: string;
  name: string;
  base_url: string;
  protocol: Protocol;
  needs_key: boolean;
  local: boolean;
  /** Where the user gets a key. */
  key_url: string | null;
  key_hint: string | null;
  suggested_models: string[];
  /** For local ones: whether it answers now. */
  found: boolean | null;
}

export interface ModelInfo {
  id: string;
  context_window: number | null;
  max_output: number | null;
  /** Dollars per million tokens. */
  price_in: number | null;
  price_out: number | null;
  vision: boolean | null;
  tools: boolean | null;
  reasoning: boolean | null;
}

/** A model the user set up. The key is in the secret store under `model:<id>`, never here. */
export interface ModelProfile {
  id: string;
  name: string;
  provider: string;
  protocol: Protocol;
  base_url: string;
  model: string;
  temperature: number | null;
  max_tokens: number | null;
  has_key: boolean;
  price_in: number | null;
  price_out: number | null;
  context_window: number | null;
  is_default: boolean;
}

export interface NewModelProfile {
  name?: string | null;
  provider: string;
  protocol?: Protocol | null;
  base_url?: string | null;
  model: string;
  /** Write-only. */
  key?: string | null;
  temperature?: number | null;
  max_tokens?: number | null;
  price_in?: number | null;
  price_out?: number | null;
  context_window?: number | null;
  make_default?: boolean;
}

/** What the wizard asks of a provider before anything is stored. `profile_id` reuses a stored key. */
export interface Probe {
  provider: string;
  protocol?: Protocol | null;
  base_url?: string | null;
  key?: string | null;
  profile_id?: string | null;
  model?: string | null;
}

export interface ModelList {
  models: ModelInfo[];
  problem: Problem | null;
}

export interface ProbeResult {
  ok: boolean;
  took: number;
  problem: Problem | null;
}

export interface SecretName {
  name: string;
  stored: boolean;
  /** In words. */
  where: string;
}

export interface SecretValue {
  value: string;
}

export interface Secrets {
  secrets: SecretName[];
  store: string;
  warning: string | null;
}

/** What the user may change while it runs; kept in `settings.json`. */
export interface Settings {
  theme: "system" | "dark" | "light";
  default_mode: Mode;
  default_budget_usd: number | null;
  default_model_id: string | null;
  workspace_base: string;
  onboarded: boolean;
  /** The editor shows the file the agent is working on. */
  follow_agent: boolean;
  git_scratch: "ask" | "always" | "never";
  /** Read-only: settings that were ignored, and why. */
  warnings: string[];
}

export interface SettingsPatch {
  theme?: "system" | "dark" | "light" | null;
  default_mode?: Mode | null;
  default_budget_usd?: number | null;
  default_model_id?: string | null;
  workspace_base?: string | null;
  onboarded?: boolean | null;
  follow_agent?: boolean | null;
  git_scratch?: "ask" | "always" | "never" | null;
}

/** Where the keyless demo was set up. */
export interface Demo {
  workspace_id: string;
  task_id: string;
}
