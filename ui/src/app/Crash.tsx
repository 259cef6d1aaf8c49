import { problemOf } from "@/api/client";
import { Button } from "@/components/Button";
import { ProblemCard } from "@/components/ProblemCard";

/** In place of a page that failed to draw. */
export function Crash({ error, again }: { error: unknown; again: () => void }) {
  return (
    <main className="mx-auto grid h-full max-w-110 content-center p-4">
      <ProblemCard
        problem={{
          ...problemOf(error),
          remedy: "Your task goes on without this page. Draw it again, or load it anew.",
        }}
        live
      >
        <Button look="primary" icon="refresh" onClick={again}>
          Draw it again
        </Button>
        <Button onClick={() => location.reload()}>Load anew</Button>
      </ProblemCard>
    </main>
  );
}
