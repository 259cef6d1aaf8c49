import type { ReactNode } from "react";
import type { Problem } from "@/api/types";
import { CodiconIcon } from "./CodiconIcon";

interface Props {
  problem: Problem;
  /** What the user can do about it, as buttons. */
  children?: ReactNode;
  /** Said aloud when it appears. */
  live?: boolean;
}

/** A failure in three parts: what happened, why, what to do next. */
export function ProblemCard({ problem, children, live }: Props) {
  return (
    <section
      role={live ? "alert" : undefined}
      className="rounded-md border border-l-3 border-bad/50 border-l-bad bg-bad/5 px-3 py-2"
    >
      <div className="flex gap-2">
        <CodiconIcon name="error" className="mt-0.5 text-bad" />
        <div className="min-w-0 flex-1 break-words">
          <div className="font-semibold text-strong">{problem.title}</div>
          {problem.detail && <p className="text-fg">{problem.detail}</p>}
          {problem.remedy && <p className="text-mute">{problem.remedy}</p>}
        </div>
      </div>
      {children && <div className="mt-2 ml-6 flex flex-wrap gap-2">{children}</div>}
    </section>
  );
}
