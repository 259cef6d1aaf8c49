import { useId, useMemo, useState } from "react";
import type { ModelInfo } from "@/api/types";
import { classes } from "@/components/classes";
import { TextField } from "@/components/TextField";

interface Props {
  models: ModelInfo[];
  suggested: string[];
  value: string;
  onChange: (model: string) => void;
}

const SHOWN = 60;

/** A field that filters the list below it and takes any other name as well. */
export function ModelPicker({ models, suggested, value, onChange }: Props) {
  const [typed, setTyped] = useState(value);
  /** The row that the arrows are on; none while the name is typed. */
  const [at, setAt] = useState(-1);
  const list = useId();
  const rows = useMemo(() => {
    const rank = new Map(suggested.map((id, index) => [id, index]));
    const known = models.length ? models : suggested.map((id) => ({ id }) as ModelInfo);
    return [...known].sort((a, b) => (rank.get(a.id) ?? 999) - (rank.get(b.id) ?? 999) || a.id.localeCompare(b.id));
  }, [models, suggested]);
  const words = typed === value ? [] : typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter(({ id }) => words.every((word) => id.toLowerCase().includes(word)));
  const shown = found.slice(0, SHOWN);
  const pick = (id: string) => {
    setTyped(id);
    onChange(id);
    setAt(-1);
  };
  const move = (to: number) => {
    const next = Math.max(0, Math.min(shown.length - 1, to));
    setAt(next);
    document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <div className="grid gap-2">
      <TextField
        label="Model"
        role="combobox"
        aria-expanded={shown.length > 0}
        aria-activedescendant={at >= 0 ? `${list}-${at}` : undefined}
        autoFocus
        value={typed}
        placeholder={rows.length ? `Search ${rows.length} models, or type a name` : "Type the model's name"}
        aria-controls={list}
        onChange={(event) => {
          setTyped(event.target.value);
          onChange(event.target.value.trim());
          setAt(-1);
        }}
        onKeyDown={(event) => {
          const from = at >= 0 ? at : shown.findIndex(({ id }) => id === value);
          const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
          const picked = shown[at];
          if (step && shown.length) move(from + step);
          else if (event.key === "Enter" && picked) pick(picked.id);
          else return;
          event.preventDefault();
        }}
      />
      {shown.length > 0 && (
        <div
          id={list}
          role="listbox"
          aria-label="Models"
          className="max-h-72 overflow-auto rounded-md border border-edge"
        >
          {shown.map((model, index) => (
            <div
              key={model.id}
              id={`${list}-${index}`}
              role="option"
              aria-selected={model.id === value}
              onClick={() => pick(model.id)}
              className={classes(
                "flex w-full items-baseline gap-2 px-3 py-1",
                model.id === value ? "bg-accent text-on-accent" : "hover:bg-hover",
                index === at && "outline -outline-offset-1 outline-focus",
                index === at && model.id !== value && "bg-hover",
              )}
            >
              <span className="min-w-0 flex-1 truncate">{model.id}</span>
              <span className={classes("text-sm tabular-nums", model.id === value ? "" : "text-mute")}>
                {facts(model)}
              </span>
            </div>
          ))}
        </div>
      )}
      {found.length > SHOWN && (
        <p className="text-sm text-mute">{found.length - SHOWN} more: type to narrow the list.</p>
      )}
    </div>
  );
}

/** Context and price per million tokens, where known. */
export function facts({ context_window, price_in, price_out }: ModelInfo): string {
  const parts: string[] = [];
  if (context_window) {
    parts.push(
      context_window >= 1e6 ? `${+(context_window / 1e6).toFixed(1)}M` : `${Math.round(context_window / 1000)}k`,
    );
  }
  if (price_in != null && price_out != null) parts.push(`$${+price_in.toFixed(2)} / $${+price_out.toFixed(2)}`);
  return parts.join(" · ");
}
