import type { Task } from "@/api/types";
import { useNow } from "@/app/clock";
import { CodiconIcon } from "@/components/CodiconIcon";
import { Tooltip } from "@/components/Tooltip";
import { clock } from "@/events/words";
import { stateLooks } from "@/states/taskState";

/** What the task does, and since when. Its changes are said aloud once, without the ticking seconds. */
export function StateBadge({ task }: { task: Task }) {
  const ticking = task.state === "running" || task.state === "starting";
  const now = useNow(ticking);
  const { icon, word, tone, spin } = stateLooks[task.state];
  const words = task.state === "running" && task.activity ? task.activity : word;
  const seconds = ticking && task.turn_started_at ? (now - Date.parse(task.turn_started_at)) / 1000 : null;
  return (
    <Tooltip text={words} side="bottom">
      <div className="flex max-w-[40%] min-w-0 shrink-0 items-center gap-1.5 text-mute">
        <CodiconIcon name={icon} className={tone} spin={spin} />
        <span aria-hidden className="hidden truncate @sm:inline @xl:hidden">
          {word}
        </span>
        <span aria-hidden className="hidden truncate @xl:inline">
          {words}
        </span>
        <span role="status" className="sr-only">
          {word}
        </span>
        {seconds !== null && <span className="text-sm tabular-nums">{clock(seconds)}</span>}
      </div>
    </Tooltip>
  );
}
