import type { Task } from "./types";

type Spent = Pick<Task, "id" | "turn_started_at" | "usage">;

/** What each task had cost when its newest turn began, in US dollars; only for turns this page saw begin. */
const starts = new Map<string, number>();

/** Remembers the cost so far when a newer state of the task shows that a turn began. */
export function noteTurn(before: Spent | undefined, now: Spent): void {
  if (!now.turn_started_at || before?.turn_started_at === now.turn_started_at) return;
  if (before) starts.set(now.id, before.usage.cost_usd);
  else starts.delete(now.id);
}

/** The newest turn's share of a task's cost; null where it is unknown, or the whole. */
export function turnCost(task: Spent): number | null {
  const start = starts.get(task.id);
  return start ? task.usage.cost_usd - start : null;
}
