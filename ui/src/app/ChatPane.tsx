import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, problemOf } from "@/api/client";
import {
  useChanges,
  useChangeTask,
  useCreateTask,
  useSettings,
  useTask,
  useTaskVerb,
  useWorkspaceVerb,
} from "@/api/queries";
import type { Event, RuntimeStatus, Task, Workspace } from "@/api/types";
import { Bar } from "@/bar/Bar";
import { DeleteTask } from "@/bar/DeleteTask";
import { TaskDrawer } from "@/bar/TaskDrawer";
import { placeWords } from "@/bar/place";
import { Button } from "@/components/Button";
import { ProblemCard } from "@/components/ProblemCard";
import { Composer, type Choice, type ComposerHandle } from "@/composer/Composer";
import { newDraft, type Draft } from "@/composer/draft";
import { Dock } from "@/dock/Dock";
import { connection } from "@/socket/live";
import { NothingYet } from "@/states/NothingYet";
import { Offline, WorkspaceBanner } from "@/states/Banners";
import { TaskView, type Outgoing } from "@/transcript/TaskView";
import { useCell } from "./cell";
import { notice, say } from "./notices";
import { overlay } from "./overlay";
import { select } from "./selection";

interface Props {
  workspace: Workspace | null;
  /** The workspaces are not known yet; this one is meant. */
  expected?: string | null;
  status?: RuntimeStatus;
  taskId: string | null;
  editorElsewhere: boolean;
  onEditor?: () => void;
}

export function ChatPane({ workspace, expected, status, taskId, editorElsewhere, onEditor }: Props) {
  const live = useCell(connection);
  const over = useCell(overlay);
  const words = useCell(notice);
  const taskQuery = useTask(taskId);
  const task = taskId === null ? null : (taskQuery.data ?? null);
  const changes = useFreshChanges(task, workspace);
  const composer = useRef<ComposerHandle>(null);
  const [outgoing, setOutgoing] = useState<Outgoing[]>([]);
  const create = useCreateTask();
  const choice = useChoice(task);
  const verb = useTaskVerb(taskId ?? "");
  useWarm(workspace, status);

  const send = async ({ text, attachments, images }: Draft): Promise<boolean> => {
    const message = { id: crypto.randomUUID(), text, attachments, images };
    try {
      if (task) {
        setOutgoing((all) => [...all, { id: message.id, text }]);
        await api.post<Event>(`/api/tasks/${task.id}/messages`, message);
      } else if (workspace) {
        const { mode, modelId, budget } = choice.value;
        const made = await create.mutateAsync({
          workspace_id: workspace.id,
          message,
          mode,
          model_id: modelId,
          budget_usd: budget,
        });
        select(workspace.id, made.id);
      }
      return true;
    } catch (error) {
      setOutgoing((all) => all.filter(({ id }) => id !== message.id));
      const { detail, remedy } = problemOf(error);
      say(`Not sent. ${detail} ${remedy ?? ""}`);
      return false;
    }
  };

  // What is typed before the workspaces are known belongs to the one that is meant.
  const draftKey = taskId ?? newDraft(workspace?.id ?? expected ?? null);
  const fill = (text: string) => composer.current?.fill(text);
  const place = workspace ? status?.place || placeWords[workspace.runtime] : "";
  return (
    <main className="relative flex h-full min-w-0 flex-col bg-side">
      <Bar workspace={workspace} status={status} task={task} onEditor={onEditor} />
      {live && <Offline live={live} />}
      {workspace && <WorkspaceBanner workspace={workspace} status={status} editorElsewhere={editorElsewhere} />}
      {task ? (
        <TaskView
          key={task.id}
          task={task}
          workspace={workspace}
          status={status}
          changes={changes}
          outgoing={outgoing}
          fill={fill}
        />
      ) : taskId && taskQuery.isError ? (
        <div className="min-h-0 flex-1 p-3">
          <ProblemCard problem={problemOf(taskQuery.error)}>
            <Button icon="refresh" onClick={() => void taskQuery.refetch()}>
              Try again
            </Button>
            <Button onClick={() => select(workspace?.id ?? null)}>New task</Button>
          </ProblemCard>
        </div>
      ) : taskId ? (
        <div className="min-h-0 flex-1" />
      ) : (
        <NothingYet workspace={workspace} loading={expected !== undefined} status={status} fill={fill} />
      )}
      {words && (
        <div className="shrink-0 px-3 pb-1">
          <div
            role="alert"
            className="mx-auto max-w-200 animate-rise rounded-md border border-edge bg-raised px-3 py-1.5 break-words shadow-float"
          >
            {words}
          </div>
        </div>
      )}
      {task && <Dock task={task} changes={changes} toComposer={() => composer.current?.focus()} />}
      <Composer
        ref={composer}
        key={draftKey}
        draftKey={draftKey}
        workspace={workspace?.exists ? workspace.id : null}
        task={task}
        choice={choice.value}
        onChoice={choice.change}
        onSend={send}
        onInterrupt={() => verb.mutate({ verb: "interrupt" }, { onError: (error) => say(problemOf(error).detail) })}
        place={place}
        closed={
          workspace
            ? workspace.exists
              ? null
              : "The folder is gone"
            : expected === undefined
              ? "Open a folder to begin"
              : null
        }
        ready={task !== null || (taskId === null && workspace !== null)}
      />
      {over === "tasks" && <TaskDrawer current={taskId} workspace={workspace?.id ?? null} />}
      <DeleteTask />
    </main>
  );
}

/** Mode, model and budget: the task's own, or what a new one will start with. */
function useChoice(task: Task | null): { value: Choice; change: (part: Partial<Choice>) => void } {
  const settings = useSettings().data;
  const change = useChangeTask(task?.id ?? "");
  const [fresh, setFresh] = useState<Partial<Choice>>({});
  const value: Choice = task
    ? { mode: task.mode, modelId: task.model_id, budget: task.budget_usd }
    : {
        mode: settings?.default_mode ?? "ask_risky",
        modelId: settings?.default_model_id ?? null,
        budget: settings?.default_budget_usd ?? null,
        ...fresh,
      };
  return {
    value,
    change: (part) => {
      if (!task) return setFresh((old) => ({ ...old, ...part }));
      change.mutate(
        {
          ...("mode" in part && { mode: part.mode }),
          ...("modelId" in part && { model_id: part.modelId }),
          ...("budget" in part && { budget_usd: part.budget }),
        },
        { onError: (error) => say(problemOf(error).detail) },
      );
    },
  };
}

/** The workspace's changes, read again shortly after the task moved on. */
function useFreshChanges(task: Task | null, workspace: Workspace | null) {
  const client = useQueryClient();
  const id = task && workspace?.exists ? workspace.id : null;
  const changes = useChanges(id);
  const position = task?.position;
  const state = task?.state;
  useEffect(() => {
    if (!id) return;
    const timer = setTimeout(() => void client.invalidateQueries({ queryKey: ["changes", id] }), 800);
    return () => clearTimeout(timer);
  }, [client, id, position, state]);
  return changes.data;
}

/** The runtime starts as soon as a workspace is chosen, while the user still types. */
function useWarm(workspace: Workspace | null, status: RuntimeStatus | undefined): void {
  const { mutate } = useWorkspaceVerb(workspace?.id ?? "");
  const cold = workspace?.exists && status?.state === "off" ? workspace.id : null;
  useEffect(() => {
    if (cold) mutate({ verb: "open" });
  }, [cold, mutate]);
}
