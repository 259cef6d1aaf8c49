import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, problemOf } from "@/api/client";
import type { Demo, Provider } from "@/api/types";
import { Button } from "@/components/Button";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";
import { RadioCards } from "@/components/RadioCards";
import { ProblemCard } from "@/components/ProblemCard";
import { Spinner } from "@/components/Spinner";
import { TextField } from "@/components/TextField";
import { Screen, type Frame } from "./Screen";
import type { Answers } from "./Wizard";

interface Props extends Frame {
  answers: Answers;
  onNext: (provider: Provider, baseUrl: string) => void;
  onDemo: (demo: Demo) => void;
  onSkip: () => void;
}

export function ProviderStep({ answers, onNext, onDemo, onSkip, ...frame }: Props) {
  const providers = useProviders();
  const [chosen, setChosen] = useState<string | null>(answers.provider?.id ?? null);
  const [baseUrl, setBaseUrl] = useState(answers.baseUrl);
  const client = useQueryClient();
  const demo = useMutation({
    mutationFn: () => api.post<Demo>("/api/demo"),
    onSuccess: async (made) => {
      // The demo brings a workspace, a model and a task that no list here knows yet.
      await client.invalidateQueries();
      onDemo(made);
    },
  });
  // A model that already runs on this computer is the shortest way to a first task.
  const ordered = [...(providers.data ?? [])].sort((a, b) => Number(b.found ?? false) - Number(a.found ?? false));
  const provider = ordered.find(({ id }) => id === chosen) ?? null;
  const needsAddress = provider !== null && (provider.id === "custom" || provider.local);
  const address = baseUrl || provider?.base_url || "";
  return (
    <Screen
      {...frame}
      title="Which model does the work?"
      why="The agent thinks with a model of your choice. You can add more, and switch per task, later."
      next="Next"
      ready={provider !== null && (!needsAddress || isAddress(address))}
      onNext={() => provider && onNext(provider, needsAddress ? address : "")}
      skip={{ label: "Skip for now", onSkip }}
    >
      <section className="flex items-center gap-3 rounded-md border border-edge bg-raised px-3 py-2">
        <CodiconIcon name="beaker" className="text-mute" />
        <div className="min-w-0 flex-1">
          <div className="text-strong">Try without a key</div>
          <div className="text-sm text-mute">A scripted stand-in drives the real agent through a small project.</div>
        </div>
        <Button onClick={() => demo.mutate()} busy={demo.isPending}>
          Start the demo
        </Button>
      </section>
      {demo.isError && <ProblemCard problem={problemOf(demo.error)} live />}
      {providers.isPending && <Spinner label="Reading the list of providers" />}
      {providers.isError && (
        <ProblemCard problem={problemOf(providers.error)} live>
          <Button icon="refresh" onClick={() => void providers.refetch()}>
            Try again
          </Button>
        </ProblemCard>
      )}
      {ordered.length > 0 && (
        <ProviderList
          providers={ordered}
          chosen={chosen}
          onChoose={(id) => {
            setChosen(id);
            setBaseUrl("");
          }}
        />
      )}
      {needsAddress && (
        <TextField
          label="Address"
          value={address}
          placeholder="https://models.example.com/v1"
          onChange={(event) => setBaseUrl(event.target.value)}
          error={address && !isAddress(address) ? "This is no web address; it starts with http:// or https://." : null}
          hint={
            provider.local && provider.found === false
              ? `${provider.name} does not answer there now. Start it, or change the address.`
              : "The base URL, as its documentation gives it; most end in /v1."
          }
        />
      )}
    </Screen>
  );
}

export function useProviders() {
  return useQuery({ queryKey: ["providers"], queryFn: () => api.get<Provider[]>("/api/models/providers") });
}

export function isAddress(text: string): boolean {
  return /^https?:\/\/[^\s/]+/.test(text) && URL.canParse(text);
}

interface ListProps {
  providers: Provider[];
  chosen: string | null;
  onChoose: (id: string) => void;
}

export function ProviderList({ providers, chosen, onChoose }: ListProps) {
  return (
    <RadioCards
      label="Provider"
      value={chosen}
      onChange={onChoose}
      options={providers.map(({ id, name, local, found }) => ({
        value: id,
        label: name,
        detail: local && (
          <span className={classes("block text-sm", found ? "text-ok" : "text-mute")}>
            {found ? "Running on this computer" : "On this computer"}
          </span>
        ),
      }))}
    />
  );
}
