import { useState } from "react";
import type { Changes, Task } from "@/api/types";
import { useCommand } from "@/app/commands";
import { keys } from "@/app/keys";
import { Button } from "@/components/Button";
import { CodiconIcon } from "@/components/CodiconIcon";
import { Tooltip } from "@/components/Tooltip";
import { count, money, plural } from "@/events/words";
import { Counts } from "@/transcript/DiffView";
import { PlanList } from "@/transcript/PlanList";
import { ApprovalCard } from "./ApprovalCard";
import { Review } from "./Review";

interface Props {
  task: Task;
  changes: Changes | undefined;
  /** Where the focus goes when a card is left by Esc. */
  toComposer: () => void;
}

/** What the user should see while the conversation scrolls: the plan, a question, the changes. Absent when empty. */
export function Dock({ task, changes, toComposer }: Props) {
  const [reviewing, setReviewing] = useState(false);
  const [pending] = task.pending;
  const files = changes?.files.length ?? 0;
  const current = task.plan.find(({ status }) => status === "in_progress");
  const unfinished = task.plan.some(({ status }) => status !== "done");
  const showPlan = task.plan.length > 0 && (unfinished || task.state === "running");
  const spent = task.usage.prompt_tokens + task.usage.completion_tokens > 0;
  useCommand("review", { title: "Review the changes", icon: "diff", key: "review", enabled: files > 0 }, () =>
    setReviewing(!reviewing),
  );
  if (!showPlan && !pending && !files && !spent) return null;
  return (
    <section aria-label="State of the task" className="@container shrink-0 border-t border-line">
      <div className="mx-auto grid max-h-[50vh] max-w-200 gap-2 overflow-y-auto px-3 py-2">
        {showPlan && <Plan task={task} current={current?.title ?? null} quiet={pending !== undefined} />}
        {pending && (
          <ApprovalCard
            key={pending.id}
            task={task}
            action={pending}
            more={task.pending.length - 1}
            toComposer={toComposer}
          />
        )}
        {reviewing && files > 0 && changes && <Review workspace={task.workspace_id} changes={changes} />}
        <div className="flex min-h-6.5 items-center gap-2">
          {files > 0 && changes && (
            <>
              <span className="whitespace-nowrap">{plural(files, "file")}</span>
              <Counts added={changes.added} removed={changes.removed} />
              <Button
                keys={keys.review.combo}
                tip={reviewing ? "Close the review" : "Review the changes"}
                aria-expanded={reviewing}
                onClick={() => setReviewing(!reviewing)}
              >
                Review
              </Button>
            </>
          )}
          <Spent task={task} />
        </div>
      </div>
    </section>
  );
}

/** `quiet` while there is a question: one loud thing at a time, so the plan folds unless the user wants it open. */
function Plan({ task, current, quiet }: { task: Task; current: string | null; quiet: boolean }) {
  const [wanted, setWanted] = useState<boolean | null>(null);
  const open = wanted ?? !quiet;
  const setOpen = setWanted;
  const done = task.plan.filter(({ status }) => status === "done").length;
  useCommand("plan", { title: "Fold or show the plan", icon: "checklist", key: "plan" }, () => setOpen(!open));
  return (
    <div>
      <Tooltip text={open ? "Fold the plan" : "Show the plan"} keys={keys.plan.combo}>
        <button
          type="button"
          aria-expanded={open}
          className="-ml-1 flex w-full items-center gap-1 rounded-sm px-1 text-left text-mute hover:bg-hover"
          onClick={() => setOpen(!open)}
        >
          <CodiconIcon name={open ? "chevron-down" : "chevron-right"} size={14} />
          <span className="shrink-0 text-sm">
            Plan · {done} of {task.plan.length}
          </span>
          {!open && current && <span className="truncate text-strong">{current}</span>}
        </button>
      </Tooltip>
      {open && (
        <div className="mt-1 max-h-44 overflow-y-auto">
          <PlanList steps={task.plan} />
        </div>
      )}
    </div>
  );
}

/** Money and tokens, with what is uncertain about them said. */
function Spent({ task }: { task: Task }) {
  const { usage, budget_usd } = task;
  const tokens = usage.prompt_tokens + usage.completion_tokens;
  if (!tokens) return null;
  const cost = usage.priced ? `${usage.estimated ? "about " : ""}${money(usage.cost_usd)}` : "price unknown";
  const near = budget_usd !== null && usage.cost_usd > budget_usd * 0.8;
  const detail = [
    `${usage.prompt_tokens.toLocaleString()} tokens in`,
    usage.cached_tokens ? `${usage.cached_tokens.toLocaleString()} of them cached` : "",
    `${usage.completion_tokens.toLocaleString()} out`,
    plural(usage.requests, "request"),
    usage.estimated ? "partly counted here, since the provider does not say" : "",
  ]
    .filter(Boolean)
    .join(", ");
  return (
    <Tooltip text={detail}>
      <span className={`ml-auto truncate text-sm tabular-nums ${near ? "text-warn" : "text-faint"}`}>
        {cost}
        {budget_usd !== null && usage.priced && ` of ${money(budget_usd)}`}
        <span className="hidden @xs:inline"> · {count(tokens)} tokens</span>
      </span>
    </Tooltip>
  );
}
