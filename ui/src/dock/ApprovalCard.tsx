import { useEffect, useRef, useState } from "react";
import { problemOf } from "@/api/client";
import { useChangeTask, useTaskVerb } from "@/api/queries";
import type { PendingAction, Risk, Task } from "@/api/types";
import { useCommand } from "@/app/commands";
import { keys, matches } from "@/app/keys";
import { say } from "@/app/notices";
import { Button } from "@/components/Button";
import { CodiconIcon } from "@/components/CodiconIcon";
import { text } from "@/events/read";
import { plural } from "@/events/words";
import { Generic } from "@/transcript/StepDetail";

/** For this long after it appears, a key in the card does nothing: it was meant for something else. */
export const DEAF = 500;

const risks: Record<Risk, string> = {
  low: "Low risk",
  medium: "Medium risk",
  high: "High risk",
  unknown: "Risk unknown",
};

interface Props {
  task: Task;
  action: PendingAction;
  /** How many more wait behind this one. */
  more: number;
  toComposer: () => void;
}

/** The one loud thing: what the agent wants, why it is asked, and the three answers. It never takes the focus. */
export function ApprovalCard({ task, action, more, toComposer }: Props) {
  const [reason, setReason] = useState<string | null>(null);
  const [stopping, setStopping] = useState(false);
  const verb = useTaskVerb(task.id);
  const change = useChangeTask(task.id);
  const card = useRef<HTMLElement>(null);
  const since = useRef(0);
  useEffect(() => {
    since.current = performance.now();
  }, []);
  const answer = (name: "approve" | "reject", body?: unknown) =>
    verb.mutate(
      { verb: `actions/${action.id}/${name}`, body },
      { onError: (error) => say(problemOf(error).detail), onSuccess: toComposer },
    );
  const stopAsking = () =>
    change.mutate(
      { mode: "ask_never" },
      { onSuccess: () => answer("approve"), onError: (e) => say(problemOf(e).detail) },
    );
  const keepAsking = () => {
    setStopping(false);
    since.current = performance.now();
    card.current?.focus();
  };
  const busy = verb.isPending || change.isPending;
  useCommand("approval", { title: "Go to the question", icon: "question", key: "approval" }, () =>
    card.current?.focus(),
  );
  const command = text(action.arguments.command);
  const path = text(action.arguments.path);
  const shell = action.tool === "terminal" && command;
  return (
    <section
      ref={card}
      tabIndex={-1}
      role="group"
      aria-label="The agent asks for your approval"
      className="animate-rise rounded-md border border-l-3 border-warn/55 border-l-warn bg-[color-mix(in_srgb,var(--warn)_8%,var(--side))] px-3 py-2.5"
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.preventDefault();
          event.stopPropagation();
          setReason(null);
          setStopping(false);
          toComposer();
          return;
        }
        const typing = event.target instanceof HTMLInputElement;
        if (typing || stopping || busy || performance.now() - since.current < DEAF) return;
        if (matches(event, keys.approve.combo)) answer("approve");
        else if (matches(event, keys.reject.combo)) setReason("");
        else return;
        event.preventDefault();
      }}
    >
      <span className="sr-only" role="status">
        The agent waits for your approval: {action.summary ?? action.reason}
      </span>
      <div className="flex gap-2">
        <CodiconIcon name="warning" className="mt-0.5 text-warn" />
        <div className="min-w-0 flex-1">
          <div className="font-semibold break-words text-strong">
            {action.summary ?? (shell ? "Run a command" : `Use ${action.tool}`)}
          </div>
          {shell ? (
            <pre className="my-1.5 max-h-32 overflow-auto rounded-sm bg-hover px-2 py-1 font-mono text-sm whitespace-pre-wrap break-words text-fg">
              {command}
            </pre>
          ) : path ? (
            <div className="my-1 font-mono text-sm break-all text-fg">
              {command} {path}
            </div>
          ) : (
            <div className="my-1 max-h-32 overflow-auto">
              <Generic value={action.arguments} />
            </div>
          )}
          <p className="text-mute">
            {risks[action.risk]}. {action.reason}
            {more > 0 && ` ${plural(more, "more question")} after this one.`}
          </p>
        </div>
      </div>
      {stopping ? (
        <div role="group" aria-label="Stop asking in this task" className="mt-2 ml-6">
          <p className="text-strong">The agent will do everything in this task without a question.</p>
          <div className="mt-2 flex flex-wrap gap-2">
            <Button look="danger" busy={busy} onClick={stopAsking}>
              Stop asking
            </Button>
            {/* The safe answer takes the focus, so that a second press of the same key changes nothing. */}
            <Button autoFocus disabled={busy} onClick={keepAsking}>
              Cancel
            </Button>
          </div>
        </div>
      ) : reason === null ? (
        <div className="mt-2 flex flex-wrap gap-2">
          <Button
            look="primary"
            keys={keys.approve.combo}
            showKeys
            tip="Approve this once"
            busy={busy}
            onClick={() => answer("approve")}
          >
            Approve
          </Button>
          <Button
            keys={keys.reject.combo}
            showKeys
            tip="Reject and say why"
            disabled={busy}
            onClick={() => setReason("")}
          >
            Reject with a reason
          </Button>
          <Button tip="Approve this and all that follows" disabled={busy} onClick={() => setStopping(true)}>
            Stop asking in this task
          </Button>
        </div>
      ) : (
        <form
          className="mt-2 flex flex-wrap gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            answer("reject", { reason: reason.trim() });
          }}
        >
          <input
            aria-label="Why not, for the agent"
            placeholder="Why not? The agent reads it (optional)"
            autoFocus
            maxLength={4000}
            className="h-6.5 min-w-40 flex-1 rounded-sm border border-edge bg-bg px-2 text-fg outline-none focus:border-focus"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
          <Button type="submit" look="primary" busy={verb.isPending} keys="Enter" tip="Reject">
            Reject
          </Button>
          <Button onClick={() => setReason(null)}>Back</Button>
        </form>
      )}
    </section>
  );
}
