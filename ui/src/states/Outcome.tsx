import { problemOf } from "@/api/client";
import { useTaskVerb, useWorkspaceVerb } from "@/api/queries";
import { turnCost } from "@/api/turns";
import type { Changes, Problem, Task } from "@/api/types";
import { keys } from "@/app/keys";
import { say } from "@/app/notices";
import { openSettings } from "@/app/overlay";
import { select } from "@/app/selection";
import { Button } from "@/components/Button";
import { CodiconIcon } from "@/components/CodiconIcon";
import { ProblemCard } from "@/components/ProblemCard";
import { money, plural } from "@/events/words";
import { Counts } from "@/transcript/DiffView";

interface Props {
  task: Task;
  changes: Changes | undefined;
  /** The last tests that ran, in words. */
  checks: { words: string; bad: boolean } | null;
  /** Puts a next message into the composer. */
  fill: (text: string) => void;
  /** The last line above says the problem already. */
  told: boolean;
}

/** How a turn ended, and what can be done next. Nothing while it goes on. */
export function Outcome({ task, changes, checks, fill, told }: Props) {
  const verb = useTaskVerb(task.id);
  const go = () => verb.mutate({ verb: "resume" }, { onError: (error) => say(problemOf(error).detail) });
  const resume = (label: string) => (
    <Button look="primary" icon="debug-continue" keys={keys.pause.combo} busy={verb.isPending} onClick={go}>
      {label}
    </Button>
  );
  switch (task.state) {
    case "finished":
      return <Finished task={task} changes={changes} checks={checks} fill={fill} />;
    case "failed": {
      const remedies = (
        <>
          {resume("Try again")}
          <Remedies task={task} code={task.problem?.code ?? ""} />
        </>
      );
      if (told) return <div className="flex flex-wrap gap-2 pb-4">{remedies}</div>;
      return (
        <div className="pt-2 pb-4">
          <ProblemCard problem={task.problem ?? unexplained} live>
            {remedies}
          </ProblemCard>
        </div>
      );
    }
    case "stopped":
      return (
        <Rest
          icon="circle-slash"
          title={task.problem?.title ?? "Stopped at the budget"}
          detail={task.problem?.detail ?? "What it has done stays. Raise the budget below, then continue."}
        >
          {resume("Continue")}
        </Rest>
      );
    case "interrupted":
      return (
        <Rest
          icon="debug-disconnect"
          title={task.problem?.title ?? "Interrupted"}
          detail={task.problem?.detail ?? "The agent ended in the middle of its work. It can go on where it was."}
        >
          {resume("Continue")}
        </Rest>
      );
    case "paused":
      return (
        <Rest icon="debug-pause" title="Paused" detail="It goes on where it was, or with what you write next.">
          {resume("Continue")}
        </Rest>
      );
    default:
      return null;
  }
}

const unexplained: Problem = {
  type: "about:blank",
  title: "The task failed",
  status: 500,
  detail: "The agent stopped with an error and gave no reason.",
  remedy: "Try again. If it fails the same way, run twinseat doctor.",
  code: "unexplained",
  errors: null,
};

function Rest({
  icon,
  title,
  detail,
  children,
}: {
  icon: string;
  title: string;
  detail: string;
  children: React.ReactNode;
}) {
  return (
    <section className="mt-2 mb-4 rounded-md border border-line px-3 py-2">
      <div className="flex gap-2">
        <CodiconIcon name={icon} className="mt-0.5 text-warn" />
        <div className="min-w-0 flex-1">
          <div className="font-semibold text-strong">{title}</div>
          <p className="text-mute">{detail}</p>
        </div>
      </div>
      <div className="mt-2 ml-6 flex flex-wrap gap-2">{children}</div>
    </section>
  );
}

/** The buttons that fit the failure's code, beside trying again. */
function Remedies({ task, code }: { task: Task; code: string }) {
  const retry = useWorkspaceVerb(task.workspace_id);
  if (/model|key|provider|llm|credit|quota|price/.test(code)) {
    return (
      <Button icon="gear" onClick={() => openSettings("models")}>
        Model settings
      </Button>
    );
  }
  if (/agent|runtime/.test(code)) {
    return (
      <Button
        icon="debug-restart"
        busy={retry.isPending}
        onClick={() =>
          retry.mutate({ verb: "retry", body: { part: "agent" } }, { onError: (error) => say(problemOf(error).detail) })
        }
      >
        Start the agent again
      </Button>
    );
  }
  return null;
}

function Finished({ task, changes, checks, fill }: Omit<Props, "told">) {
  const files = changes?.files.length ?? 0;
  const share = turnCost(task);
  const facts = [
    files && changes ? (
      <span key="files">
        {plural(files, "file")} <Counts added={changes.added} removed={changes.removed} />
      </span>
    ) : null,
    checks ? (
      <span key="checks" className={checks.bad ? "text-bad" : "text-ok"}>
        {checks.words}
      </span>
    ) : null,
    task.usage.requests && task.usage.priced ? (
      <span key="cost">
        {task.usage.estimated && "about "}
        {share === null
          ? money(task.usage.cost_usd)
          : `${money(share)} this turn, ${money(task.usage.cost_usd)} in all`}
      </span>
    ) : null,
  ].filter((one) => one !== null);
  return (
    <section aria-label="Finished" className="mt-2 mb-4 rounded-md border border-line px-3 py-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="flex items-center gap-2 font-semibold text-strong">
          <CodiconIcon name="pass-filled" className="text-ok" />
          Finished
        </span>
        <span className="flex flex-wrap gap-x-3 text-mute">{facts}</span>
      </div>
      <div className="mt-2 flex flex-wrap gap-2">
        {files > 0 && (
          <Button icon="git-commit" onClick={() => fill("Commit these changes with a message that says why.")}>
            Commit…
          </Button>
        )}
        {files > 0 && (
          <Button icon="beaker" onClick={() => fill("Run the tests and the linter, and fix what fails.")}>
            Check…
          </Button>
        )}
        <Button icon="add" keys={keys.newTask.combo} onClick={() => select(task.workspace_id)}>
          New task
        </Button>
      </div>
    </section>
  );
}
