import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, problemOf } from "@/api/client";
import type { ProbeResult, Problem } from "@/api/types";
import { openOutside } from "@/app/native";
import { ProblemCard } from "@/components/ProblemCard";
import { SecretField } from "@/components/SecretField";
import { Screen, type Frame } from "./Screen";

export function DaytonaStep({ onNext, ...frame }: Frame & { onNext: () => void }) {
  const [key, setKey] = useState("");
  const save = useMutation({
    mutationFn: async () => {
      const result = await api.post<ProbeResult>("/api/daytona/test", { key });
      if (result.ok) await api.put("/api/secrets/daytona", { value: key });
      return result;
    },
    onSuccess: (result) => result.ok && onNext(),
  });
  const problem: Problem | null = save.isError ? problemOf(save.error) : (save.data?.problem ?? null);
  return (
    <Screen
      {...frame}
      title="A Daytona key, for later"
      why="This version works on this computer. A key for cloud sandboxes can be checked and kept until they come."
      next="Check and save"
      ready={key.length > 0}
      busy={save.isPending}
      onNext={() => save.mutate()}
      skip={{ label: "Skip", onSkip: onNext }}
    >
      <SecretField
        label="Daytona key"
        placeholder="dtn_…"
        value={key}
        autoFocus
        onChange={(value) => {
          setKey(value.trim());
          save.reset();
        }}
        hint={
          <button
            type="button"
            className="text-link hover:underline"
            onClick={() => openOutside("https://app.daytona.io/dashboard/keys")}
          >
            Get a key from Daytona
          </button>
        }
      />
      {problem && <ProblemCard problem={problem} live />}
    </Screen>
  );
}
