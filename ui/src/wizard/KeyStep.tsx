import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, problemOf } from "@/api/client";
import type { ModelList, Problem, Secrets } from "@/api/types";
import { openOutside } from "@/app/native";
import { Button } from "@/components/Button";
import { CodiconIcon } from "@/components/CodiconIcon";
import { ProblemCard } from "@/components/ProblemCard";
import { SecretField } from "@/components/SecretField";
import { Screen, type Frame } from "./Screen";
import type { Answers } from "./Wizard";

interface Props extends Frame {
  answers: Answers;
  onNext: (key: string) => void;
}

/** The key is tried at once by asking for the list of models, and the answer stands below the field. */
export function KeyStep({ answers, onNext, ...frame }: Props) {
  const { provider, baseUrl } = answers;
  const [key, setKey] = useState(answers.key);
  const where = useQuery({ queryKey: ["secrets"], queryFn: () => api.get<Secrets>("/api/secrets") });
  const check = useMutation({
    mutationFn: () =>
      api.post<ModelList>("/api/models/list", { provider: provider?.id, base_url: baseUrl || null, key: key || null }),
    onSuccess: (list) => {
      if (!list.problem || list.problem.code === "no-models") onNext(key);
    },
  });
  const problem: Problem | null = check.isError ? problemOf(check.error) : (check.data?.problem ?? null);
  const optional = !provider?.needs_key;
  return (
    <Screen
      {...frame}
      title={provider && provider.id !== "custom" ? `Your ${provider.name} key` : "Its key"}
      why="It stays on this computer: agents and sandboxes get a pass for one task, never the key."
      next="Check and continue"
      ready={optional || key.trim().length > 0}
      busy={check.isPending}
      onNext={() => check.mutate()}
    >
      <SecretField
        label={optional ? "Key (leave empty when it needs none)" : "Key"}
        placeholder={provider?.key_hint ?? ""}
        value={key}
        autoFocus
        onChange={(value) => {
          setKey(value.trim());
          check.reset();
        }}
        hint={
          provider?.key_url && (
            <button type="button" className="text-link hover:underline" onClick={() => openOutside(provider.key_url)}>
              Get a key from {provider.name}
            </button>
          )
        }
      />
      {problem && (
        <ProblemCard problem={problem} live>
          {/* An endpoint without a list of models is no reason to stop: the next screen lets the name be typed. */}
          {problem.code === "not-a-model-endpoint" && (
            <Button onClick={() => onNext(key)}>Type the model's name</Button>
          )}
        </ProblemCard>
      )}
      {where.data && (
        <p className="flex gap-2 text-sm text-mute">
          <CodiconIcon
            name={where.data.warning ? "warning" : "lock"}
            className={where.data.warning ? "text-warn" : ""}
          />
          <span>
            Kept in {where.data.store}.{where.data.warning && ` ${where.data.warning}`}
          </span>
        </p>
      )}
    </Screen>
  );
}
