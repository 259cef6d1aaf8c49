import type { Event, Problem, RuntimeStatus, Settings, Task } from "@/api/types";

/** What the editor asks about: a selection the user sent to the chat. */
export interface Ask {
  workspace: string;
  path: string;
  from: number | null;
  to: number | null;
  text: string | null;
}

export type DeltaKind = "text" | "reasoning";

export type TaskFrame =
  | { type: "sync"; task: string; after: number | null; through: number }
  | { type: "durable"; task: string; position: number; event: Event }
  | { type: "item_started"; task: string; item_id: string; attempt: number }
  | {
      type: "delta";
      task: string;
      item_id: string;
      attempt: number;
      order: number;
      kind: DeltaKind;
      content: string;
    }
  | { type: "item_aborted"; task: string; item_id: string; attempt: number; reason: string };

export type StatusFrame = { type: "status" } & (
  | { task: string; state: Task | null }
  | { workspace: string; state: RuntimeStatus }
  | { settings: Settings }
  | { ask: Ask }
);

export type Frame = TaskFrame | StatusFrame | { type: "error"; task?: string; problem: Problem } | { type: "pong" };

const taskFrames = new Set(["sync", "durable", "item_started", "delta", "item_aborted"]);

export function isTaskFrame(frame: Frame): frame is TaskFrame {
  return taskFrames.has(frame.type);
}

/** A frame, or null for anything that is none: rubbish on the socket must not take the page down. */
export function parseFrame(data: unknown): Frame | null {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    return value !== null && typeof value === "object" && "type" in value ? (value as Frame) : null;
  } catch {
    return null;
  }
}
