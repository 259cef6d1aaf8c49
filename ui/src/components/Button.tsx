import type { ButtonHTMLAttributes, Ref } from "react";
import { ariaKeys } from "@/app/keys";
import { classes } from "./classes";
import { CodiconIcon } from "./CodiconIcon";
import { Spinner } from "./Spinner";
import { Kbd, Tooltip } from "./Tooltip";

const looks = {
  primary: "bg-accent text-on-accent border-transparent hover:bg-accent-hover",
  secondary: "border-edge text-fg hover:bg-hover active:bg-press",
  ghost: "border-transparent text-fg hover:bg-hover active:bg-press",
  danger: "border-bad/60 text-bad hover:bg-bad/10",
};

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: keyof typeof looks;
  icon?: string;
  /** The key that does the same; shown in the tooltip, and on the button too with `showKeys`. */
  keys?: string;
  showKeys?: boolean;
  tip?: string;
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({
  look = "secondary",
  icon,
  keys,
  showKeys,
  tip,
  busy,
  className,
  children,
  disabled,
  type = "button",
  ...rest
}: Props) {
  const button = (
    <button
      type={type}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      aria-keyshortcuts={keys ? ariaKeys(keys) : undefined}
      className={classes(
        "inline-flex h-6.5 shrink-0 items-center justify-center gap-1.5 rounded-sm border px-2.5 text-base whitespace-nowrap transition-colors disabled:opacity-50",
        looks[look],
        className,
      )}
      {...rest}
    >
      {busy ? <Spinner /> : icon && <CodiconIcon name={icon} />}
      {children}
      {keys && showKeys && <Kbd keys={keys} className="" />}
    </button>
  );
  if (!tip && !keys) return button;
  return (
    <Tooltip text={tip ?? children} keys={keys}>
      {button}
    </Tooltip>
  );
}
