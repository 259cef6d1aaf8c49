import type { Attachment, Event, ImageInput } from "@/api/types";
import { contentText, list, object, text, type Json } from "./read";
import { pathOf, settle, stepOf, type Step } from "./step";
import { duration } from "./words";

export type Tone = "quiet" | "good" | "warn" | "bad";

interface Base {
  key: string;
  position: number;
}

/** One line or block of the transcript. */
export type Row = Base &
  (
    | { type: "user"; text: string; attachments: Attachment[]; images: ImageInput[] }
    | { type: "said"; text: string }
    | { type: "reasoning"; text: string }
    | { type: "step"; step: Step }
    | { type: "fold"; steps: Step[] }
    | { type: "mark"; icon: string; words: string; tone: Tone; note: string }
    | { type: "problem"; title: string; detail: string; remedy: string | null }
    | { type: "turn"; seconds: number; steps: number; files: number }
    | { type: "other"; kind: string; data: Json }
  );

const hidden = new Set([
  "SystemPromptEvent",
  "ConversationStateUpdateEvent",
  "LLMCompletionLogEvent",
  "StreamingDeltaEvent",
  "TokenEvent",
  "CondensationRequest",
  "CondensationSummaryEvent",
  "SecurityAnalysisEvent",
]);

/**
 * Turns events into rows, one after the other. Rows that change are replaced by new objects, so that a list can
 * tell by identity what to draw again; the rest stay the same objects.
 */
export class Rows {
  private list: Row[] = [];
  private readonly places = new Map<string, number>();
  private turnStart: number | null = null;
  private turnSteps = 0;
  private turnFiles = new Set<string>();
  private starting: number | null = null;
  private lost = false;

  /** All rows so far; a new array after every change. */
  all(): readonly Row[] {
    return this.list;
  }

  static of(events: readonly Event[]): Rows {
    const rows = new Rows();
    for (const event of events) rows.take(event);
    return rows;
  }

  add(events: readonly Event[]): void {
    this.list = [...this.list];
    for (const event of events) this.take(event);
  }

  private push(row: Row): void {
    this.list.push(row);
  }

  private mark(event: Event, icon: string, words: string, tone: Tone = "quiet", note = ""): void {
    this.push({ ...at(event), type: "mark", icon, words, tone, note });
  }

  private take(event: Event): void {
    const { data, kind } = event;
    if (hidden.has(kind)) return;
    switch (kind) {
      case "UserMessage":
        this.begin(event);
        this.push({
          ...at(event),
          type: "user",
          text: text(data.text),
          attachments: list(data.attachments) as Attachment[],
          images: list(data.images) as ImageInput[],
        });
        return;
      case "MessageEvent":
        this.message(event);
        return;
      case "ActionEvent":
        this.act(event);
        return;
      case "ObservationEvent":
      case "UserRejectObservation":
      case "AgentErrorEvent":
        this.observe(event);
        return;
      default:
        this.remark(event);
    }
  }

  /** The agent's own copy of a message that is held already: from here on it knows it, so here it is shown. */
  private taken(id: string): void {
    const from = this.list.findLastIndex(({ key }) => key === id);
    const row = this.list[from];
    // Taken at once: what was said of a start meanwhile belongs after it.
    if (!row || this.list.slice(from + 1).every(({ type }) => type === "mark")) return;
    this.list.splice(from, 1);
    this.list.push(row);
    for (const [step, place] of this.places) if (place > from) this.places.set(step, place - 1);
  }

  private begin(event: Event): void {
    if (this.turnStart !== null) return;
    this.turnStart = Date.parse(event.at);
    this.turnSteps = 0;
    this.turnFiles = new Set();
  }

  private end(event: Event): void {
    if (this.turnStart === null) return;
    const seconds = (Date.parse(event.at) - this.turnStart) / 1000;
    this.push({ ...at(event, ":turn"), type: "turn", seconds, steps: this.turnSteps, files: this.turnFiles.size });
    this.turnStart = null;
  }

