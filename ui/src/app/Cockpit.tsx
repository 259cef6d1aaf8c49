import { useEffect, useRef, useState } from "react";
import { useStatus, useWorkspaces } from "@/api/queries";
import { ChatPane } from "./ChatPane";
import { EditorPane } from "./EditorPane";
import { useCell } from "./cell";
import { native } from "./native";
import { select, selection } from "./selection";
import { Splitter } from "./Splitter";

/** The native window draws the editor itself and loads this page with `?pane=chat`. */
const chatOnly =
  new URLSearchParams(location.search).get("pane") === "chat" ||
  (typeof window.pywebview !== "undefined" && !new URLSearchParams(location.search).has("panes"));

/** Narrower than two usable panes: one at a time. */
const narrow = matchMedia("(max-width: 719px)");

export function Cockpit() {
  const workspaces = useWorkspaces();
  const { workspace: wanted, task } = useCell(selection);
  const frame = useRef<HTMLIFrameElement>(null);
  const [single, setSingle] = useState(narrow.matches);
  const [side, setSide] = useState<"chat" | "editor">("chat");
  useEffect(() => {
    const changed = () => setSingle(narrow.matches);
    narrow.addEventListener("change", changed);
    return () => narrow.removeEventListener("change", changed);
  }, []);

  const all = workspaces.data;
  const newest = all?.toSorted((a, b) => b.last_opened_at.localeCompare(a.last_opened_at))[0];
  const workspace = all?.find(({ id }) => id === wanted) ?? (task ? null : (newest ?? null));
  const status = useStatus(workspace?.id ?? null).data ?? workspace?.status ?? undefined;
  const id = workspace?.id ?? null;
  useEffect(() => {
    if (id && id !== wanted && !task) select(id);
  }, [id, wanted, task]);
  useEffect(() => {
    if (id) void native().show_workspace?.(id);
  }, [id]);

  const onEditor = chatOnly
    ? undefined
    : () => {
        if (single) setSide("editor");
        frame.current?.focus();
      };
  const chat = (
    <ChatPane
      workspace={workspace}
      expected={workspaces.isPending ? wanted : undefined}
      status={status}
      taskId={task}
      editorElsewhere={chatOnly}
      onEditor={onEditor}
    />
  );
  if (chatOnly) return chat;
  const editor = <EditorPane workspace={workspace} status={status} frame={frame} />;
  if (!single) return <Splitter left={editor} right={chat} />;
  return (
    <div className="flex h-full flex-col">
      <div role="tablist" aria-label="Panes" className="flex h-8 shrink-0 border-b border-line">
        {(["chat", "editor"] as const).map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            aria-selected={side === one}
            className="flex-1 text-mute capitalize aria-selected:border-b aria-selected:border-accent aria-selected:text-strong"
            onClick={() => setSide(one)}
          >
            {one}
          </button>
        ))}
      </div>
      {/* Both stay mounted: the editor keeps its state while the chat is shown. */}
      <div className={side === "chat" ? "min-h-0 flex-1" : "hidden"}>{chat}</div>
      <div className={side === "editor" ? "min-h-0 flex-1" : "hidden"}>{editor}</div>
    </div>
  );
}
