import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, problemOf } from "@/api/client";
import { useModels } from "@/api/queries";
import type { ModelProfile, ProbeResult, Problem } from "@/api/types";
import { Button } from "@/components/Button";
import { Chip } from "@/components/Chip";
import { IconButton } from "@/components/IconButton";
import { ProblemCard } from "@/components/ProblemCard";
import { Spinner } from "@/components/Spinner";
import { AddModel } from "./AddModel";

export function ModelsPage() {
  const models = useModels();
  const [adding, setAdding] = useState(false);
  const profiles = models.data?.profiles ?? [];
  if (adding) return <AddModel onClose={() => setAdding(false)} />;
  return (
    <>
      {models.isPending && <Spinner label="Reading the models" />}
      {models.isError && (
        <ProblemCard problem={problemOf(models.error)} live>
          <Button icon="refresh" onClick={() => void models.refetch()}>
            Try again
          </Button>
        </ProblemCard>
      )}
      {models.data && profiles.length === 0 && (
        <p className="text-mute">No model yet. The agent needs one to think with.</p>
      )}
      <ul className="grid gap-2">
        {profiles.map((profile) => (
          <ModelRow key={profile.id} profile={profile} />
        ))}
      </ul>
      <div>
        <Button look={profiles.length ? "secondary" : "primary"} icon="add" onClick={() => setAdding(true)}>
          Add a model
        </Button>
      </div>
    </>
  );
}

function ModelRow({ profile }: { profile: ModelProfile }) {
  const client = useQueryClient();
  const [removing, setRemoving] = useState(false);
  const refresh = () => client.invalidateQueries({ queryKey: ["models"], exact: true });
  const test = useMutation({
    mutationFn: () =>
      api.post<ProbeResult>("/api/models/test", {
        provider: profile.provider,
        protocol: profile.protocol,
        base_url: profile.base_url,
        profile_id: profile.id,
        model: profile.model,
      }),
  });
  const choose = useMutation({
    mutationFn: () => api.patch<ModelProfile>(`/api/models/${profile.id}`, { make_default: true }),
    onSuccess: refresh,
  });
  const remove = useMutation({ mutationFn: () => api.delete(`/api/models/${profile.id}`), onSuccess: refresh });
  const failed = test.error ?? choose.error ?? remove.error;
  const problem: Problem | null = failed ? problemOf(failed) : (test.data?.problem ?? null);
  // The environment's model is changed where it is set, not here.
  const fixed = profile.id === "env";
  return (
    <li className="grid gap-2 rounded-md border border-edge px-3 py-2">
      <div className="flex flex-wrap items-center gap-2">
        <div className="min-w-40 flex-1">
          <div className="flex items-center gap-2 text-strong">
            <span className="truncate">{profile.name}</span>
            {profile.is_default && <span className="rounded-sm bg-accent/20 px-1.5 text-xs text-fg">default</span>}
          </div>
          <div className="truncate text-sm text-mute">
            {profile.model} · {host(profile.base_url)}
            {fixed ? " · from the environment" : profile.has_key ? " · key stored" : ""}
          </div>
        </div>
        {test.data?.ok && <span className="text-sm text-ok">Answered in {test.data.took.toFixed(1)} s</span>}
        <Button onClick={() => test.mutate()} busy={test.isPending}>
          Test
        </Button>
        {!profile.is_default && (
          <Chip tip="New tasks use it" onClick={() => choose.mutate()}>
            Make default
          </Chip>
        )}
        {!fixed && <IconButton icon="trash" label={`Remove ${profile.name}`} onClick={() => setRemoving(true)} />}
      </div>
      {removing && (
        <div className="flex flex-wrap items-center gap-2 text-sm">
          <span className="flex-1">Remove it and its key? Tasks that use it must then choose another.</span>
          <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            Remove
          </Button>
          <Button onClick={() => setRemoving(false)}>Keep</Button>
        </div>
      )}
      {problem && <ProblemCard problem={problem} live />}
    </li>
  );
}

function host(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