  private message(event: Event): void {
    const { data } = event;
    const message = object(data.llm_message);
    const words = contentText(message.content);
    if (event.source === "user") {
      if (data.twinseat_message) return this.taken(text(data.twinseat_message));
      this.begin(event);
      this.push({ ...at(event), type: "user", text: words, attachments: [], images: [] });
      return;
    }
    this.reason(event, text(message.reasoning_content));
    if (words) this.push({ ...at(event), type: "said", text: words });
    this.end(event);
  }

  private reason(event: Event, words: string): void {
    if (words.trim()) this.push({ ...at(event, ":reasoning"), type: "reasoning", text: words });
  }

  private act(event: Event): void {
    const { data } = event;
    this.reason(event, text(data.reasoning_content));
    const thought = contentText(data.thought).trim();
    if (thought) this.push({ ...at(event, ":thought"), type: "said", text: thought });
    if (data.tool_name === "finish") {
      const words = text(object(data.action).message).trim();
      if (words && words !== thought) this.push({ ...at(event), type: "said", text: words });
      this.end(event);
      return;
    }
    const step = stepOf(event);
    this.turnSteps++;
    this.places.set(event.id, this.list.length);
    const last = this.list.at(-1);
    if (foldable(step) && last) {
      if (last.type === "fold") return this.join(last, last.steps, step);
      if (last.type === "step" && foldable(last.step)) return this.join(last, [last.step], step);
    }
    this.push({ ...at(event), type: "step", step });
  }

  private join(last: Row, steps: Step[], step: Step): void {
    const index = this.list.length - 1;
    this.list[index] = { type: "fold", key: last.key, position: last.position, steps: [...steps, step] };
    this.places.set(step.id, index);
  }

  private observe(event: Event): void {
    const { data } = event;
    if (data.tool_name === "finish") return;
    const id = text(data.action_id);
    const place = this.places.get(id) ?? this.byCall(text(data.tool_call_id), event);
    const row = place === undefined ? undefined : this.list[place];
    if (place === undefined || !row) {
      if (event.kind === "AgentErrorEvent") this.fail(event, "The agent met an error", text(data.error));
      // An observation whose action lies before the loaded window is drawn when the action is loaded.
      return;
    }
    if (row.type === "step") {
      const step = this.settled(row.step, event);
      this.list[place] = { ...row, step };
    } else if (row.type === "fold") {
      const steps = row.steps.map((step) => (step.id === id ? this.settled(step, event) : step));
      this.list[place] = { ...row, steps };
      const settledStep = steps.find((step) => step.id === id);
      // A failure opens by itself, so it leaves the fold.
      if (settledStep?.state === "failed" && steps.at(-1) === settledStep && place === this.list.length - 1) {
        this.list[place] = { ...row, steps: steps.slice(0, -1) };
        this.places.set(id, this.list.length);
        this.list.push({ type: "step", key: id, position: settledStep.position, step: settledStep });
      }
    }
  }

  /** An AgentErrorEvent names the call, not the action. */
  private byCall(call: string, event: Event): number | undefined {
    if (!call || event.kind !== "AgentErrorEvent") return undefined;
    for (let index = this.list.length - 1; index >= 0 && index > this.list.length - 50; index--) {
      const row = this.list[index];
      if (row?.type === "step" && row.step.state === "running" && row.step.tool === event.data.tool_name) return index;
    }
    return undefined;
  }

  private settled(step: Step, event: Event): Step {
    const next = settle(step, event);
    if (next.kind === "edit" && next.state === "done") this.turnFiles.add(pathOf(next));
    return next;
  }

  private fail(event: Event, title: string, detail: string, remedy: string | null = null): void {
    this.push({ ...at(event), type: "problem", title, detail, remedy });
  }

