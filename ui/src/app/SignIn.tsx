import { useState } from "react";
import { problemOf, signIn } from "@/api/client";
import type { Problem } from "@/api/types";
import { Button } from "@/components/Button";
import { ProblemCard } from "@/components/ProblemCard";
import { TextField } from "@/components/TextField";
import { cell, useCell } from "./cell";

/** Why the code in the address did not work; set before the page is drawn. */
export const refused = cell<Problem | null>(null);

export function SignIn() {
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const problem = useCell(refused);
  const submit = async () => {
    setBusy(true);
    refused.set(null);
    await signIn(code.trim().replace(/^.*code=/, "")).catch((error: unknown) => refused.set(problemOf(error)));
    setBusy(false);
  };
  return (
    <main className="mx-auto grid h-full max-w-90 content-center gap-4 p-4">
      <div>
        <h1 className="text-xl font-semibold text-strong">Sign in to Twinseat</h1>
        <p className="text-mute">
          Open Twinseat from its window, or run <code className="font-mono text-sm text-fg">twinseat open</code> in a
          terminal: both sign you in by themselves. A code works once, for a minute.
        </p>
      </div>
      {problem && <ProblemCard problem={problem} live />}
      <form
        className="flex items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField
          className="flex-1"
          label="Code or link"
          value={code}
          onChange={(event) => setCode(event.target.value)}
          autoFocus
        />
        <Button look="primary" type="submit" className="h-7" disabled={!code.trim()} busy={busy}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
