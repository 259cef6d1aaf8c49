import { useId, useMemo, useState } from "react";
import { useTasks, useWorkspaces } from "@/api/queries";
import { useCell } from "@/app/cell";
import { commands } from "@/app/commands";
import { select } from "@/app/selection";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";
import { Dialog } from "@/components/Dialog";
import { Kbd } from "@/components/Tooltip";
import { score } from "./score";

interface Row {
  id: string;
  group: "Commands" | "Tasks" | "Workspaces";
  title: string;
  detail?: string;
  icon: string;
  keys?: string;
  run: () => void;
}

const MOST = 50;

/** Everything in one place: commands, tasks and workspaces, found by a few letters. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const [query, setQuery] = useState("");
  const [picked, setPicked] = useState(0);
  const list = useId();
  const offered = useCell(commands);
  const tasks = useTasks();
  const workspaces = useWorkspaces();

  const rows = useMemo<Row[]>(() => {
    const names = new Map(workspaces.data?.map(({ id, name }) => [id, name]));
    return [
      ...offered.map(({ id, title, icon, keys, run }): Row => ({
        id,
        group: "Commands",
        title,
        icon: icon ?? "play",
        keys,
        run,
      })),
      ...(tasks.data?.tasks ?? []).map((task): Row => ({
        id: `task ${task.id}`,
        group: "Tasks",
        title: task.title,
        detail: names.get(task.workspace_id),
        icon: "comment",
        run: () => select(task.workspace_id, task.id),
      })),
      ...(workspaces.data ?? []).map((workspace): Row => ({
        id: `workspace ${workspace.id}`,
        group: "Workspaces",
        title: workspace.name,
        detail: workspace.path,
        icon: "folder",
        run: () => select(workspace.id),
      })),
    ];
  }, [offered, tasks.data, workspaces.data]);

  const found = useMemo(() => {
    if (!query.trim()) return rows.slice(0, MOST);
    return rows
      .map((row) => ({ row, points: score(query, `${row.title} ${row.detail ?? ""}`) }))
      .filter(({ points }) => points > 0)
      .sort((a, b) => b.points - a.points)
      .slice(0, MOST)
      .map(({ row }) => row);
  }, [rows, query]);
  const at = Math.min(picked, Math.max(found.length - 1, 0));

  const run = (row: Row | undefined) => {
    if (!row) return;
    onClose();
    row.run();
  };
  return (
    <Dialog title="Commands, tasks and workspaces" bare onClose={onClose} className="mt-12 w-130">
      <div className="flex items-center gap-2 border-b border-line px-3 py-2">
        <CodiconIcon name="search" className="text-mute" />
        <input
          autoFocus
          role="combobox"
          aria-label="Search commands, tasks and workspaces"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={found[at] ? `${list}-${at}` : undefined}
          className="min-w-0 flex-1 bg-transparent text-strong outline-none"
          placeholder="Search commands, tasks and workspaces"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setPicked(0);
          }}
          onKeyDown={(event) => {
            const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
            if (step) {
              event.preventDefault();
              const next = Math.max(0, Math.min(found.length - 1, at + step));
              setPicked(next);
              document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
            } else if (event.key === "Enter") {
              event.preventDefault();
              run(found[at]);
            }
          }}
        />
      </div>
      <div id={list} role="listbox" aria-label="Found" className="max-h-90 min-h-0 overflow-auto p-1">
        {found.map((row, index) => (
          <div key={row.id}>
            {!query.trim() && row.group !== found[index - 1]?.group && (
              <div className="px-2 pt-1.5 pb-0.5 text-xs text-mute">{row.group}</div>
            )}
            <div
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === at}
              onMouseMove={() => setPicked(index)}
              onClick={() => run(row)}
              className={classes(
                "flex items-center gap-2 rounded-sm px-2 py-1",
                index === at && "bg-accent text-on-accent",
              )}
            >
              <CodiconIcon name={row.icon} className={index === at ? "" : "text-mute"} />
              <span className="min-w-0 truncate">{row.title}</span>
              {row.detail && (
                <span className={classes("min-w-0 truncate text-sm", index === at ? "" : "text-mute")}>
                  {row.detail}
                </span>
              )}
              <span className="flex-1" />
              {row.keys && <Kbd keys={row.keys} className={index === at ? "" : "text-mute"} />}
            </div>
          </div>
        ))}
        {found.length === 0 && <p className="px-2 py-3 text-mute">Nothing matches “{query}”.</p>}
      </div>
    </Dialog>
  );
}
