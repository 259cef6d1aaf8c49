import type { Ref } from "react";
import { problemOf } from "@/api/client";
import { useWorkspaceVerb } from "@/api/queries";
import type { RuntimeStatus, Workspace } from "@/api/types";
import { Button } from "@/components/Button";
import { ProblemCard } from "@/components/ProblemCard";
import { Log } from "@/states/Log";
import { Starting } from "@/states/Starting";
import { say } from "./notices";

interface Props {
  workspace: Workspace | null;
  status?: RuntimeStatus;
  frame: Ref<HTMLIFrameElement>;
}

/** VS Code in the browser's one page. Its origin is its own: nothing in it can reach this page or the API. */
export function EditorPane({ workspace, status, frame }: Props) {
  if (workspace && status?.editor_url && status.editor.state === "ready") {
    return (
      <iframe
        ref={frame}
        key={status.editor_url}
        title={`Editor: ${workspace.name}`}
        src={status.editor_url}
        allow="clipboard-read; clipboard-write"
        // Everything VS Code needs and no way to replace this page by another: no allow-top-navigation.
        sandbox="allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads allow-modals"
        referrerPolicy="no-referrer"
        className="h-full w-full border-0 bg-bg"
      />
    );
  }
  return (
    <div className="grid h-full content-center overflow-y-auto bg-bg p-6">
      <div className="mx-auto w-full max-w-105">
        {!workspace ? (
          <p className="text-center text-mute">The editor opens with a folder.</p>
        ) : status?.editor.state === "failed" ? (
          <EditorFailed workspace={workspace} status={status} />
        ) : status ? (
          <Starting status={status} title="Starting the editor" />
        ) : null}
      </div>
    </div>
  );
}

function EditorFailed({ workspace, status }: { workspace: Workspace; status: RuntimeStatus }) {
  const verb = useWorkspaceVerb(workspace.id);
  const { problem, log_tail } = status.editor;
  return (
    <ProblemCard
      problem={
        problem ?? {
          type: "about:blank",
          title: "The editor did not start",
          status: 503,
          detail: "VS Code's server ended before it was ready.",
          remedy: "Start it again. The chat works without it.",
          code: "editor-failed",
          errors: null,
        }
      }
    >
      <Button
        look="primary"
        icon="refresh"
        busy={verb.isPending}
        onClick={() =>
          verb.mutate({ verb: "retry", body: { part: "editor" } }, { onError: (error) => say(problemOf(error).detail) })
        }
      >
        Start it again
      </Button>
      <div className="w-full">
        <Log text={log_tail} />
      </div>
    </ProblemCard>
  );
}
