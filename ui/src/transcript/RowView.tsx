import { memo } from "react";
import type { Attachment } from "@/api/types";
import { useNow } from "@/app/clock";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";
import { Spinner } from "@/components/Spinner";
import type { Item } from "@/events/log";
import type { Row, Tone } from "@/events/rows";
import { duration, plural } from "@/events/words";
import { openInEditor, useOpened, usePlace } from "./context";
import { Said } from "./Said";
import { Generic } from "./StepDetail";
import { FoldLine, LineButton, StepLine } from "./StepLine";

const tones: Record<Tone, string> = { quiet: "text-mute", good: "text-ok", warn: "text-warn", bad: "text-bad" };

/** One row of the transcript. Rows are replaced when they change, so identity decides whether to draw again. */
export const RowView = memo(function RowView({ row }: { row: Row }) {
  switch (row.type) {
    case "user":
      return <You text={row.text} attachments={row.attachments} images={row.images.length} />;
    case "said":
      return (
        <div className="pt-1.5 pb-2">
          <Said text={row.text} />
        </div>
      );
    case "reasoning":
      return <Reasoning id={row.key} text={row.text} />;
    case "step":
      return <StepLine key={row.step.state} step={row.step} />;
    case "fold":
      return <FoldLine id={row.key} steps={row.steps} />;
    case "mark":
      return (
        <div className="flex gap-2 py-0.75 text-mute">
          <CodiconIcon name={row.icon} className={classes("mt-0.5", tones[row.tone])} />
          <div className="min-w-0 break-words">
            {row.words}
            {row.note && <span className="block text-sm whitespace-pre-wrap">{row.note}</span>}
          </div>
        </div>
      );
    case "problem":
      return <Failure title={row.title} detail={row.detail} remedy={row.remedy} />;
    case "turn":
      return (
        <div className="pt-1 pb-4 text-sm text-faint">
          {[
            duration(row.seconds),
            row.steps ? plural(row.steps, "step") : "",
            row.files ? plural(row.files, "file") + " changed" : "",
          ]
            .filter(Boolean)
            .join(" · ")}
        </div>
      );
    case "other":
      return <Other id={row.key} kind={row.kind} data={row.data} />;
  }
});

/** The user's own words; `waiting` while the agent has not taken them. */
export function You({
  text,
  attachments = [],
  images = 0,
  waiting,
}: {
  text: string;
  attachments?: Attachment[];
  images?: number;
  waiting?: string;
}) {
  const { workspace } = usePlace();
  return (
    <div
      className={classes(
        "mt-2 mb-4 ml-10 rounded-md border px-3 py-2 text-strong",
        waiting ? "border-dashed border-edge text-fg" : "border-transparent bg-hover",
      )}
    >
      <span className="sr-only">You: </span>
      <div className="break-words whitespace-pre-wrap">{text}</div>
      {(attachments.length > 0 || images > 0) && (
        <div className="mt-1.5 flex flex-wrap gap-1">
          {attachments.map(({ path, from_line }) => (
            <button
              key={path}
              type="button"
              className="inline-flex max-w-full items-center gap-1 rounded-sm border border-line px-1.5 text-sm text-mute hover:text-fg"
              onClick={() => void openInEditor(workspace, { path, line: from_line })}
            >
              <CodiconIcon name="file" size={14} />
              <span className="truncate">
                {path}
                {from_line ? `:${from_line}` : ""}
              </span>
            </button>
          ))}
          {images > 0 && <span className="text-sm text-mute">{plural(images, "image")}</span>}
        </div>
      )}
      {waiting && <div className="mt-1 text-sm text-mute">{waiting}</div>}
    </div>
  );
}

function Reasoning({ id, text }: { id: string; text: string }) {
  const [open, toggle] = useOpened(id);
  return (
    <div className="pb-1">
      <LineButton open={open} onToggle={toggle} label="Reasoning">
        <CodiconIcon name="lightbulb" />
        <span className="min-w-0 flex-1 truncate">{open ? "Reasoning" : firstSentence(text)}</span>
        <CodiconIcon name={open ? "chevron-down" : "chevron-right"} className="text-faint" />
      </LineButton>
      {open && (
        <div className="mb-2 ml-2 border-l-2 border-line pl-4 break-words whitespace-pre-wrap text-mute">{text}</div>
      )}
    </div>
  );
}

function firstSentence(text: string): string {
  const words = text.trim().replace(/[*_#`]/g, "");
  return /^[^\n]{0,160}?[.:!?\n](?=\s|$)/.exec(words)?.[0] ?? words.split("\n")[0] ?? "";
}

function Failure({ title, detail, remedy }: { title: string; detail: string; remedy: string | null }) {
  return (
    <div className="my-2 flex gap-2 rounded-md border border-l-3 border-bad/40 border-l-bad px-3 py-2">
      <CodiconIcon name="error" className="mt-0.5 text-bad" />
      <div className="min-w-0 break-words">
        <div className="text-strong">{title}</div>
        {detail && <div className="max-h-40 overflow-auto whitespace-pre-wrap text-mute">{detail}</div>}
        {remedy && <div className="text-fg">{remedy}</div>}
      </div>
    </div>
  );
}

function Other({ id, kind, data }: { id: string; kind: string; data: unknown }) {
  const [open, toggle] = useOpened(id);
  const words = kind
    .replace(/Event$/, "")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
  return (
    <div>
      <LineButton open={open} onToggle={toggle} label={words}>
        <CodiconIcon name="symbol-event" />
        <span className="truncate first-letter:uppercase">{words}</span>
      </LineButton>
      {open && (
        <div className="mb-2 overflow-hidden rounded-md border border-line bg-code">
          <Generic value={data} />
        </div>
      )}
    </div>
  );
}

/** What is being written right now. */
export function ItemView({ item }: { item: Item }) {
  const thinking = !item.text && item.aborted === null;
  const now = useNow(thinking);
  const seconds = Math.max(0, Math.floor((now - item.startedAt) / 1000));
  return (
    <div className="pt-1.5 pb-2">
      {item.reasoning && thinking && (
        <div className="mb-1">
          <div className="flex items-center gap-2 py-0.75 text-mute">
            <Spinner />
            <span>Thinking</span>
            {seconds > 0 && <span className="text-sm tabular-nums">{seconds} s</span>}
          </div>
          <div className="ml-2 flex max-h-30 flex-col-reverse overflow-hidden border-l-2 border-line pl-4 break-words whitespace-pre-wrap text-mute">
            {item.reasoning.slice(-1200)}
          </div>
        </div>
      )}
      {item.text && <Said text={item.text} streaming />}
      {item.aborted !== null && (
        <div className="mt-1 flex items-center gap-2 text-sm text-warn">
          <CodiconIcon name="circle-slash" size={14} /> Cut off{/Error$/.test(item.aborted) ? "" : `: ${item.aborted}`}
        </div>
      )}
    </div>
  );
}
