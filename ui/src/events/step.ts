import type { Event } from "@/api/types";
import { plain } from "./ansi";
import { contentText, list, number, object, text, type Json } from "./read";
import { plural } from "./words";

export type StepState = "running" | "done" | "failed" | "rejected";
export type StepKind = "shell" | "read" | "search" | "edit" | "plan" | "think" | "other";

/** One action of the agent and what came of it. */
export interface Step {
  id: string;
  position: number;
  tool: string;
  kind: StepKind;
  state: StepState;
  action: Json;
  observation: Json | null;
  /** Why the step failed or was rejected, where no observation says it. */
  reason: string | null;
  summary: string | null;
  risk: string;
  startedAt: number;
  endedAt: number | null;
}

const searching = new Set(["grep", "glob", "search", "find", "web_search", "semantic_search"]);

function kindOf(tool: string, action: Json): StepKind {
  if (tool === "terminal" || tool === "execute_bash" || tool === "bash") return "shell";
  if (tool === "task_tracker") return "plan";
  if (tool === "think") return "think";
  if (tool.endsWith("file_editor") || tool === "str_replace_editor") return action.command === "view" ? "read" : "edit";
  if (tool === "read_file" || tool === "list_directory") return "read";
  if (tool === "write_file" || tool === "edit") return "edit";
  if (searching.has(tool)) return "search";
  return "other";
}

export function stepOf(event: Event): Step {
  const { data } = event;
  const tool = text(data.tool_name) || "tool";
  let action = object(data.action);
  if (!data.action) {
    // Not executable: the arguments are only in the model's own call.
    try {
      action = object(JSON.parse(text(object(data.tool_call).arguments)));
    } catch {
      action = {};
    }
  }
  return {
    id: event.id,
    position: event.position,
    tool,
    kind: kindOf(tool, action),
    state: "running",
    action,
    observation: null,
    reason: null,
    summary: text(data.summary) || null,
    risk: text(data.security_risk).toLowerCase() || "unknown",
    startedAt: Date.parse(event.at),
    endedAt: null,
  };
}

/** The step with its result. */
export function settle(step: Step, event: Event): Step {
  const ended = { ...step, endedAt: Date.parse(event.at) };
  const { data } = event;
  if (event.kind === "UserRejectObservation") {
    return { ...ended, state: "rejected", reason: text(data.rejection_reason) || "Rejected" };
  }
  if (event.kind === "AgentErrorEvent") return { ...ended, state: "failed", reason: text(data.error) };
  const observation = object(data.observation);
  const code = exitCode(observation);
  const failed = observation.is_error === true || (step.kind === "shell" && code !== null && code > 0);
  return { ...ended, state: failed ? "failed" : "done", observation };
}

/** Null while a command goes on after its soft time-out, which upstream marks by -1. */
export function exitCode(observation: Json): number | null {
  const code = number(observation.exit_code) ?? number(object(observation.metadata).exit_code);
  return code === -1 ? null : code;
}

export function outputOf(step: Step): string {
  return step.observation ? contentText(step.observation.content) : (step.reason ?? "");
}

/** The file a step touches, as the agent names it. */
export function pathOf(step: Step): string {
  return text(step.action.path) || text(step.action.file_path) || text(step.observation?.path);
}

/** `path` relative to the workspace's folder, where it lies in it. */
export function relative(path: string, root: string): string {
  if (root && path === root) return ".";
  return root && path.startsWith(`${root.replace(/\/$/, "")}/`) ? path.slice(root.replace(/\/$/, "").length + 1) : path;
}

export interface Line {
  icon: string;
  verb: string;
  /** Shown as code. */
  target: string;
}

/** The words of a step's line, in the tense of its state. */
export function lineOf(step: Step, root: string): Line {
  const running = step.state === "running";
  const tense = (doing: string, done: string) => {
    if (step.state === "rejected") return `Not done: ${doing.toLowerCase()}`;
    if (step.state === "failed" && step.kind !== "shell") return `Failed: ${doing.toLowerCase()}`;
    return running ? doing : done;
  };
  const path = relative(pathOf(step), root);
  switch (step.kind) {
    case "shell": {
      const command = text(step.action.command);
      if (step.action.reset === true) return { icon: "terminal", verb: "Reset the terminal", target: "" };
      if (step.action.is_input === true) return { icon: "terminal", verb: tense("Typing", "Typed"), target: command };
      if (!command)
        return { icon: "terminal", verb: tense("Waiting for the command", "Looked at the output"), target: "" };
      return { icon: "terminal", verb: tense("Running", "Ran"), target: command.split("\n")[0] ?? "" };
    }
    case "read":
      return { icon: "eye", verb: tense("Reading", "Read"), target: path + viewed(step) };
    case "search": {
      const query = text(step.action.pattern) || text(step.action.query) || text(step.action.path);
      return { icon: "search", verb: tense("Searching", "Searched"), target: query };
    }
    case "edit": {
      const creating = step.action.command === "create" && step.observation?.prev_exist !== true;
      if (step.action.command === "undo_edit")
        return { icon: "discard", verb: tense("Undoing", "Undid"), target: path };
      if (creating) return { icon: "new-file", verb: tense("Creating", "Created"), target: path };
      return { icon: "edit", verb: tense("Editing", "Edited"), target: path };
    }
    case "plan": {
      if (step.action.command === "view") return { icon: "checklist", verb: "Looked at the plan", target: "" };
      const items = list(step.action.task_list).map(object);
      const done = items.filter(({ status }) => status === "done").length;
      return { icon: "checklist", verb: `Plan: ${done} of ${plural(items.length, "step")} done`, target: "" };
    }
    case "think":
      return { icon: "lightbulb", verb: tense("Thinking", "Thought"), target: "" };
    case "other":
      return { icon: "tools", verb: step.summary ?? tense("Using", "Used"), target: step.summary ? "" : step.tool };
  }
}

function viewed(step: Step): string {
  const [from, to] = list(step.action.view_range).map(number);
  return from ? `:${from}${to && to > 0 ? `–${to}` : ""}` : "";
}

/** What a command came to in two words: the tests it counted, or its exit code. */
export function outcomeOf(step: Step): { words: string; bad: boolean } | null {
  if (step.state === "running") return null;
  if (step.state === "rejected") return { words: "rejected", bad: true };
  if (step.kind !== "shell" || !step.observation)
    return step.state === "failed" ? { words: "failed", bad: true } : null;
  const code = exitCode(step.observation);
  if (code === null) return { words: "still running", bad: false };
  const tail = plain(outputOf(step)).trimEnd().split("\n").slice(-6).join("\n");
  const ran = /^Ran (\d+) tests? in/m.exec(tail);
  if (ran) {
    const wrong = [...tail.matchAll(/(?:failures|errors)=(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    return wrong ? { words: `${wrong} failed`, bad: true } : { words: `${ran[1]} passed`, bad: false };
  }
  const failed = /(\d+) (?:tests? )?fail(?:ed|ures?)?\b/i.exec(tail);
  const passed = /(\d+) (?:tests? )?pass(?:ed|ing)?\b/i.exec(tail);
  const counted = [Number(failed?.[1]) ? `${failed?.[1]} failed` : "", passed ? `${passed[1]} passed` : ""].filter(
    Boolean,
  );
  if (counted.length) return { words: counted.join(", "), bad: code !== 0 };
  return code === 0 ? null : { words: `exit ${code}`, bad: true };
}
