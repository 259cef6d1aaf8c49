import { useState } from "react";
import { api, problemOf } from "@/api/client";
import type { Changes, FileChange } from "@/api/types";
import { say } from "@/app/notices";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";
import { IconButton } from "@/components/IconButton";
import { original } from "@/events/unified";
import { Counts } from "@/transcript/DiffView";
import { diffInEditor, openInEditor } from "@/transcript/context";

const words: Record<FileChange["change"], { letter: string; tone: string }> = {
  added: { letter: "A", tone: "text-ok" },
  modified: { letter: "M", tone: "text-warn" },
  deleted: { letter: "D", tone: "text-bad" },
  renamed: { letter: "R", tone: "text-link" },
};

/** The changed files. Each opens as a diff in the editor; the arrows go through them one by one. */
export function Review({ workspace, changes }: { workspace: string; changes: Changes }) {
  const [at, setAt] = useState(-1);
  const show = async (index: number) => {
    const file = changes.files[index];
    if (!file) return;
    setAt(index);
    await openDiff(workspace, file);
  };
  return (
    <div className="overflow-hidden rounded-md border border-line bg-code">
      <header className="flex items-center border-b border-line py-0.5 pr-1 pl-2.5 text-sm text-mute">
        <span className="flex-1">{at < 0 ? "Changed files" : `${at + 1} of ${changes.files.length}`}</span>
        <IconButton icon="arrow-up" label="Previous change" disabled={at <= 0} onClick={() => void show(at - 1)} />
        <IconButton
          icon="arrow-down"
          label="Next change"
          disabled={at >= changes.files.length - 1}
          onClick={() => void show(at + 1)}
        />
      </header>
      <ul className="max-h-48 overflow-y-auto py-1">
        {changes.files.map((file, index) => (
          <li key={file.path}>
            <button
              type="button"
              aria-current={index === at || undefined}
              className={classes(
                "flex w-full items-center gap-2 px-2.5 py-0.5 text-left hover:bg-hover",
                index === at && "bg-press",
              )}
              onClick={() => void show(index)}
            >
              <span
                className={classes("w-3 shrink-0 text-center font-mono text-sm", words[file.change].tone)}
                title={file.change}
              >
                {words[file.change].letter}
                <span className="sr-only"> {file.change}</span>
              </span>
              <span className="min-w-0 flex-1 truncate" dir="rtl">
                <bdi>{file.path}</bdi>
              </span>
              <Counts added={file.added} removed={file.removed} />
              <CodiconIcon name="diff" size={14} className="text-mute" />
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

async function openDiff(workspace: string, file: FileChange): Promise<void> {
  if (file.change === "added") return openInEditor(workspace, { path: file.path });
  try {
    const query = { path: file.path };
    const [unified, now] = await Promise.all([
      api.text(`/api/workspaces/${workspace}/diff`, query),
      file.change === "deleted" ? "" : api.text(`/api/workspaces/${workspace}/file`, query),
    ]);
    const after = file.change === "deleted" ? "" : undefined;
    await diffInEditor(workspace, { path: file.path, before: original(now, unified), after });
  } catch (error) {
    say(problemOf(error).detail);
  }
}
