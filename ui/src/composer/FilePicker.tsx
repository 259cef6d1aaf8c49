import { useQuery } from "@tanstack/react-query";
import { useEffect, useId, useRef, useState, type RefObject } from "react";
import { problemOf } from "@/api/client";
import { read } from "@/api/queries";
import type { FileEntry } from "@/api/types";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";
import { Spinner } from "@/components/Spinner";

interface Props {
  workspace: string;
  /** What the user typed after the @: a folder up to the last slash, then the start of a name. */
  query: string;
  onPick: (path: string) => void;
  onClose: () => void;
  /** The message field: it keeps the focus, and its arrows and Enter choose here. */
  field: RefObject<HTMLTextAreaElement | null>;
}

/** Chooses a file or folder of the workspace, from the keyboard without leaving the message field. */
export function FilePicker({ workspace, query, onPick, onClose, field }: Props) {
  const [walked, setWalked] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  const slash = query.lastIndexOf("/");
  const folder = slash >= 0 ? query.slice(0, slash) : walked;
  const start = query.slice(slash + 1).toLowerCase();
  const files = useQuery(read.files(workspace, folder));
  const found = (files.data ?? [])
    .filter(({ name }) => name.toLowerCase().includes(start))
    .sort((a, b) => rank(a, start) - rank(b, start) || a.name.localeCompare(b.name))
    .slice(0, 200);
  const chosen = found[Math.min(at, found.length - 1)];

  const enter = (entry: FileEntry) => {
    if (entry.kind !== "folder") return onPick(entry.path);
    setWalked(entry.path);
    setAt(0);
  };
  useEffect(() => {
    const element = field.current;
    element?.focus();
    const listen = (event: KeyboardEvent) => {
      if (event.key === "ArrowDown") setAt(Math.min(at + 1, found.length - 1));
      else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
      else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && chosen) enter(chosen);
      else if (event.key === "ArrowLeft" && folder && !query) setWalked(parent(folder));
      else if (event.key === "Escape") onClose();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    element?.addEventListener("keydown", listen);
    return () => element?.removeEventListener("keydown", listen);
  });
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  useEffect(() => {
    const element = field.current;
    element?.setAttribute("aria-controls", id);
    return () => element?.removeAttribute("aria-controls");
  }, [field, id]);

  return (
    <div className="absolute inset-x-0 bottom-full z-20 mb-1 animate-rise overflow-hidden rounded-md border border-edge bg-raised shadow-float">
      <header className="flex items-center gap-1 border-b border-line px-2 py-1 text-sm text-mute">
        {folder && (
          <button type="button" className="text-link hover:underline" onClick={() => setWalked(parent(folder))}>
            ↑ Up
          </button>
        )}
        <span className="truncate">{folder || "Attach a file or folder"}</span>
        {files.isFetching && <Spinner size={14} />}
      </header>
      <ul ref={list} id={id} role="listbox" aria-label="Files" className="max-h-56 overflow-y-auto p-1">
        {found.map((entry, index) => (
          <li
            key={entry.path}
            role="option"
            aria-selected={entry === chosen}
            className={classes(
              "flex items-center gap-2 rounded-sm px-2 py-0.5",
              entry === chosen ? "bg-accent text-on-accent" : "hover:bg-hover",
            )}
            onMouseMove={() => setAt(index)}
            onMouseDown={(event) => {
              event.preventDefault();
              enter(entry);
            }}
          >
            <CodiconIcon name={entry.kind === "folder" ? "folder" : "file"} />
            <span className="min-w-0 flex-1 truncate">{entry.name}</span>
            {entry.kind === "folder" && (
              <button
                type="button"
                tabIndex={-1}
                className="text-sm hover:underline"
                onMouseDown={(event) => {
                  event.preventDefault();
                  event.stopPropagation();
                  onPick(entry.path);
                }}
              >
                Attach
              </button>
            )}
          </li>
        ))}
        {files.isError && <li className="px-2 py-1 text-bad">{problemOf(files.error).detail}</li>}
        {files.data && !found.length && <li className="px-2 py-1 text-mute">Nothing here matches.</li>}
      </ul>
    </div>
  );
}

const rank = ({ kind, name }: FileEntry, start: string): number =>
  (name.toLowerCase().startsWith(start) ? 0 : 4) + (name.startsWith(".") ? 2 : 0) + (kind === "folder" ? 0 : 1);

const parent = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));
