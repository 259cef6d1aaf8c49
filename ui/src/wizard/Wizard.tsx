import { useChangeSettings } from "@/api/queries";
import { Button } from "@/components/Button";

/** Placeholder: the first-run wizard replaces it. */
export default function Wizard({ onDone }: { onDone: () => void }) {
  const change = useChangeSettings();
  return (
    <main className="grid h-full place-content-center gap-3">
      <h1 className="text-xl text-strong">Welcome to Twinseat</h1>
      <Button look="primary" onClick={() => change.mutate({ onboarded: true }, { onSuccess: onDone })}>
        Start
      </Button>
    </main>
  );
}
