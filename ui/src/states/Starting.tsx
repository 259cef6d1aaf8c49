import type { Phase, RuntimeStatus } from "@/api/types";
import { useNow } from "@/app/clock";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";
import { Spinner } from "@/components/Spinner";
import { duration } from "@/events/words";

/** The phases of a start with their time: what is done, what runs, and why when it takes long. */
export function Starting({ status, title }: { status: RuntimeStatus; title: string }) {
  return (
    <section aria-label={title} className="my-2 rounded-md border border-line px-3 py-2">
      <div className="mb-1 font-semibold text-strong">{title}</div>
      <ol className="grid gap-0.5">
        {status.phases.map((phase) => (
          <PhaseLine key={phase.name + phase.started_at} phase={phase} />
        ))}
        {!status.phases.length && (
          <li className="flex items-center gap-2 text-mute">
            <Spinner /> Asking for a place to run
          </li>
        )}
      </ol>
      {status.restarts > 0 && (
        <p className="mt-1 text-sm text-mute">
          It ended {status.restarts === 1 ? "once" : `${status.restarts} times`} and is being started again.
        </p>
      )}
    </section>
  );
}

function PhaseLine({ phase }: { phase: Phase }) {
  const running = phase.took === null;
  const now = useNow(running);
  const seconds = phase.took ?? Math.max(0, (now - Date.parse(phase.started_at)) / 1000);
  return (
    <li className={classes("flex gap-2", running ? "text-fg" : "text-mute")}>
      <span className="mt-0.5">
        {running ? <Spinner label="Now" /> : <CodiconIcon name="check" label="Done" className="text-ok" />}
      </span>
      <span className="min-w-0 flex-1 break-words">
        {phase.name}
        {phase.detail && <span className="block text-sm text-mute">{phase.detail}</span>}
      </span>
      <span className="text-sm tabular-nums">{running ? `${Math.floor(seconds)} s` : duration(seconds)}</span>
    </li>
  );
}
