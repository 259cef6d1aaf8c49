import { memo, use, type ReactNode } from "react";
import { useNow } from "@/app/clock";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";
import { Spinner } from "@/components/Spinner";
import { diffOf } from "@/events/edit";
import { lineOf, outcomeOf, relative, pathOf, type Step } from "@/events/step";
import { duration, plural } from "@/events/words";
import { usePlace, useOpened, WaitingContext } from "./context";
import { Counts } from "./DiffView";
import { StepDetail } from "./StepDetail";

/** One action: icon, verb, target, duration, result; a click opens what is behind it. */
export const StepLine = memo(function StepLine({ step, inner }: { step: Step; inner?: boolean }) {
  const { root } = usePlace();
  const waiting = use(WaitingContext).has(step.id);
  const failed = step.state === "failed";
  // A step that fails opens by itself, unless the reader has decided otherwise.
  const [open, toggle] = useOpened(`${step.id} ${step.state}`, failed && !inner);
  const line = lineOf(step, root);
  const { icon, target } = line;
  const verb = waiting ? "Wants to run" : line.verb;
  const has = step.kind !== "other" || step.observation !== null || Object.keys(step.action).length > 0;
  return (
    <div>
      <LineButton open={open} onToggle={has ? toggle : undefined} label={`${verb} ${target}`}>
        {waiting ? <CodiconIcon name="question" className="text-warn" /> : <StateIcon step={step} icon={icon} />}
        <span className="min-w-0 flex-1 truncate text-fg">
          {verb} {target && <Code>{target}</Code>}
        </span>
        {waiting ? <span className="shrink-0 pl-2 text-sm text-warn">waits for you</span> : <Result step={step} />}
      </LineButton>
      {open && <StepDetail step={step} />}
    </div>
  );
});

export const Code = ({ children }: { children: ReactNode }) => (
  <code className="rounded-sm bg-hover px-1 py-px font-mono text-sm text-fg">{children}</code>
);

function StateIcon({ step, icon }: { step: Step; icon: string }) {
  if (step.state === "running") return <Spinner label="Running" />;
  if (step.state === "failed") return <CodiconIcon name="error" className="text-bad" label="Failed" />;
  if (step.state === "rejected") return <CodiconIcon name="circle-slash" className="text-warn" label="Rejected" />;
  return <CodiconIcon name={icon} />;
}

function Result({ step }: { step: Step }) {
  const running = step.state === "running";
  const now = useNow(running);
  const outcome = outcomeOf(step);
  const seconds = Math.max(0, ((step.endedAt ?? now) - step.startedAt) / 1000);
  const edit = step.kind === "edit" && step.state === "done" ? diffOf(step) : null;
  return (
    <span className="ml-auto flex shrink-0 gap-1.5 pl-2 text-sm text-mute tabular-nums">
      {edit ? (
        <Counts added={edit.added} removed={edit.removed} />
      ) : (
        <>
          {outcome && <span className={outcome.bad ? "text-bad" : "text-fg"}>{outcome.words}</span>}
          {outcome && <span aria-hidden>·</span>}
          {(running ? seconds >= 1 : step.kind !== "plan" && step.kind !== "think") && (
            <span>{running && seconds < 60 ? `${Math.floor(seconds)} s` : duration(seconds)}</span>
          )}
        </>
      )}
    </span>
  );
}

/** The clickable line that opens and closes what is below it. */
export function LineButton({
  open,
  onToggle,
  label,
  children,
}: {
  open: boolean;
  onToggle?: () => void;
  label: string;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      aria-expanded={onToggle ? open : undefined}
      aria-label={label}
      disabled={!onToggle}
      onClick={onToggle}
      className={classes(
        "-mx-1.5 flex w-[calc(100%+12px)] items-center gap-2 rounded-sm px-1.5 py-0.75 text-left text-mute",
        onToggle && "hover:bg-hover",
      )}
    >
      {children}
    </button>
  );
}

/** A run of reads and searches in one line. */
export const FoldLine = memo(function FoldLine({ id, steps }: { id: string; steps: Step[] }) {
  const { root } = usePlace();
  const [open, toggle] = useOpened(id);
  const first = steps[0];
  const running = steps.some(({ state }) => state === "running");
  if (!first) return null;
  if (steps.length === 1) return <StepLine step={first} />;
  const files = new Set(steps.filter(({ kind }) => kind === "read").map(pathOf));
  const searches = steps.filter(({ kind }) => kind === "search");
  const only = [...files][0] ?? "";
  const read = files.size ? "Read" : "";
  const file = files.size === 1 ? relative(only, root) : "";
  const searched = searches.length ? (read ? ", searched" : "Searched") : "";
  const query = searches.length === 1 ? lineOf(searches[0] ?? first, root).target : "";
  const ends = steps.map(({ endedAt }) => endedAt ?? 0);
  const seconds = (Math.max(...ends) - first.startedAt) / 1000;
  return (
    <div>
      <LineButton
        open={open}
        onToggle={toggle}
        label={`${read} ${file || plural(files.size, "file")}${searched} ${query}`}
      >
        {running ? <Spinner label="Running" /> : <CodiconIcon name={open ? "chevron-down" : "chevron-right"} />}
        <span className="min-w-0 flex-1 truncate text-fg">
          {read} {file ? <Code>{file}</Code> : read && plural(files.size, "file")}
          {searched} {query ? <Code>{query}</Code> : searched && plural(searches.length, "time")}
        </span>
        {!running && <span className="shrink-0 pl-2 text-sm tabular-nums">{duration(Math.max(0, seconds))}</span>}
      </LineButton>
      {open && (
        <div className="ml-2 border-l border-line pl-3">
          {steps.map((step) => (
            <StepLine key={step.id} step={step} inner />
          ))}
        </div>
      )}
    </div>
  );
});
