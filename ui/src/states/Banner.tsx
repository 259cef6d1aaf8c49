import type { ReactNode } from "react";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";

interface Props {
  icon: string;
  tone?: "quiet" | "warn" | "bad";
  spin?: boolean;
  children: ReactNode;
  actions?: ReactNode;
}

const tones = {
  quiet: { box: "border-line bg-hover", icon: "text-link" },
  warn: { box: "border-warn/40 bg-warn/10", icon: "text-warn" },
  bad: { box: "border-bad/40 bg-bad/10", icon: "text-bad" },
};

/** A slim strip under the bar for something that holds for the whole page. */
export function Banner({ icon, tone = "quiet", spin, children, actions }: Props) {
  return (
    <div
      role="status"
      className={classes(
        "flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1.5 border-b px-3 py-1.5",
        tones[tone].box,
      )}
    >
      <div className="flex min-w-[min(100%,280px)] flex-1 gap-2">
        <CodiconIcon name={icon} spin={spin} className={classes("mt-0.5", tones[tone].icon)} />
        <div className="min-w-0 break-words">{children}</div>
      </div>
      {actions && <div className="ml-6 flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}
