import type { ButtonHTMLAttributes, Ref } from "react";
import { ariaKeys } from "@/app/keys";
import { classes } from "./classes";
import { CodiconIcon } from "./CodiconIcon";
import { Tooltip } from "./Tooltip";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: string;
  /** What it does: the accessible name and the tooltip. */
  label: string;
  keys?: string;
  pressed?: boolean;
  spin?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ icon, label, keys, pressed, spin, className, type = "button", ...rest }: Props) {
  return (
    <Tooltip text={label} keys={keys}>
      <button
        type={type}
        aria-label={label}
        aria-pressed={pressed}
        aria-keyshortcuts={keys ? ariaKeys(keys) : undefined}
        className={classes(
          "grid size-6 shrink-0 place-items-center rounded-md text-mute transition-colors hover:bg-hover hover:text-fg active:bg-press disabled:opacity-40",
          pressed && "bg-hover text-fg",
          className,
        )}
        {...rest}
      >
        <CodiconIcon name={icon} spin={spin} />
      </button>
    </Tooltip>
  );
}
