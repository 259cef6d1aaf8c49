import { useQuery } from "@tanstack/react-query";
import { api } from "@/api/client";
import { overlay } from "@/app/overlay";
import type { Health } from "@/api/types";
import { Button } from "@/components/Button";

export default function AboutPage() {
  const health = useQuery({ queryKey: ["health"], queryFn: () => api.get<Health>("/api/health") });
  return (
    <>
      <div>
        <div className="text-lg font-semibold text-strong">Twinseat {health.data?.version ?? ""}</div>
        <p className="text-mute">
          A cockpit with two seats: you in the editor, the agent in the chat. The agent is OpenHands, the editor is
          code-server; both run as they are.
        </p>
      </div>
      <p className="text-mute">
        Something not right? <code className="font-mono text-sm text-fg">twinseat doctor</code> in a terminal checks
        every part and says what to do.
      </p>
      <div>
        <Button icon="rocket" onClick={() => overlay.set("wizard")}>
          Run the first-run wizard again
        </Button>
      </div>
    </>
  );
}
