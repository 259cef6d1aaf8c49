import { useMemo, useSyncExternalStore, type ReactNode } from "react";
import type { Changes, QueuedMessage, RuntimeStatus, Task, Workspace } from "@/api/types";
import { useNow } from "@/app/clock";
import { Button } from "@/components/Button";
import { CodiconIcon } from "@/components/CodiconIcon";
import { ProblemCard } from "@/components/ProblemCard";
import { Spinner } from "@/components/Spinner";
import { outcomeOf } from "@/events/step";
import type { EventLog, LogState } from "@/events/log";
import { Outcome } from "@/states/Outcome";
import { Starting } from "@/states/Starting";
import { PlaceContext, WaitingContext } from "./context";
import { You } from "./RowView";
import { Transcript } from "./Transcript";
import { useLog } from "./useLog";

/** A message on its way to the backend. */
export interface Outgoing {
  id: string;
  text: string;
}

interface Props {
  task: Task;
  workspace: Workspace | null;
  status?: RuntimeStatus;
  changes: Changes | undefined;
  outgoing: Outgoing[];
  fill: (text: string) => void;
}

/** A task's conversation with what belongs below its last line. */
export function TaskView({ task, workspace, status, changes, outgoing, fill }: Props) {
  const { log, problem, retry } = useLog(task.id);
  const state = useSyncExternalStore(log.subscribe, log.get);
  const root = workspace?.path ?? "";
  const place = useMemo(
    () => ({ workspace: task.workspace_id, root, opened: new Map<string, boolean>() }),
    [task.workspace_id, root],
  );
  const waiting = useMemo(() => new Set(task.pending.map(({ id }) => id)), [task.pending]);
  const line = useInLine(task, state);
  const tail = useTail({ task, status, changes, outgoing, fill, state, line });
  return (
    <PlaceContext value={place}>
      {problem && !state.loaded ? (
        <div className="min-h-0 flex-1 p-3">
          <ProblemCard problem={problem}>
            <Button icon="refresh" onClick={retry}>
              Try again
            </Button>
          </ProblemCard>
        </div>
      ) : (
        <WaitingContext value={waiting}>
          <Transcript log={log} queued={line} tail={tail} />
        </WaitingContext>
      )}
      <Announcer log={log} />
    </PlaceContext>
  );
}

/** Messages that the agent has not read: not taken yet, or taken while it writes an answer that can't know them. */
function useInLine(task: Task, { rows, items }: LogState): readonly QueuedMessage[] {
  const after = items.find(({ aborted }) => aborted === null)?.after;
  return useMemo(() => {
    if (after === undefined) return task.queue;
    const queued = new Set(task.queue.map(({ id }) => id));
    const late = rows
      .filter((row) => row.type === "user" && row.position > after && !queued.has(row.key))
      .map((row) => ({ id: row.key, text: row.type === "user" ? row.text : "", position: row.position }));
    return [...late, ...task.queue];
  }, [rows, after, task.queue]);
}

type TailProps = Omit<Props, "workspace"> & { state: LogState; line: readonly QueuedMessage[] };

function useTail({
  task,
  status,
  changes,
  outgoing,
  fill,
  state,
  line,
}: TailProps): { key: string; node: ReactNode }[] {
  const { rows, items, loaded } = state;
  const checks = useMemo(() => {
    for (let at = rows.length - 1; at >= 0 && at > rows.length - 60; at--) {
      const row = rows[at];
      if (row?.type !== "step" || row.step.kind !== "shell") continue;
      const outcome = outcomeOf(row.step);
      if (outcome && /passed|failed/.test(outcome.words)) return outcome;
    }
    return null;
  }, [rows]);
  const tail: { key: string; node: ReactNode }[] = [];
  if (!loaded) return tail;
  const arrived = new Set(rows.slice(-20).map(({ key }) => key));
  const waiting = new Set(line.map(({ id }) => id));
  const last = rows.findLast(({ key }) => !waiting.has(key));
  const acting = last?.type === "step" && last.step.state === "running";
  const quiet = !acting && !items.some(({ aborted }) => aborted === null);
  // Words that were cut off stand between that line and this one.
  const told = !items.length && last?.type === "problem" && last.title === task.problem?.title;
  tail.push({
    key: `outcome ${task.state}`,
    node: <Outcome task={task} changes={changes} checks={checks} fill={fill} told={told} />,
  });
  for (const message of line) {
    const words =
      task.state === "starting"
        ? "Waits until the agent is up"
        : quiet
          ? "On its way to the agent"
          : "In line: the agent reads it after this step";
    tail.push({ key: `queue ${message.id}`, node: <You text={message.text} waiting={words} /> });
  }
  for (const message of outgoing) {
    if (arrived.has(message.id) || waiting.has(message.id)) continue;
    tail.push({ key: `out ${message.id}`, node: <You text={message.text} waiting="Sending" /> });
  }
  if (task.state === "running" && quiet) {
    tail.push({ key: "working", node: <Working since={lastMoment(state, task)} trouble={task.problem?.detail} /> });
  }
  if (status && (task.state === "starting" || (task.queue.length > 0 && status.state === "starting"))) {
    tail.push({ key: "starting", node: <Starting status={status} title="Getting ready" /> });
  }
  return tail;
}

function lastMoment({ rows }: LogState, task: Task): number {
  const last = rows.at(-1);
  if (last?.type === "step" && last.step.endedAt) return last.step.endedAt;
  return task.turn_started_at ? Date.parse(task.turn_started_at) : Date.parse(task.updated_at);
}

/** `trouble` is why the model has to be asked again. */
function Working({ since, trouble }: { since: number; trouble?: string | undefined }) {
  const seconds = Math.floor((useNow(true) - since) / 1000);
  return (
    <div className="py-0.75 text-mute">
      <div className="flex items-center gap-2">
        <Spinner />
        <span>{trouble ? "Trying the model again" : "Waiting for the model"}</span>
        {seconds >= 2 && <span className="text-sm tabular-nums">{seconds} s</span>}
      </div>
      {trouble && (
        <p role="status" className="mt-1 flex gap-2 break-words text-fg">
          <CodiconIcon name="warning" className="mt-0.5 text-warn" />
          <span className="min-w-0">{trouble}</span>
        </p>
      )}
    </div>
  );
}

/** Reads the agent's finished words aloud to screen readers, once each and not while they stream. */
function Announcer({ log }: { log: EventLog }) {
  const { rows } = useSyncExternalStore(log.subscribe, log.get);
  const last = rows.findLast(({ type }) => type === "said");
  return (
    <div aria-live="polite" className="sr-only">
      {last?.type === "said" ? last.text.slice(0, 600).replace(/[*_`#|]/g, "") : ""}
    </div>
  );
}
