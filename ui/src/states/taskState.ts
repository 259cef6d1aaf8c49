import type { Task, TaskState } from "@/api/types";

interface Look {
  icon: string;
  word: string;
  /** Text colour of the icon. */
  tone: string;
  spin?: boolean;
}

/** A state by icon and word; colour only adds. */
export const stateLooks: Record<TaskState, Look> = {
  idle: { icon: "circle-large", word: "Ready", tone: "text-mute" },
  starting: { icon: "loading", word: "Starting", tone: "text-link", spin: true },
  running: { icon: "loading", word: "Working", tone: "text-link", spin: true },
  waiting: { icon: "question", word: "Waiting for you", tone: "text-warn" },
  paused: { icon: "debug-pause", word: "Paused", tone: "text-warn" },
  finished: { icon: "pass", word: "Finished", tone: "text-ok" },
  failed: { icon: "error", word: "Failed", tone: "text-bad" },
  interrupted: { icon: "debug-disconnect", word: "Interrupted", tone: "text-warn" },
  stopped: { icon: "circle-slash", word: "Stopped", tone: "text-warn" },
};

/** The agent works, or will as soon as it can. */
export const isBusy = ({ state }: Task): boolean => state === "running" || state === "starting" || state === "waiting";

/** It can be told to go on where it was. */
export const canResume = ({ state }: Task): boolean =>
  state === "paused" || state === "interrupted" || state === "stopped" || state === "failed";
