import { cell } from "./cell";

/** What the cockpit shows: a workspace, and one of its tasks or, with `task` null, the place to start one. */
export interface Selection {
  workspace: string | null;
  task: string | null;
}

const STORED = "twinseat.selection";

function first(): Selection {
  const query = new URLSearchParams(location.search);
  if (query.has("workspace") || query.has("task")) {
    return { workspace: query.get("workspace") || null, task: query.get("task") || null };
  }
  try {
    const stored = JSON.parse(localStorage.getItem(STORED) ?? "null") as Partial<Selection> | null;
    return { workspace: stored?.workspace ?? null, task: stored?.task ?? null };
  } catch {
    return { workspace: null, task: null };
  }
}

/** Kept over reloads. A workspace or task in the address wins, so that the window can say what to open. */
export const selection = cell<Selection>(first());

selection.subscribe(() => localStorage.setItem(STORED, JSON.stringify(selection.get())));

export function select(workspace: string | null, task: string | null = null): void {
  const before = selection.get();
  if (before.workspace === workspace && before.task === task) return;
  selection.set({ workspace, task });
}
