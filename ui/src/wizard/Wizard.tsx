import { useState } from "react";
import { useChangeSettings } from "@/api/queries";
import type { ModelProfile, Provider, Workspace } from "@/api/types";
import { select } from "@/app/selection";
import { DaytonaStep } from "./DaytonaStep";
import { FolderStep } from "./FolderStep";
import { KeyStep } from "./KeyStep";
import { ModelStep } from "./ModelStep";
import { ProviderStep } from "./ProviderStep";

/** What has been answered so far; Back keeps it. The key lives here only until the wizard ends. */
export interface Answers {
  provider: Provider | null;
  baseUrl: string;
  key: string;
  profile: ModelProfile | null;
}

const steps = ["provider", "key", "model", "daytona", "folder"] as const;
type Step = (typeof steps)[number];

/** First run: one question a screen, every one with Back, and Skip where skipping is honest. */
export default function Wizard({ onDone }: { onDone: () => void }) {
  const [step, setStep] = useState<Step>("provider");
  const [answers, setAnswers] = useState<Answers>({ provider: null, baseUrl: "", key: "", profile: null });
  const settings = useChangeSettings();

  const asked = steps.filter((name) => name !== "key" || !answers.provider || asksForKey(answers.provider));
  const at = asked.indexOf(step);
  const go = (by: number) => setStep(asked[at + by] ?? step);
  const answer = (more: Partial<Answers>) => setAnswers((before) => ({ ...before, ...more }));
  const finish = (opened?: { workspace: string; task?: string | null }) => {
    if (opened) select(opened.workspace, opened.task ?? null);
    settings.mutate({ onboarded: true }, { onSuccess: onDone });
  };

  const frame = {
    place: { at: at + 1, of: asked.length },
    onBack: at > 0 ? () => go(-1) : undefined,
  };
  switch (step) {
    case "provider":
      return (
        <ProviderStep
          {...frame}
          answers={answers}
          onNext={(provider, baseUrl) => {
            // A key belongs to the address that it was given for, and so does the model that was stored with it.
            const same = provider.id === answers.provider?.id && baseUrl === answers.baseUrl;
            answer({ provider, baseUrl, ...(!same && { key: "", profile: null }) });
            setStep(asksForKey(provider) ? "key" : "model");
          }}
          onDemo={(demo) => finish({ workspace: demo.workspace_id, task: demo.task_id })}
          onSkip={() => finish()}
        />
      );
    case "key":
      return (
        <KeyStep
          {...frame}
          answers={answers}
          onNext={(key) => {
            answer({ key });
            go(1);
          }}
        />
      );
    case "model":
      return (
        <ModelStep
          {...frame}
          answers={answers}
          onNext={(profile) => {
            answer({ profile });
            go(1);
          }}
        />
      );
    case "daytona":
      return <DaytonaStep {...frame} onNext={() => go(1)} />;
    case "folder":
      return (
        <FolderStep
          {...frame}
          busy={settings.isPending}
          onNext={(workspace: Workspace | null) => finish(workspace ? { workspace: workspace.id } : undefined)}
        />
      );
  }
}

/** A custom endpoint may want a key too, though most local ones don't. */
function asksForKey(provider: Provider): boolean {
  return provider.needs_key || provider.id === "custom";
}
