import { createContext, use, useState } from "react";
import { api, problemOf } from "@/api/client";
import type { DiffInEditor, OpenInEditor } from "@/api/types";
import { say } from "@/app/notices";

/** What the lines of a transcript need to know about where they are. */
export interface Place {
  workspace: string;
  /** The workspace's folder, as the agent names it. */
  root: string;
  /** What the reader opened and closed: kept while lines come and go with scrolling. */
  opened: Map<string, boolean>;
}

export const PlaceContext = createContext<Place>({ workspace: "", root: "", opened: new Map() });

/** The actions that wait for the user's answer. */
export const WaitingContext = createContext<ReadonlySet<string>>(new Set());

export const usePlace = () => use(PlaceContext);

/** Whether a line shows its detail, and the way to change it. */
export function useOpened(key: string, initial = false): [boolean, () => void] {
  const { opened } = usePlace();
  const [open, setOpen] = useState(opened.get(key) ?? initial);
  return [
    open,
    () => {
      opened.set(key, !open);
      setOpen(!open);
    },
  ];
}

export async function openInEditor(workspace: string, file: OpenInEditor): Promise<void> {
  await api
    .post(`/api/workspaces/${workspace}/editor/open`, file)
    .catch((error: unknown) => say(problemOf(error).detail));
}

export async function diffInEditor(workspace: string, file: DiffInEditor): Promise<void> {
  await api
    .post(`/api/workspaces/${workspace}/editor/diff`, file)
    .catch((error: unknown) => say(problemOf(error).detail));
}
