import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, problemOf } from "@/api/client";
import { read, useModels, useTasks } from "@/api/queries";
import type { Demo, FileEntry, RuntimeStatus, Workspace } from "@/api/types";
import { say } from "@/app/notices";
import { openSettings, overlay } from "@/app/overlay";
import { select } from "@/app/selection";
import { Button } from "@/components/Button";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";
import { ago } from "@/events/words";
import { Starting } from "./Starting";
import { starters } from "./starters";
import { stateLooks } from "./taskState";

interface Props {
  workspace: Workspace | null;
  /** Whether there is a workspace is not known yet. */
  loading: boolean;
  status?: RuntimeStatus;
  fill: (text: string) => void;
}

/** Before the first message: three useful things to ask for in this project, and what was done lately. */
export function NothingYet({ workspace, loading, status, fill }: Props) {
  const models = useModels().data?.profiles;
  return (
    <div className="min-h-0 flex-1 overflow-y-auto px-3">
      <div className="mx-auto grid min-h-full max-w-130 content-center gap-5 py-6">
        {workspace ? (
          <Starters workspace={workspace} fill={fill} />
        ) : loading ? null : (
          <div>
            <h2 className="text-xl font-semibold text-strong">Open a project</h2>
            <p className="mb-3 text-mute">
              You and the agent work on the same files: a folder here, or a repository to clone.
            </p>
            <Button look="primary" icon="folder-opened" onClick={() => overlay.set("folder")}>
              Open a folder or clone…
            </Button>
          </div>
        )}
        {models?.length === 0 && <NoModel />}
        {workspace && status?.state === "starting" && (
          <Starting status={status} title={`Getting ${workspace.name} ready`} />
        )}
        <Recent workspace={workspace} />
      </div>
    </div>
  );
}

function Starters({ workspace, fill }: { workspace: Workspace; fill: (text: string) => void }) {
  const files = useQuery({ ...read.files(workspace.id, ""), enabled: workspace.exists });
  return (
    <div>
      <h2 className="mb-1 text-xl font-semibold text-strong">What shall it do in {workspace.name}?</h2>
      <ul className="-mx-2 grid gap-0.5">
        {starters(files.data ?? ([] as FileEntry[])).map(({ icon, title, prompt }) => (
          <li key={title}>
            <button
              type="button"
              className="flex w-full items-start gap-2.5 rounded-md px-2 py-1.5 text-left hover:bg-hover"
              onClick={() => fill(prompt)}
            >
              <CodiconIcon name={icon} className="mt-0.5 text-link" />
              <span className="min-w-0">
                <span className="block text-strong">{title}</span>
                <span className="block text-sm text-mute">{prompt}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Opens the scripted demo: a scratch folder, no key needed. */
export function useDemo() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.post<Demo>("/api/demo"),
    onSuccess: async (demo) => {
      await client.invalidateQueries();
      select(demo.workspace_id, demo.task_id);
    },
    onError: (error) => say(problemOf(error).detail),
  });
}

function NoModel() {
  const demo = useDemo();
  return (
    <section className="rounded-md border border-line px-3 py-2">
      <div className="font-semibold text-strong">No model is set up yet</div>
      <p className="mb-2 text-mute">
        The agent thinks with a model of your choice: a provider's, or one on this computer.
      </p>
      <div className="flex flex-wrap gap-2">
        <Button look="primary" icon="key" onClick={() => openSettings("models")}>
          Set up a model
        </Button>
        <Button icon="play" busy={demo.isPending} onClick={() => demo.mutate()}>
          Try without a key
        </Button>
      </div>
    </section>
  );
}

function Recent({ workspace }: { workspace: Workspace | null }) {
  const tasks = useTasks("", workspace?.id).data?.tasks.slice(0, 5) ?? [];
  if (!tasks.length) return null;
  return (
    <div>
      <h3 className="mb-1 text-sm text-mute">Recent tasks</h3>
      <ul className="-mx-2">
        {tasks.map((task) => {
          const { icon, word, tone, spin } = stateLooks[task.state];
          return (
            <li key={task.id}>
              <button
                type="button"
                className="flex w-full items-center gap-2.5 rounded-md px-2 py-1 text-left hover:bg-hover"
                onClick={() => select(task.workspace_id, task.id)}
              >
                <CodiconIcon name={icon} label={word} spin={spin} className={classes(tone)} />
                <span className="min-w-0 flex-1 truncate text-fg">{task.title || "Untitled"}</span>
                <span className="shrink-0 text-sm text-faint">{ago(task.updated_at)}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
