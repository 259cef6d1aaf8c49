import type { PlanStep } from "@/api/types";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";

const looks = {
  done: { icon: "check", word: "Done", look: "text-mute" },
  in_progress: { icon: "arrow-right", word: "Now", look: "text-strong" },
  todo: { icon: "circle-large", word: "To do", look: "text-mute" },
};

export function PlanList({ steps }: { steps: readonly PlanStep[] }) {
  return (
    <ol className="grid gap-0.5">
      {steps.map((step, index) => {
        const { icon, word, look } = looks[step.status];
        return (
          <li
            key={index}
            className={classes("flex gap-2", look)}
            aria-current={step.status === "in_progress" ? "step" : undefined}
            title={step.notes ?? undefined}
          >
            <CodiconIcon
              name={icon}
              size={14}
              label={word}
              className={classes(
                "mt-0.75",
                step.status === "done" && "text-ok",
                step.status === "in_progress" && "text-link",
              )}
            />
            <span className="min-w-0 break-words">{step.title}</span>
          </li>
        );
      })}
    </ol>
  );
}
