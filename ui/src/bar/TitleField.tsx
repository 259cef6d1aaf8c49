import { useState } from "react";
import { useChangeTask } from "@/api/queries";
import type { Task } from "@/api/types";
import { say } from "@/app/notices";
import { problemOf } from "@/api/client";
import { keys } from "@/app/keys";
import { useCommand } from "@/app/commands";
import { Tooltip } from "@/components/Tooltip";

/** The task's title; a click or F2 makes it a field. */
export function TitleField({ task }: { task: Task }) {
  const [draft, setDraft] = useState<string | null>(null);
  const change = useChangeTask(task.id);
  const begin = () => setDraft(task.title);
  useCommand("rename", { title: "Rename the task", icon: "edit", key: "rename" }, begin);
  const save = () => {
    const title = draft?.trim();
    setDraft(null);
    if (title && title !== task.title) {
      change.mutate({ title }, { onError: (error) => say(problemOf(error).detail) });
    }
  };
  if (draft !== null) {
    return (
      <input
        aria-label="Task title"
        className="h-6 min-w-0 flex-1 rounded-sm border border-focus bg-bg px-1.5 font-semibold text-strong outline-none"
        value={draft}
        maxLength={200}
        autoFocus
        onFocus={(event) => event.target.select()}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={save}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.nativeEvent.isComposing) save();
          if (event.key === "Escape") setDraft(null);
        }}
      />
    );
  }
  return (
    <h1 className="min-w-0 flex-1">
      <Tooltip text="Rename the task" keys={keys.rename.combo} side="bottom">
        <button
          type="button"
          className="block max-w-full truncate rounded-sm px-1 text-left font-semibold text-strong hover:bg-hover"
          onClick={begin}
        >
          {change.isPending ? (change.variables.title ?? task.title) : task.title || "Untitled"}
        </button>
      </Tooltip>
    </h1>
  );
}
