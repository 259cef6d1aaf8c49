import { QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { StatusFrame } from "@/socket/frames";
import { api, ProblemError } from "./client";
import { noteTurn } from "./turns";
import type {
  Changes,
  FileEntry,
  ModelProfile,
  NewTask,
  NewWorkspace,
  RuntimeStatus,
  Settings,
  SettingsPatch,
  Task,
  TaskPatch,
  Tasks,
  Workspace,
} from "./types";

/** Server state: read through these hooks, kept fresh by the socket's status frames rather than by polling. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 3 && !(error instanceof ProblemError && error.problem.status >= 400),
      retryDelay: (attempt) => Math.min(300 * 2 ** attempt, 4000),
    },
  },
});

export const read = {
  settings: { queryKey: ["settings"], queryFn: () => api.get<Settings>("/api/settings") },
  workspaces: { queryKey: ["workspaces"], queryFn: () => api.get<Workspace[]>("/api/workspaces") },
  models: { queryKey: ["models"], queryFn: () => api.get<{ profiles: ModelProfile[] }>("/api/models") },
  tasks: (query: string, workspace?: string) => ({
    queryKey: ["tasks", { query, workspace }],
    queryFn: () => api.get<Tasks>("/api/tasks", { q: query, workspace, limit: 100 }),
  }),
  task: (id: string) => ({ queryKey: ["task", id], queryFn: () => api.get<Task>(`/api/tasks/${id}`) }),
  status: (workspace: string) => ({
    queryKey: ["status", workspace],
    queryFn: () => api.get<RuntimeStatus>(`/api/workspaces/${workspace}/status`),
  }),
  changes: (workspace: string) => ({
    queryKey: ["changes", workspace],
    queryFn: () => api.get<Changes>(`/api/workspaces/${workspace}/changes`),
  }),
  files: (workspace: string, path: string) => ({
    queryKey: ["files", workspace, path],
    queryFn: () => api.get<FileEntry[]>(`/api/workspaces/${workspace}/files`, { path }),
    staleTime: 5_000,
  }),
};

export const useSettings = () => useQuery(read.settings);
export const useWorkspaces = () => useQuery(read.workspaces);
export const useModels = () => useQuery(read.models);
export const useTasks = (query = "", workspace?: string) =>
  useQuery({ ...read.tasks(query, workspace), placeholderData: (before) => before });
export const useTask = (id: string | null) => useQuery({ ...read.task(id ?? ""), enabled: id !== null });
export const useStatus = (workspace: string | null) =>
  useQuery({ ...read.status(workspace ?? ""), enabled: workspace !== null });
export const useChanges = (workspace: string | null) =>
  useQuery({ ...read.changes(workspace ?? ""), enabled: workspace !== null });

/** The answer to a request may arrive after a frame that the same change sent: the later state wins. */
const newer = (old: Task, task: Task): boolean => Date.parse(old.updated_at) > Date.parse(task.updated_at);

/** Puts a task's new state into every list and detail that shows it. */
export function putTask(client: QueryClient, task: Task): void {
  client.setQueryData<Task>(["task", task.id], (old) => {
    if (old && newer(old, task)) return old;
    noteTurn(old, task);
    return task;
  });
  let missing = false;
  for (const [key, list] of client.getQueriesData<Tasks>({ queryKey: ["tasks"] })) {
    if (!list) continue;
    if (!list.tasks.some(({ id }) => id === task.id)) missing = true;
    else
      client.setQueryData<Tasks>(key, { ...list, tasks: list.tasks.map((one) => (one.id === task.id ? task : one)) });
  }
  if (missing) void client.invalidateQueries({ queryKey: ["tasks"] });
}

function dropTask(client: QueryClient, id: string): void {
  client.removeQueries({ queryKey: ["task", id] });
  void client.invalidateQueries({ queryKey: ["tasks"] });
}

/** Applies a status frame of the socket. */
export function applyStatus(client: QueryClient, frame: StatusFrame): void {
  if ("task" in frame) {
    if (frame.state) putTask(client, frame.state);
    else dropTask(client, frame.task);
  } else if ("settings" in frame) client.setQueryData(["settings"], frame.settings);
  else if ("workspace" in frame) {
    client.setQueryData(["status", frame.workspace], frame.state);
    client.setQueryData<Workspace[]>(["workspaces"], (all) =>
      all?.map((one) => (one.id === frame.workspace ? { ...one, status: frame.state } : one)),
    );
  }
}

export function useChangeSettings() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (patch: SettingsPatch) => api.patch<Settings>("/api/settings", patch),
    onSuccess: (settings) => client.setQueryData(["settings"], settings),
  });
}

export function useChangeTask(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (patch: TaskPatch) => api.patch<Task>(`/api/tasks/${id}`, patch),
    onSuccess: (task) => putTask(client, task),
  });
}

export function useCreateTask() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (task: NewTask) => api.post<Task>("/api/tasks", task),
    onSuccess: (task) => {
      putTask(client, task);
      void client.invalidateQueries({ queryKey: ["tasks"] });
    },
  });
}

export function useDeleteTask() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete<void>(`/api/tasks/${id}`),
    onSuccess: (_, id) => dropTask(client, id),
  });
}

/** POST to one of a task's verbs: pause, interrupt, resume, `actions/<id>/approve`, `actions/<id>/reject`. */
export function useTaskVerb(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ verb, body }: { verb: string; body?: unknown }) => api.post<Task>(`/api/tasks/${id}/${verb}`, body),
    onSuccess: (task) => putTask(client, task),
  });
}

/** Adds a folder or a clone and starts its runtime. */
export function useOpenWorkspace() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (workspace: NewWorkspace) => {
      const made = await api.post<Workspace>("/api/workspaces", workspace);
      return api.post<Workspace>(`/api/workspaces/${made.id}/open`);
    },
    onSuccess: (workspace) => putWorkspace(client, workspace),
  });
}

export function putWorkspace(client: QueryClient, workspace: Workspace): void {
  client.setQueryData<Workspace[]>(["workspaces"], (all) =>
    all?.some(({ id }) => id === workspace.id)
      ? all.map((one) => (one.id === workspace.id ? workspace : one))
      : [...(all ?? []), workspace],
  );
  if (workspace.status) client.setQueryData(["status", workspace.id], workspace.status);
}

/** POST to one of a workspace's verbs that answer with the workspace: open, trust, git, retry. */
export function useWorkspaceVerb(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ verb, body }: { verb: "open" | "trust" | "git" | "retry"; body?: unknown }) =>
      api.post<Workspace | undefined>(`/api/workspaces/${id}/${verb}`, body),
    onSuccess: (workspace) => {
      if (workspace && "path" in workspace) putWorkspace(client, workspace);
      else void client.invalidateQueries({ queryKey: ["workspaces"] });
    },
  });
}
