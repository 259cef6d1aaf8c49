import { useId, type ReactNode } from "react";
import { classes } from "./classes";
import { CodiconIcon } from "./CodiconIcon";

interface Option<T extends string> {
  value: T;
  label: string;
  icon?: string;
  detail?: ReactNode;
}

interface Props<T extends string> {
  label: string;
  options: readonly Option<T>[];
  value: T | null;
  onChange: (value: T) => void;
}

/** One of several, each with its own card; all as high as the highest. The platform's radio buttons: arrows choose. */
export function RadioCards<T extends string>({ label, options, value, onChange }: Props<T>) {
  const name = useId();
  return (
    <div role="radiogroup" aria-label={label} className="grid auto-rows-fr grid-cols-2 gap-1.5">
      {options.map((one) => (
        <label
          key={one.value}
          className={classes(
            "relative flex min-w-0 last:odd:col-span-2 items-center gap-2 rounded-md border px-3 py-1.5 transition-colors has-focus-visible:outline has-focus-visible:outline-offset-1 has-focus-visible:outline-focus",
            value === one.value ? "border-accent bg-accent/10 text-strong" : "border-edge hover:bg-hover",
          )}
        >
          <input
            type="radio"
            name={name}
            className="sr-only"
            checked={value === one.value}
            onChange={() => onChange(one.value)}
          />
          {one.icon && <CodiconIcon name={one.icon} />}
          <span className="min-w-0 flex-1 break-words">
            {one.label}
            {one.detail}
          </span>
          <CodiconIcon name="check" className={value === one.value ? "text-link" : "invisible"} />
        </label>
      ))}
    </div>
  );
}
