import { useId, type InputHTMLAttributes, type ReactNode, type Ref } from "react";
import { classes } from "./classes";

interface Props extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  /** Keep the label for screen readers only. */
  hideLabel?: boolean;
  hint?: ReactNode;
  error?: ReactNode;
  /** A button inside the field, at its end. */
  end?: ReactNode;
  /** In a dialog the focus goes here when it opens. */
  "data-focus"?: boolean;
  ref?: Ref<HTMLInputElement>;
}

export function TextField({ label, hideLabel, hint, error, end, className, ...rest }: Props) {
  const id = useId();
  return (
    <div className={classes("grid gap-1", className)}>
      <label htmlFor={id} className={hideLabel ? "sr-only" : "text-strong"}>
        {label}
      </label>
      <div className="relative">
        <input
          id={id}
          aria-invalid={error ? true : undefined}
          aria-describedby={hint || error ? `${id}-note` : undefined}
          spellCheck={false}
          autoComplete="off"
          className={classes(
            "h-7 w-full min-w-0 rounded-sm border bg-bg px-2 text-fg outline-none focus:border-focus",
            error ? "border-bad" : "border-edge",
            end != null && "pr-8",
          )}
          {...rest}
        />
        {end != null && <div className="absolute inset-y-0 right-1 flex items-center">{end}</div>}
      </div>
      {(hint || error) && (
        <div id={`${id}-note`} className={classes("text-sm", error ? "text-bad" : "text-mute")}>
          {error ?? hint}
        </div>
      )}
    </div>
  );
}
