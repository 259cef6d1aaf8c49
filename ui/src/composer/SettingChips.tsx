import { useState } from "react";
import { useModels } from "@/api/queries";
import type { Mode } from "@/api/types";
import { useCommand } from "@/app/commands";
import { keys } from "@/app/keys";
import { openSettings } from "@/app/overlay";
import { Button } from "@/components/Button";
import { Chip } from "@/components/Chip";
import { Dialog } from "@/components/Dialog";
import { Menu, MenuItem, MenuLine } from "@/components/Menu";
import { TextField } from "@/components/TextField";
import { money } from "@/events/words";

export const modes: Record<Mode, { words: string; hint: string; icon: string }> = {
  ask_all: { words: "Ask always", hint: "Every step waits for your yes.", icon: "lock" },
  ask_risky: { words: "Ask when risky", hint: "Steps that could do harm wait for your yes.", icon: "shield" },
  ask_never: { words: "Never ask", hint: "It does all by itself. For contained places.", icon: "unlock" },
};

export function ModeChip({ mode, onChange }: { mode: Mode; onChange: (mode: Mode) => void }) {
  const [open, setOpen] = useState(false);
  useCommand("mode", { title: "Change when the agent asks", icon: "shield", key: "mode" }, () => setOpen(true));
  return (
    <Menu
      side="top"
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Chip icon={modes[mode].icon} tip="When the agent asks" keys={keys.mode.combo} aria-label={modes[mode].words}>
          <span className="hidden @sm:inline">{modes[mode].words}</span>
        </Chip>
      }
    >
      {(Object.keys(modes) as Mode[]).map((one) => (
        <MenuItem key={one} checked={one === mode} hint={modes[one].hint} onSelect={() => onChange(one)}>
          {modes[one].words}
        </MenuItem>
      ))}
    </Menu>
  );
}

interface ModelProps {
  modelId: string | null;
  /** What a task calls its model, for one that is not among the profiles, such as the demo's. */
  modelName?: string | null;
  onChange: (id: string) => void;
}

export function ModelChip({ modelId, modelName, onChange }: ModelProps) {
  const [open, setOpen] = useState(false);
  const profiles = useModels().data?.profiles ?? [];
  const chosen =
    profiles.find(({ id }) => id === modelId) ??
    (modelName ? undefined : (profiles.find(({ is_default }) => is_default) ?? profiles[0]));
  useCommand("model", { title: "Change the model", icon: "robot", key: "model" }, () => setOpen(true));
  return (
    <Menu
      side="top"
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Chip tip="Model" keys={keys.model.combo} className="max-w-44 shrink">
          {chosen?.name ?? modelName ?? "No model"}
        </Chip>
      }
    >
      {profiles.map((one) => (
        <MenuItem
          key={one.id}
          checked={one.id === chosen?.id}
          hint={one.name === one.model ? one.provider : `${one.model} · ${one.provider}`}
          onSelect={() => onChange(one.id)}
        >
          {one.name}
        </MenuItem>
      ))}
      {profiles.length > 0 && <MenuLine />}
      <MenuItem icon="gear" onSelect={() => openSettings("models")}>
        Set up models…
      </MenuItem>
    </Menu>
  );
}

const budgets = [0.5, 1, 2, 5, 10, 25];

export function BudgetChip({ budget, onChange }: { budget: number | null; onChange: (budget: number | null) => void }) {
  const [open, setOpen] = useState(false);
  const [other, setOther] = useState<string | null>(null);
  useCommand("budget", { title: "Change the budget", icon: "graph", key: "budget" }, () => setOpen(true));
  const amount = Number(other?.replace(",", ".").replace("$", ""));
  const valid = Number.isFinite(amount) && amount > 0;
  return (
    <>
      <Menu
        side="top"
        open={open}
        onOpenChange={setOpen}
        trigger={
          <Chip
            tip="Budget of this task"
            keys={keys.budget.combo}
            aria-label={`Budget: ${budget === null ? "none" : money(budget)}`}
          >
            {budget === null ? "No budget" : money(budget)}
          </Chip>
        }
      >
        <MenuItem checked={budget === null} onSelect={() => onChange(null)}>
          No budget
        </MenuItem>
        {budgets.map((one) => (
          <MenuItem key={one} checked={one === budget} onSelect={() => onChange(one)}>
            {money(one)}
          </MenuItem>
        ))}
        <MenuLine />
        <MenuItem icon="edit" onSelect={() => setOther(budget === null ? "" : String(budget))}>
          Another amount…
        </MenuItem>
      </Menu>
      {other !== null && (
        <Dialog
          title="Budget of this task"
          className="w-80"
          onClose={() => setOther(null)}
          actions={
            <>
              <Button onClick={() => setOther(null)}>Cancel</Button>
              <Button type="submit" form="budget" look="primary" disabled={!valid}>
                Set
              </Button>
            </>
          }
        >
          <form
            id="budget"
            onSubmit={(event) => {
              event.preventDefault();
              if (!valid) return;
              onChange(amount);
              setOther(null);
            }}
          >
            <TextField
              label="US dollars"
              hint="The agent stops when it is used up. What it has done stays."
              inputMode="decimal"
              data-focus
              value={other}
              onChange={(event) => setOther(event.target.value)}
            />
          </form>
        </Dialog>
      )}
    </>
  );
}
