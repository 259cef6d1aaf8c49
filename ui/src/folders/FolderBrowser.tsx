import { useQuery } from "@tanstack/react-query";
import type { KeyboardEvent } from "react";
import { api, problemOf } from "@/api/client";
import type { FileEntry } from "@/api/types";
import { CodiconIcon } from "@/components/CodiconIcon";
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
  const row = "flex w-full items-center gap-2 px-3 py-1 text-left -outline-offset-1 hover:bg-hover";
  return (
    <div
      className="max-h-60 overflow-auto rounded-md border border-edge"
      aria-label="Folders"
      role="group"
      onKeyDown={walk}
    >
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
      {folders.isError && <p className="px-3 py-1 text-mute">{problemOf(folders.error).detail}</p>}
      {folders.data?.map((entry) => (
        <button key={entry.path} type="button" className={row} onClick={() => onChange(entry.path)}>
          <CodiconIcon name="folder" className="text-mute" /> <span className="truncate">{entry.name}</span>
        </button>
      ))}
      {folders.data?.length === 0 && <p className="px-3 py-2 text-mute">No folders in here.</p>}
    </div>
  );
}

/** Up and down go through the folders. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const rows = [...event.currentTarget.querySelectorAll("button")];
  const at = rows.indexOf(document.activeElement as HTMLButtonElement);
  if (event.key === "ArrowDown") rows[Math.min(rows.length - 1, at + 1)]?.focus();
  else if (event.key === "ArrowUp") rows[Math.max(0, at - 1)]?.focus();
  else return;
  event.preventDefault();
}

function parent(path: string): string {
  const cut = path.replace(/[/\\]+$/, "").replace(/[/\\][^/\\]*$/, "");
  return cut || (path.startsWith("/") ? "/" : path);
}
