import { useState } from "react";
import { problemOf } from "@/api/client";
import { useChangeSettings, useSettings } from "@/api/queries";
import type { SettingsPatch } from "@/api/types";
import { CodiconIcon } from "@/components/CodiconIcon";
import { ProblemCard } from "@/components/ProblemCard";
import { TextField } from "@/components/TextField";
import { Choice, Switch } from "./Choice";

const themes = [
  { value: "system", label: "As the system" },
  { value: "dark", label: "Dark" },
  { value: "light", label: "Light" },
] as const;

const modes = [
  { value: "ask_risky", label: "Ask when risky" },
  { value: "ask_all", label: "Ask every time" },
  { value: "ask_never", label: "Never ask" },
] as const;

const scratch = [
  { value: "ask", label: "Ask" },
  { value: "always", label: "Make it one" },
  { value: "never", label: "Leave it as it is" },
] as const;

/** Every change is stored as it is made; there is nothing to save. */
export function GeneralPage() {
  const settings = useSettings();
  const change = useChangeSettings();
  if (!settings.data) return null;
  const { data } = settings;
  const set = (patch: SettingsPatch) => change.mutate(patch);
  return (
    <>
      {data.warnings.map((warning) => (
        <p key={warning} className="flex gap-2 text-sm">
          <CodiconIcon name="warning" className="mt-px text-warn" /> {warning}
        </p>
      ))}
      {change.isError && <ProblemCard problem={problemOf(change.error)} live />}
      <Choice
        label="Theme"
        value={data.theme}
        options={themes}
        onChange={(theme) => set({ theme })}
        hint="The editor follows."
      />
      <Choice
        label="When a new task asks you"
        value={data.default_mode}
        options={modes}
        onChange={(default_mode) => set({ default_mode })}
        hint={
          data.default_mode === "ask_never"
            ? "The agent will do everything you could do on this computer, without a question."
            : "Each task can be set on its own, below its message field."
        }
      />
      <Saved
        label="Budget of a new task, in dollars"
        value={data.default_budget_usd === null ? "" : String(data.default_budget_usd)}
        placeholder="No limit"
        inputMode="decimal"
        valid={(text) => text === "" || Number(text) > 0}
        wrong="A budget is a number above zero; leave it empty for none."
        onSave={(text) => set({ default_budget_usd: text === "" ? null : Number(text) })}
        hint="The gateway stops a task that has spent it, sub-agents included."
      />
      <Saved
        label="Where repositories are cloned to"
        value={data.workspace_base}
        onSave={(workspace_base) => set({ workspace_base })}
      />
      <Choice
        label="A folder that is no git repository"
        value={data.git_scratch}
        options={scratch}
        onChange={(git_scratch) => set({ git_scratch })}
        hint="With a repository you can see and undo what the agent changed."
      />
      <Switch
        label="The editor follows the agent"
        hint="It shows the file being worked on, without taking the focus."
        value={data.follow_agent}
        onChange={(follow_agent) => set({ follow_agent })}
      />
    </>
  );
}

interface SavedProps {
  label: string;
  value: string;
  placeholder?: string;
  hint?: string;
  wrong?: string;
  inputMode?: "decimal";
  valid?: (text: string) => boolean;
  onSave: (text: string) => void;
}

/** A text that is stored when it is left or Enter is pressed. */
function Saved({ label, value, placeholder, hint, wrong, inputMode, valid = () => true, onSave }: SavedProps) {
  const [text, setText] = useState<string | null>(null);
  const shown = text ?? value;
  const good = valid(shown.trim());
  const save = () => {
    if (text !== null && good && text.trim() !== value) onSave(text.trim());
    if (good) setText(null);
  };
  return (
    <TextField
      className="max-w-80"
      label={label}
      value={shown}
      placeholder={placeholder}
      inputMode={inputMode}
      hint={hint}
      error={good ? null : wrong}
      onChange={(event) => setText(event.target.value)}
      onBlur={save}
      onKeyDown={(event) => event.key === "Enter" && save()}
    />
  );
}
