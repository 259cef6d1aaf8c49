import { useEffect, useState, type RefObject } from "react";
import { problemOf } from "@/api/client";
import { useOpenWorkspace, useSettings } from "@/api/queries";
import type { Workspace } from "@/api/types";
import { native } from "@/app/native";
import { Button } from "@/components/Button";
import { ProblemCard } from "@/components/ProblemCard";
import { RadioCards } from "@/components/RadioCards";
import { TextField } from "@/components/TextField";
import { FolderBrowser } from "./FolderBrowser";

interface Props {
  /** Filled with what the surrounding screen's button does. */
  submitRef: RefObject<(() => void) | null>;
  onState: (state: { ready: boolean; busy: boolean }) => void;
  onOpened: (workspace: Workspace) => void;
}

const ways = [
  { value: "folder", label: "A folder on this computer", icon: "folder-opened" },
  { value: "clone", label: "A repository to clone", icon: "repo-clone" },
] as const;

/** Chooses a folder, or clones a repository with the user's own git credentials, and opens it as a workspace. */
export function OpenFolder({ submitRef, onState, onOpened }: Props) {
  const settings = useSettings();
  const open = useOpenWorkspace();
  const [way, setWay] = useState<"folder" | "clone">("folder");
  const [path, setPath] = useState("");
  const [url, setUrl] = useState("");
  const [into, setInto] = useState("");
  const [browsing, setBrowsing] = useState(false);
  const missing = open.error && problemOf(open.error).code === "no-such-folder";

  const ready = way === "folder" ? path.trim().length > 0 : url.trim().length > 0;
  const busy = open.isPending;
  useEffect(() => onState({ ready, busy }), [onState, ready, busy]);
  const run = (create = false) =>
    open.mutate(
      way === "folder" ? { path: path.trim(), create } : { clone: { url: url.trim(), into: into.trim() || null } },
      { onSuccess: onOpened },
    );
  useEffect(() => {
    submitRef.current = run;
  });

  const browse = async () => {
    const pick = native().pick_folder;
    if (!pick) return setBrowsing(!browsing);
    const picked = await pick();
    if (picked) setPath(picked);
  };
  return (
    <div className="grid gap-3">
      <RadioCards
        label="What to open"
        value={way}
        options={ways}
        onChange={(value) => {
          setWay(value);
          open.reset();
        }}
      />
      {way === "folder" ? (
        <>
          <div className="flex items-end gap-2">
            <TextField
              className="flex-1"
              label="Folder"
              data-focus
              value={path}
              placeholder={settings.data?.workspace_base || "/home/you/project"}
              onChange={(event) => {
                setPath(event.target.value);
                open.reset();
              }}
            />
            <Button className="h-7" icon="folder" aria-expanded={browsing} onClick={() => void browse()}>
              Browse
            </Button>
          </div>
          {browsing && <FolderBrowser path={path} onChange={setPath} />}
        </>
      ) : (
        <>
          <TextField
            label="Repository"
            value={url}
            placeholder="https://example.com/you/project.git"
            hint="Private ones open with the git credentials of this computer; they stay here."
            onChange={(event) => {
              setUrl(event.target.value);
              open.reset();
            }}
          />
          <TextField
            label="Into"
            value={into}
            placeholder={settings.data?.workspace_base ?? ""}
            onChange={(event) => setInto(event.target.value)}
          />
        </>
      )}
      {open.isError && (
        <ProblemCard problem={problemOf(open.error)} live>
          {missing && <Button onClick={() => run(true)}>Make the folder</Button>}
        </ProblemCard>
      )}
    </div>
  );
}
