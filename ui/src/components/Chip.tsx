import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { ariaKeys } from "@/app/keys";
import { classes } from "./classes";
import { CodiconIcon } from "./CodiconIcon";
import { Tooltip } from "./Tooltip";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon?: string;
  tip?: string;
  keys?: string;
  children: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

/** A small setting that says its value and opens its menu. */
export function Chip({ icon, tip, keys, children, className, type = "button", ...rest }: Props) {
  const chip = (
    <button
      type={type}
      aria-keyshortcuts={keys ? ariaKeys(keys) : undefined}
      className={classes(
        "inline-flex h-6 min-w-0 items-center gap-1 rounded-sm px-1.5 text-sm text-mute transition-colors hover:bg-hover hover:text-fg data-[state=open]:bg-hover data-[state=open]:text-fg",
        className,
      )}
      {...rest}
    >
      {icon && <CodiconIcon name={icon} size={14} />}
      <span className="truncate">{children}</span>
    </button>
  );
  return tip ? (
    <Tooltip text={tip} keys={keys}>
      {chip}
    </Tooltip>
  ) : (
    chip
  );
}
