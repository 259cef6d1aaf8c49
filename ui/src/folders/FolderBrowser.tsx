import { useQuery } from "@tanstack/react-query";
import { api, problemOf } from "@/api/client";
import type { FileEntry } from "@/api/types";
import { CodiconIcon } from "@/components/CodiconIcon";
import { ProblemCard } from "@/components/ProblemCard";
import { Spinner } from "@/components/Spinner";

/** The folders of the machine the backend runs on, for a browser that can't show the system's own dialog. */
export function FolderBrowser({ path, onChange }: { path: string; onChange: (path: string) => void }) {
  const folders = useQuery({
    queryKey: ["folders", path],
    queryFn: () => api.get<FileEntry[]>("/api/folders", { path }),
    placeholderData: (before) => before,
    retry: false,
  });
  const first = folders.data?.[0]?.path;
  const here = path || (first ? parent(first) : "");
  const up = here ? parent(here) : "";
  const row = "flex w-full items-center gap-2 px-3 py-1 text-left hover:bg-hover";
  return (
    <div className="max-h-60 overflow-auto rounded-md border border-edge" aria-label="Folders" role="group">
      {here && up !== here && (
        <button type="button" className={row} onClick={() => onChange(up)}>
          <CodiconIcon name="arrow-up" className="text-mute" /> <span className="truncate text-mute">{up}</span>
        </button>
      )}
      {folders.isPending && (
        <p className="px-3 py-2">
          <Spinner label="Reading the folder" />
        </p>
      )}
      {folders.isError && <ProblemCard problem={problemOf(folders.error)} />}
      {folders.data?.map((entry) => (
        <button key={entry.path} type="button" className={row} onClick={() => onChange(entry.path)}>
          <CodiconIcon name="folder" className="text-mute" /> <span className="truncate">{entry.name}</span>
        </button>
      ))}
      {folders.data?.length === 0 && <p className="px-3 py-2 text-mute">No folders in here.</p>}
    </div>
  );
}

function parent(path: string): string {
  const cut = path.replace(/[/\\]+$/, "").replace(/[/\\][^/\\]*$/, "");
  return cut || (path.startsWith("/") ? "/" : path);
}
