import { useMemo, type ReactNode } from "react";
import { CodiconIcon } from "@/components/CodiconIcon";
import { diffOf, sidesOf } from "@/events/edit";
import { listingOf } from "@/events/listing";
import { list, object, text } from "@/events/read";
import { exitCode, outputOf, pathOf, relative, type Step } from "@/events/step";
import { diffInEditor, openInEditor, usePlace } from "./context";
import { DiffView } from "./DiffView";
import { FileView } from "./FileView";
import { PlanList } from "./PlanList";
import { Terminal } from "./Terminal";

const Card = ({ children }: { children: ReactNode }) => (
  <div className="my-1 mb-2 overflow-hidden rounded-md border border-line bg-code">{children}</div>
);

const Link = ({ onClick, children }: { onClick: () => void; children: ReactNode }) => (
  <button type="button" className="shrink-0 text-sm text-link hover:underline" onClick={onClick}>
    {children}
  </button>
);

function PathLink({ path, line }: { path: string; line?: number }) {
  const { workspace } = usePlace();
  return (
    <span className="min-w-0 flex-1 truncate text-sm text-mute">
      <button
        type="button"
        title={`Open in editor: ${path}`}
        className="hover:text-link hover:underline"
        onClick={() => void openInEditor(workspace, { path, line })}
      >
        {path}
      </button>
    </span>
  );
}

/** What is behind a step's line, in the form that fits its kind. */
export function StepDetail({ step }: { step: Step }) {
  const { workspace, root } = usePlace();
  const path = relative(pathOf(step), root);
  const output = outputOf(step);
  if (step.state === "rejected") {
    return (
      <Card>
        <p className="px-2.5 py-1.5 text-mute">{step.reason}</p>
        {step.kind === "shell" && (
          <Terminal id={step.id} command={`${text(step.action.command)}\n`} output="" code={null} />
        )}
      </Card>
    );
  }
  switch (step.kind) {
    case "shell":
      return (
        <Card>
          <Terminal
            id={step.id}
            command={text(step.action.command)}
            output={output}
            code={step.observation ? exitCode(step.observation) : null}
            bad={step.state === "failed"}
          />
        </Card>
      );
    case "edit": {
      if (step.state === "failed") return <Output id={step.id} path={path} output={output} />;
      const change = diffOf(step);
      const whole = () => void openInEditor(workspace, { path, line: change.first });
      return (
        <Card>
          <header className="flex items-center gap-3 border-b border-line px-2.5 py-1">
            <PathLink path={path} line={change.first} />
            <Link onClick={() => void diffInEditor(workspace, { path, ...sidesOf(step) })}>Diff</Link>
            <Link onClick={whole}>Open in editor</Link>
          </header>
          <DiffView diff={change} path={path} onMore={whole} />
        </Card>
      );
    }
    case "read":
      return (
        <Output id={step.id} path={path} output={output} line={Number(list(step.action.view_range)[0]) || undefined} />
      );
    case "plan":
      return (
        <Card>
          <div className="px-2.5 py-1.5">
            <PlanList
              steps={list(step.action.task_list)
                .map(object)
                .map((item) => ({
                  title: text(item.title),
                  notes: text(item.notes) || null,
                  status: item.status === "done" || item.status === "in_progress" ? item.status : "todo",
                }))}
            />
          </div>
        </Card>
      );
    case "think":
      return <p className="my-1 mb-2 ml-6 whitespace-pre-wrap text-mute">{text(step.action.thought)}</p>;
    default:
      return (
        <Card>
          <Generic value={step.action} />
          {output && (
            <div className="border-t border-line">
              <Terminal id={step.id} output={output} code={null} />
            </div>
          )}
        </Card>
      );
  }
}

function Output({ id, path, output, line }: { id: string; path: string; output: string; line?: number }) {
  const { workspace } = usePlace();
  const listing = useMemo(() => listingOf(output), [output]);
  return (
    <Card>
      <header className="flex items-center gap-2 border-b border-line px-2.5 py-1 text-sm text-mute">
        <CodiconIcon name="file" size={14} />
        <PathLink path={path} line={line} />
        <Link onClick={() => void openInEditor(workspace, { path, line })}>Open in editor</Link>
      </header>
      {listing ? <FileView id={id} path={path} listing={listing} /> : <Terminal id={id} output={output} code={null} />}
    </Card>
  );
}

/** Any JSON, readable: for tools and events that this page does not know. */
export function Generic({ value }: { value: unknown }) {
  const entries = Object.entries(object(value)).filter(([key, one]) => key !== "kind" && one !== null && one !== "");
  if (!entries.length) return null;
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 px-2.5 py-1.5 font-mono text-sm">
      {entries.map(([key, one]) => (
        <div key={key} className="contents">
          <dt className="text-mute">{key}</dt>
          <dd className="max-h-40 overflow-auto break-words whitespace-pre-wrap">
            {typeof one === "string" ? one : JSON.stringify(one, null, 1)}
          </dd>
        </div>
      ))}
    </dl>
  );
}