  /** Everything that is said beside the work itself. */
  private remark(event: Event): void {
    const { data, kind } = event;
    switch (kind) {
      case "Approval":
        return this.approval(event);
      case "RuntimePhase":
        return this.phase(event);
      case "BudgetStop": {
        this.turnStart = null;
        const problem = object(data.problem);
        return this.mark(event, "circle-slash", text(problem.title) || "Stopped: the budget is used up", "warn");
      }
      case "ModeChange":
        return this.mark(event, "shield", modeWords(text(data.mode) || text(data.to)));
      case "Notice": {
        // An alarm that the backend answers with a notice of its own, in words.
        if (data.raise) return;
        const problem = object(data.problem);
        const title = text(data.title) || text(problem.title) || text(data.text) || text(data.message);
        const detail = text(data.detail) || text(problem.detail);
        const remedy = text(data.remedy) || text(problem.remedy) || null;
        if (data.problem || data.level === "error") return this.fail(event, title, detail, remedy);
        const note = [detail === title ? "" : detail, remedy].filter(Boolean).join(" ");
        return this.mark(
          event,
          data.level === "warning" ? "warning" : "info",
          title,
          data.level === "warning" ? "warn" : "quiet",
          note,
        );
      }
      case "PauseEvent":
        this.turnStart = null;
        return this.mark(event, "debug-pause", "Paused");
      case "InterruptEvent":
        this.turnStart = null;
        return this.mark(event, "debug-stop", "Interrupted");
      case "Condensation":
        return this.mark(event, "book", "Summed up the earlier conversation to make room", "quiet", text(data.summary));
      case "ConversationErrorEvent":
      case "ServerErrorEvent":
        this.turnStart = null;
        return this.failed(event);
      default:
        this.push({ ...at(event), type: "other", kind, data });
    }
  }

  /** Upstream's own words are for its developers; where the backend knows better ones, it has noted them. */
  private failed(event: Event): void {
    const { data } = event;
    const known = object(data.twinseat_problem);
    const title = text(known.title) || "The agent stopped with an error";
    this.fail(event, title, text(known.detail) || text(data.detail) || text(data.code), text(known.remedy) || null);
  }

  /** Starts are shown as they happen; what stays of them is how long a slow one took, and what went wrong. */
  private phase(event: Event): void {
    const { data } = event;
    const at = Date.parse(event.at);
    switch (data.phase) {
      case "starting":
        this.starting ??= at;
        return;
      case "ready": {
        const seconds = this.starting === null ? 0 : (at - this.starting) / 1000;
        if (this.lost) this.mark(event, "debug-restart", "The agent is back");
        else if (seconds >= 1) this.mark(event, "server", `Started the agent · ${duration(seconds)}`);
        this.starting = null;
        this.lost = false;
        return;
      }
      case "lost":
        if (!this.lost) this.mark(event, "debug-disconnect", "Lost the agent", "warn", text(data.reason));
        this.lost = true;
        return;
      case "failed": {
        const problem = object(data.problem);
        this.starting = null;
        return this.fail(
          event,
          text(problem.title) || "The agent did not start",
          text(problem.detail),
          text(problem.remedy) || null,
        );
      }
      default:
        if (text(data.name)) this.mark(event, "server", text(data.name), "quiet", text(data.detail));
    }
  }

  private approval(event: Event): void {
    const { data } = event;
    if (data.stop === true) {
      this.turnStart = null;
      return this.mark(event, "debug-stop", "You stopped it");
    }
    const rejected = data.decision === "reject" || data.decision === "rejected" || data.approved === false;
    const place = this.places.get(text(data.action_id));
    const row = place === undefined ? undefined : this.list[place];
    // The time the question was open is not the step's.
    if (!rejected && place !== undefined && row?.type === "step" && row.step.endedAt === null) {
      this.list[place] = { ...row, step: { ...row.step, startedAt: Date.parse(event.at) } };
    }
    if (rejected) this.mark(event, "circle-slash", "You rejected it", "warn", text(data.reason));
    else this.mark(event, "pass", "You approved it", "good");
  }
}

const at = (event: Event, part = ""): Base => ({ key: event.id + part, position: event.position });

export function modeWords(mode: string): string {
  if (mode === "ask_all") return "Asks before every step from here on";
  if (mode === "ask_never") return "Does not ask from here on";
  return "Asks before risky steps from here on";
}

function foldable(step: Step): boolean {
  return (step.kind === "read" || step.kind === "search") && step.state !== "failed" && step.state !== "rejected";
}
