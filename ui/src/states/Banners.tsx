import { problemOf } from "@/api/client";
import { useOpenWorkspace, useWorkspaceVerb } from "@/api/queries";
import type { RuntimeStatus, Workspace } from "@/api/types";
import { useCell } from "@/app/cell";
import { say } from "@/app/notices";
import { overlay } from "@/app/overlay";
import { select } from "@/app/selection";
import { Button } from "@/components/Button";
import type { Connection } from "@/socket/connection";
import { Banner } from "./Banner";
import { Log } from "./Log";

const complain = { onError: (error: unknown) => say(problemOf(error).detail) };

export function Offline({ live }: { live: Connection }) {
  if (useCell(live.link) !== "offline") return null;
  return (
    <Banner icon="debug-disconnect" tone="warn" actions={<Button onClick={() => live.hurry()}>Try now</Button>}>
      Offline: the backend does not answer. Reading and typing still work.
    </Banner>
  );
}

/** At most one question or trouble about the workspace at a time, the most pressing first. */
export function WorkspaceBanner({
  workspace,
  status,
  editorElsewhere,
}: {
  workspace: Workspace;
  status?: RuntimeStatus;
  /** The editor is not in this page, so its trouble is said here. */
  editorElsewhere: boolean;
}) {
  if (!workspace.exists) return <Gone workspace={workspace} />;
  if (workspace.trust === "undecided") return <TrustQuestion workspace={workspace} />;
  if (!workspace.is_git && (workspace.git_decision ?? "undecided") === "undecided") {
    return <GitQuestion workspace={workspace} />;
  }
  if (status?.agent.state === "failed") return <PartFailed workspace={workspace} status={status} part="agent" />;
  if (editorElsewhere && status?.editor.state === "failed") {
    return <PartFailed workspace={workspace} status={status} part="editor" />;
  }
  return null;
}

function Gone({ workspace }: { workspace: Workspace }) {
  const open = useOpenWorkspace();
  return (
    <Banner
      icon="warning"
      tone="warn"
      actions={
        <>
          <Button
            busy={open.isPending}
            onClick={() =>
              open.mutate({ path: workspace.path, create: true }, { ...complain, onSuccess: (made) => select(made.id) })
            }
          >
            Make the folder again
          </Button>
          <Button onClick={() => overlay.set("folder")}>Open another</Button>
        </>
      }
    >
      The folder <span className="font-mono text-sm break-all">{workspace.path}</span> is gone. Its history stays
      readable.
    </Banner>
  );
}

function TrustQuestion({ workspace }: { workspace: Workspace }) {
  const verb = useWorkspaceVerb(workspace.id);
  const decide = (trusted: boolean) => verb.mutate({ verb: "trust", body: { trusted } }, complain);
  return (
    <Banner
      icon="workspace-untrusted"
      actions={
        <>
          <Button look="primary" busy={verb.isPending} onClick={() => decide(true)}>
            Trust it
          </Button>
          <Button disabled={verb.isPending} onClick={() => decide(false)}>
            Stay restricted
          </Button>
        </>
      }
    >
      <strong className="font-semibold text-strong">Do you trust this project?</strong>{" "}
      <span className="text-mute">
        Until you do, its own tasks, hooks, skills and servers do nothing, and VS Code stays in Restricted Mode.
      </span>
    </Banner>
  );
}

function GitQuestion({ workspace }: { workspace: Workspace }) {
  const verb = useWorkspaceVerb(workspace.id);
  const decide = (init: boolean) => verb.mutate({ verb: "git", body: { init } }, complain);
  return (
    <Banner
      icon="git-branch"
      actions={
        <>
          <Button look="primary" busy={verb.isPending} onClick={() => decide(true)}>
            Make it a repository
          </Button>
          <Button disabled={verb.isPending} onClick={() => decide(false)}>
            Leave it as it is
          </Button>
        </>
      }
    >
      <strong className="font-semibold text-strong">Run git init in this folder?</strong>{" "}
      <span className="text-mute">It is no git repository yet. With one, every change can be reviewed and undone.</span>
    </Banner>
  );
}

function PartFailed({
  workspace,
  status,
  part,
}: {
  workspace: Workspace;
  status: RuntimeStatus;
  part: "agent" | "editor";
}) {
  const verb = useWorkspaceVerb(workspace.id);
  const { problem, log_tail } = status[part];
  return (
    <Banner
      icon="error"
      tone="bad"
      actions={
        <Button
          icon="refresh"
          busy={verb.isPending}
          onClick={() => verb.mutate({ verb: "retry", body: { part } }, complain)}
        >
          Start it again
        </Button>
      }
    >
      <strong className="font-semibold text-strong">
        {problem?.title ?? (part === "agent" ? "The agent did not start" : "The editor did not start")}
      </strong>{" "}
      {problem?.detail} <span className="text-mute">{problem?.remedy}</span>
      <Log text={log_tail} />
    </Banner>
  );
}
