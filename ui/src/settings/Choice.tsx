import { useId, type ReactNode } from "react";

interface Props<T extends string> {
  label: string;
  hint?: ReactNode;
  value: T;
  options: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
}

/** One of a few: the platform's own select, which every keyboard and screen reader knows. */
export function Choice<T extends string>({ label, hint, value, options, onChange }: Props<T>) {
  const id = useId();
  return (
    <div className="grid gap-1">
      <label htmlFor={id} className="text-strong">
        {label}
      </label>
      <select
        id={id}
        value={value}
        onChange={(event) => onChange(event.target.value as T)}
        className="h-7 w-full max-w-80 rounded-sm border border-edge bg-bg px-1.5 text-fg outline-none focus:border-focus"
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      {hint && <p className="text-sm text-mute">{hint}</p>}
    </div>
  );
}

interface SwitchProps {
  label: string;
  hint?: ReactNode;
  value: boolean;
  onChange: (value: boolean) => void;
}

export function Switch({ label, hint, value, onChange }: SwitchProps) {
  return (
    <label className="flex items-start gap-2">
      <input
        type="checkbox"
        checked={value}
        onChange={(event) => onChange(event.target.checked)}
        className="mt-0.5 size-4 shrink-0 accent-accent"
      />
      <span>
        <span className="block text-strong">{label}</span>
        {hint && <span className="block text-sm text-mute">{hint}</span>}
      </span>
    </label>
  );
}
