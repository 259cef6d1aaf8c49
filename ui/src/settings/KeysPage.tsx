import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, problemOf } from "@/api/client";
import { useModels } from "@/api/queries";
import type { ProbeResult, Problem, Secrets } from "@/api/types";
import { Button } from "@/components/Button";
import { CodiconIcon } from "@/components/CodiconIcon";
import { ProblemCard } from "@/components/ProblemCard";
import { SecretField } from "@/components/SecretField";
import { Spinner } from "@/components/Spinner";

/** Keys go in and are never shown again: the API gives out their names and where they are kept, no more. */
export function KeysPage() {
  const client = useQueryClient();
  const secrets = useQuery({ queryKey: ["secrets"], queryFn: () => api.get<Secrets>("/api/secrets") });
  const models = useModels();
  const [changing, setChanging] = useState<string | null>(null);
  const refresh = () => void client.invalidateQueries({ queryKey: ["secrets"] });
  const remove = useMutation({
    mutationFn: (name: string) => api.delete(`/api/secrets/${encodeURIComponent(name)}`),
    onSuccess: refresh,
  });
  if (secrets.isPending) return <Spinner label="Looking for keys" />;
  if (secrets.isError) {
    return (
      <ProblemCard problem={problemOf(secrets.error)} live>
        <Button icon="refresh" onClick={() => void secrets.refetch()}>
          Try again
        </Button>
      </ProblemCard>
    );
  }
  const title = (name: string) => {
    if (name === "daytona") return "Daytona";
    const profile = models.data?.profiles.find(({ id }) => name === `model:${id}`);
    return profile ? profile.name : name;
  };
  const names = secrets.data.secrets.filter(({ name }) => name !== "daytona");
  const daytona = secrets.data.secrets.find(({ name }) => name === "daytona") ?? {
    name: "daytona",
    stored: false,
    where: "",
  };
  return (
    <>
      <p className="flex gap-2 text-mute">
        <CodiconIcon
          name={secrets.data.warning ? "warning" : "lock"}
          className={secrets.data.warning ? "mt-0.5 text-warn" : "mt-0.5"}
        />
        <span>
          Kept in {secrets.data.store}. {secrets.data.warning ?? "Agents and sandboxes never get them."}
        </span>
      </p>
      <ul className="grid gap-2">
        {[...names, daytona].map(({ name, stored, where }) => (
          <li key={name} className="grid gap-2 rounded-md border border-edge px-3 py-2">
            <div className="flex items-center gap-2">
              <div className="min-w-0 flex-1">
                <div className="truncate text-strong">{title(name)}</div>
                <div className="text-sm text-mute">{stored ? `Stored in ${where}` : "Not set"}</div>
              </div>
              <Button onClick={() => setChanging(changing === name ? null : name)}>{stored ? "Replace" : "Set"}</Button>
              {stored && (
                <Button look="ghost" onClick={() => remove.mutate(name)} busy={remove.isPending}>
                  Remove
                </Button>
              )}
            </div>
            {changing === name && (
              <KeyForm
                name={name}
                onDone={() => {
                  setChanging(null);
                  refresh();
                }}
              />
            )}
          </li>
        ))}
      </ul>
      {remove.isError && <ProblemCard problem={problemOf(remove.error)} live />}
    </>
  );
}

function KeyForm({ name, onDone }: { name: string; onDone: () => void }) {
  const [key, setKey] = useState("");
  const save = useMutation({
    mutationFn: async () => {
      if (name === "daytona") {
        const result = await api.post<ProbeResult>("/api/daytona/test", { key });
        if (!result.ok) return result.problem;
      }
      await api.put(`/api/secrets/${encodeURIComponent(name)}`, { value: key });
      return null;
    },
    onSuccess: (problem) => !problem && onDone(),
  });
  const problem: Problem | null = save.isError ? problemOf(save.error) : (save.data ?? null);
  return (
    <form
      className="grid gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <SecretField label="New key" value={key} onChange={(value) => setKey(value.trim())} autoFocus />
      {problem && <ProblemCard problem={problem} live />}
      <div>
        <Button look="primary" type="submit" disabled={!key} busy={save.isPending}>
          Store
        </Button>
      </div>
    </form>
  );
}
