import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, problemOf } from "@/api/client";
import type { ModelList, ModelProfile, ProbeResult, Problem } from "@/api/types";
import { Button } from "@/components/Button";
import { ProblemCard } from "@/components/ProblemCard";
import { SecretField } from "@/components/SecretField";
import { TextField } from "@/components/TextField";
import { ModelPicker } from "@/wizard/ModelPicker";
import { isAddress, useProviders } from "@/wizard/ProviderStep";
import { Choice } from "./Choice";

/** The wizard's three questions on one page, for those who have answered them before. */
export function AddModel({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const providers = useProviders();
  const [id, setId] = useState("");
  const [address, setAddress] = useState("");
  const [key, setKey] = useState("");
  const [model, setModel] = useState("");
  const provider = providers.data?.find((one) => one.id === id) ?? providers.data?.[0];
  const baseUrl = address || provider?.base_url || "";
  const probe = { provider: provider?.id ?? "custom", base_url: baseUrl || null, key: key || null };

  const list = useMutation({ mutationFn: () => api.post<ModelList>("/api/models/list", probe) });
  const store = useMutation({
    mutationFn: () => api.post<ModelProfile>("/api/models", { ...probe, model }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["models"], exact: true });
      void client.invalidateQueries({ queryKey: ["secrets"] });
      onClose();
    },
  });
  const test = useMutation({
    mutationFn: () => api.post<ProbeResult>("/api/models/test", { ...probe, model }),
    onSuccess: (result) => result.ok && store.mutate(),
  });
  const forget = () => {
    list.reset();
    test.reset();
  };
  const failed = test.error ?? store.error ?? list.error;
  const problem: Problem | null = failed ? problemOf(failed) : (test.data?.problem ?? list.data?.problem ?? null);
  if (!provider) return null;
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        test.mutate();
      }}
    >
      <Choice
        label="Provider"
        value={provider.id}
        options={(providers.data ?? []).map((one) => ({ value: one.id, label: one.name }))}
        onChange={(next) => {
          setId(next);
          setAddress("");
          setModel("");
          forget();
        }}
      />
      <TextField
        label="Address"
        value={baseUrl}
        onChange={(event) => {
          setAddress(event.target.value);
          forget();
        }}
        error={baseUrl && !isAddress(baseUrl) ? "This is no web address; it starts with http:// or https://." : null}
      />
      <SecretField
        label={provider.needs_key ? "Key" : "Key (leave empty when it needs none)"}
        value={key}
        placeholder={provider.key_hint ?? ""}
        onChange={(value) => {
          setKey(value.trim());
          forget();
        }}
      />
      <ModelPicker
        key={provider.id}
        models={list.data?.models ?? []}
        suggested={provider.suggested_models}
        value={model}
        onChange={(value) => {
          setModel(value);
          test.reset();
        }}
      />
      {problem && (
        <ProblemCard problem={problem} live>
          {test.data && !test.data.ok && <Button onClick={() => store.mutate()}>Use it anyway</Button>}
        </ProblemCard>
      )}
      <div className="flex gap-2">
        <Button onClick={() => list.mutate()} busy={list.isPending}>
          List its models
        </Button>
        <span className="flex-1" />
        <Button look="ghost" onClick={onClose}>
          Cancel
        </Button>
        <Button
          look="primary"
          type="submit"
          disabled={!model || !isAddress(baseUrl)}
          busy={test.isPending || store.isPending}
        >
          Test and add
        </Button>
      </div>
    </form>
  );
}
