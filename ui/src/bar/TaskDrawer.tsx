import { useEffect, useRef, useState } from "react";
import { problemOf } from "@/api/client";
import { useChangeTask, useTasks, useWorkspaces } from "@/api/queries";
import type { Task } from "@/api/types";
import { keys } from "@/app/keys";
import { say } from "@/app/notices";
import { overlay } from "@/app/overlay";
import { select } from "@/app/selection";
import { Button } from "@/components/Button";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";
import { IconButton } from "@/components/IconButton";
import { ProblemCard } from "@/components/ProblemCard";
import { ago } from "@/events/words";
import { stateLooks } from "@/states/taskState";
import { toDelete } from "./toDelete";

/** Every task, newest first; lies over the chat until one is chosen. */
export function TaskDrawer({ current, workspace }: { current: string | null; workspace: string | null }) {
  const [query, setQuery] = useState("");
  const [asked, setAsked] = useState("");
  const tasks = useTasks(asked);
  const names = new Map(useWorkspaces().data?.map(({ id, name }) => [id, name]));
  const element = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(query.trim()), 150);
    return () => clearTimeout(timer);
  }, [query]);
  useEffect(() => {
    const before = document.activeElement;
    field.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const close = () => overlay.set(null);
  // On the window: a deleted row takes the focus with it.
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      // An open tooltip marks the event as its own; the key is meant for the drawer all the same.
      if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      overlay.set(null);
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
  const found = tasks.data?.tasks ?? [];
  const move = (by: number) => {
    const rows = [...(element.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    rows[Math.min(rows.length - 1, Math.max(0, at + by))]?.focus();
  };
  return (
    <div
      className="absolute inset-0 z-30 bg-shade"
      onMouseDown={(event) => event.target === event.currentTarget && close()}
    >
      <div
        ref={element}
        role="dialog"
        aria-label="Task list"
        className="flex h-full w-[min(340px,calc(100%-32px))] animate-rise flex-col border-r border-edge bg-side shadow-float"
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") move(1);
          else if (event.key === "ArrowUp") move(-1);
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      >
        <div className="flex items-center gap-1.5 p-2">
          <div className="relative min-w-0 flex-1">
            <CodiconIcon name="search" size={14} className="pointer-events-none absolute top-1.75 left-2 text-mute" />
            <input
              type="search"
              aria-label="Search tasks"
              placeholder="Search tasks"
              ref={field}
              value={query}
              onChange={(event) => setQuery(event.target.value)}
              className="h-7 w-full rounded-sm border border-edge bg-bg pr-2 pl-7 text-fg outline-none focus:border-focus"
            />
          </div>
          <Button
            look="primary"
            icon="add"
            keys={keys.newTask.combo}
            tip="New task"
            className="h-7"
            onClick={() => {
              close();
              select(workspace);
            }}
          >
            New
          </Button>
        </div>
        <ul className="min-h-0 flex-1 overflow-auto px-1 pb-2">
          {found.map((task) => (
            <Row
              key={task.id}
              task={task}
              place={names.get(task.workspace_id) ?? "Removed workspace"}
              current={task.id === current}
            />
          ))}
          {tasks.isError && !tasks.data && (
            <li className="p-2">
              <ProblemCard problem={problemOf(tasks.error)} />
            </li>
          )}
          {tasks.data && !found.length && (
            <li className="px-2 py-6 text-center text-mute">
              {asked ? `No task matches “${asked}”.` : "No tasks yet."}
            </li>
          )}
          {tasks.data?.more && (
            <li className="px-2 py-2 text-sm text-mute">Only the newest are shown. Search finds the rest.</li>
          )}
        </ul>
        <div className="border-t border-line p-1">
          <Button
            look="ghost"
            icon="folder-opened"
            className="w-full justify-start!"
            onClick={() => overlay.set("folder")}
          >
            Open a workspace…
          </Button>
        </div>
      </div>
    </div>
  );
}

function Row({ task, place, current }: { task: Task; place: string; current: boolean }) {
  const [draft, setDraft] = useState<string | null>(null);
  const change = useChangeTask(task.id);
  const { icon, word, tone, spin } = stateLooks[task.state];
  const save = () => {
    const title = draft?.trim();
    setDraft(null);
    if (title && title !== task.title) change.mutate({ title }, { onError: (error) => say(problemOf(error).detail) });
  };
  const open = () => {
    overlay.set(null);
    select(task.workspace_id, task.id);
  };
  return (
    <li className={classes("group flex items-center rounded-sm hover:bg-hover", current && "bg-press")}>
      {draft === null ? (
        <button
          type="button"
          data-row
          aria-current={current || undefined}
          className="flex min-w-0 flex-1 gap-2 rounded-sm px-2 py-1.5 text-left"
          onClick={open}
          onKeyDown={(event) => {
            if (event.key === "F2") setDraft(task.title);
            else if (event.key === "Delete") toDelete.set(task);
            else return;
            // The open task's own F2 must not answer too.
            event.preventDefault();
          }}
        >
          <CodiconIcon name={icon} className={classes("mt-0.5", tone)} spin={spin} />
          <span className="min-w-0 flex-1">
            <span className={classes("block truncate", current ? "text-strong" : "text-fg")}>
              {task.title || "Untitled"}
            </span>
            <span className="block truncate text-sm text-mute">
              {word} · {place} · {ago(task.updated_at)}
            </span>
          </span>
        </button>
      ) : (
        <input
          aria-label="Task title"
          autoFocus
          maxLength={200}
          className="mx-1 my-2 h-7 min-w-0 flex-1 rounded-sm border border-focus bg-bg px-1.5 text-strong outline-none"
          value={draft}
          onFocus={(event) => event.target.select()}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={save}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Enter") save();
            if (event.key !== "Escape") return;
            event.preventDefault();
            setDraft(null);
          }}
        />
      )}
      <span className="flex pr-1 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
        <IconButton icon="edit" label="Rename" keys="F2" onClick={() => setDraft(task.title)} />
        <IconButton icon="trash" label="Delete" keys="Delete" onClick={() => toDelete.set(task)} />
      </span>
    </li>
  );
}
