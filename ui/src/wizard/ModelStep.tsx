import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, problemOf } from "@/api/client";
import type { ModelList, ModelProfile, ProbeResult, Problem } from "@/api/types";
import { Button } from "@/components/Button";
import { CodiconIcon } from "@/components/CodiconIcon";
import { ProblemCard } from "@/components/ProblemCard";
import { Spinner } from "@/components/Spinner";
import { ModelPicker } from "./ModelPicker";
import { Screen, type Frame } from "./Screen";
import type { Answers } from "./Wizard";

interface Props extends Frame {
  answers: Answers;
  onNext: (profile: ModelProfile) => void;
}

/** Choosing a model tests it for real, one token long; only a model that answered is stored without a question. */
export function ModelStep({ answers, onNext, ...frame }: Props) {
  const { provider, baseUrl, key } = answers;
  const client = useQueryClient();
  const [model, setModel] = useState(answers.profile?.model ?? "");
  const probe = { provider: provider?.id ?? "custom", base_url: baseUrl || null, key: key || null };
  const list = useQuery({
    // The key itself is no part of the cache's key: it would outlive this screen there.
    queryKey: ["models", "offered", probe.provider, probe.base_url, key.length],
    queryFn: () => api.post<ModelList>("/api/models/list", probe),
    gcTime: 0,
  });
  const store = useMutation({
    mutationFn: async () => {
      if (answers.profile?.model === model) return answers.profile;
      const profile = await api.post<ModelProfile>("/api/models", { ...probe, model, make_default: true });
      // Another model than the one chosen before Back takes its place.
      if (answers.profile) await api.delete(`/api/models/${answers.profile.id}`);
      return profile;
    },
    onSuccess: (profile) => {
      void client.invalidateQueries({ queryKey: ["models"], exact: true });
      onNext(profile);
    },
  });
  const test = useMutation({
    mutationFn: () => api.post<ProbeResult>("/api/models/test", { ...probe, model }),
    onSuccess: (result) => result.ok && store.mutate(),
  });
  const problem: Problem | null = test.isError
    ? problemOf(test.error)
    : (test.data?.problem ?? (store.isError ? problemOf(store.error) : null));
  const offered = list.data?.models ?? [];
  return (
    <Screen
      {...frame}
      title="Which of its models?"
      why="It is asked for a single word now, so that a wrong name or an empty account shows here and not in your task."
      next="Test and continue"
      ready={model.trim().length > 0}
      busy={test.isPending || store.isPending}
      onNext={() => test.mutate()}
    >
      {list.isPending ? (
        <p className="flex items-center gap-2 text-mute">
          <Spinner /> Asking {provider?.name ?? "the endpoint"} for its models
        </p>
      ) : (
        <ModelPicker
          models={offered}
          suggested={provider?.suggested_models ?? []}
          value={model}
          onChange={(value) => {
            setModel(value);
            test.reset();
          }}
        />
      )}
      {list.data?.problem && offered.length === 0 && (
        <p className="flex gap-2 text-sm text-mute">
          <CodiconIcon name="info" />
          <span>{list.data.problem.detail} Type the model's name instead.</span>
        </p>
      )}
      {problem && (
        <ProblemCard problem={problem} live>
          {test.data && !test.data.ok && (
            <Button onClick={() => store.mutate()} busy={store.isPending}>
              Use it anyway
            </Button>
          )}
        </ProblemCard>
      )}
    </Screen>
  );
}
