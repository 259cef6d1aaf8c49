import { useState } from "react";
import { problemOf } from "@/api/client";
import { useTaskVerb } from "@/api/queries";
import type { RuntimeStatus, Task, Workspace } from "@/api/types";
import { useCell } from "@/app/cell";
import { useCommand } from "@/app/commands";
import { keys } from "@/app/keys";
import { native } from "@/app/native";
import { say } from "@/app/notices";
import { openSettings, overlay } from "@/app/overlay";
import { select } from "@/app/selection";
import { IconButton } from "@/components/IconButton";
import { Menu, MenuItem, MenuLine } from "@/components/Menu";
import { canResume } from "@/states/taskState";
import { StateBadge } from "./StateBadge";
import { TitleField } from "./TitleField";
import { toDelete } from "./toDelete";
import { WorkspaceMenu } from "./WorkspaceMenu";

interface Props {
  workspace: Workspace | null;
  status?: RuntimeStatus;
  task: Task | null;
  /** Moves the focus to the editor pane, where there is one. */
  onEditor?: () => void;
}

/** One line: where, what, how it goes, and everything else behind two buttons. */
export function Bar({ workspace, status, task, onEditor }: Props) {
  const [menu, setMenu] = useState(false);
  const drawer = useCell(overlay) === "tasks";
  const toggleTasks = () => overlay.set(drawer ? null : "tasks");
  const newTask = () => select(workspace?.id ?? null);
  useCommand("tasks", { title: "Show the task list", icon: "menu", key: "tasks" }, toggleTasks);
  useCommand("new", { title: "New task", icon: "add", key: "newTask" }, newTask);
  useCommand("menu", { title: "Open the task menu", icon: "ellipsis", key: "menu" }, () => setMenu(true));
  useCommand("folder", { title: "Open a folder or clone a repository", icon: "folder-opened" }, () =>
    overlay.set("folder"),
  );
  useCommand("editor", { title: "Go to the editor", icon: "code", key: "editor" }, () => {
    const focus = native().focus_editor;
    if (focus) void focus();
    else onEditor?.();
  });
  return (
    <header className="@container flex h-9 shrink-0 items-center gap-1.5 border-b border-line px-2">
      <IconButton icon="menu" label="Task list" keys={keys.tasks.combo} pressed={drawer} onClick={toggleTasks} />
      <WorkspaceMenu workspace={workspace} status={status} />
      {task ? (
        <TitleField task={task} />
      ) : (
        <h1 className="min-w-0 flex-1 truncate px-1 font-semibold text-strong">New task</h1>
      )}
      {task && <StateBadge task={task} />}
      <Menu
        open={menu}
        onOpenChange={setMenu}
        align="end"
        trigger={<IconButton icon="ellipsis" label="Task menu" keys={keys.menu.combo} />}
      >
        <MenuItem icon="add" keys={keys.newTask.combo} onSelect={newTask}>
          New task
        </MenuItem>
        {task && <TaskItems task={task} />}
        <MenuLine />
        <MenuItem icon="list-unordered" keys={keys.palette.combo} onSelect={() => overlay.set("palette")}>
          All commands
        </MenuItem>
        <MenuItem icon="gear" keys={keys.settings.combo} onSelect={() => openSettings()}>
          Settings
        </MenuItem>
        <MenuItem icon="record-keys" keys={keys.help.combo} onSelect={() => overlay.set("help")}>
          Keys
        </MenuItem>
      </Menu>
      {task && <TaskCommands task={task} />}
    </header>
  );
}

function useGo(task: Task): { go: boolean; stop: boolean; run: () => void } {
  const verb = useTaskVerb(task.id);
  const stop = task.state === "running";
  return {
    go: canResume(task),
    stop,
    run: () => verb.mutate({ verb: stop ? "pause" : "resume" }, { onError: (error) => say(problemOf(error).detail) }),
  };
}

function TaskItems({ task }: { task: Task }) {
  const { go, stop, run } = useGo(task);
  return (
    <>
      {(go || stop) && (
        <MenuItem icon={stop ? "debug-pause" : "debug-continue"} keys={keys.pause.combo} onSelect={run}>
          {stop ? "Pause after this step" : "Continue"}
        </MenuItem>
      )}
      <MenuItem icon="trash" danger onSelect={() => toDelete.set(task)}>
        Delete the task…
      </MenuItem>
    </>
  );
}

/** What the keys and the palette can do with the open task. */
function TaskCommands({ task }: { task: Task }) {
  const { go, stop, run } = useGo(task);
  useCommand(
    "pause",
    { title: stop ? "Pause after this step" : "Continue", icon: "debug-pause", key: "pause", enabled: go || stop },
    run,
  );
  useCommand("delete", { title: "Delete the task", icon: "trash" }, () => toDelete.set(task));
  return null;
}
