import { useQuery } from "@tanstack/react-query";
import { api } from "@/api/client";
import { openOutside } from "@/app/native";
import { overlay } from "@/app/overlay";
import type { Health } from "@/api/types";
import { Button } from "@/components/Button";

const credits = [
  { name: "OpenHands", holder: "its contributors", licence: "MIT", url: "https://github.com/OpenHands/OpenHands" },
  {
    name: "code-server",
    holder: "Coder Technologies Inc.",
    licence: "MIT",
    url: "https://github.com/coder/code-server",
  },
  { name: "Visual Studio Code", holder: "Microsoft", licence: "MIT", url: "https://github.com/microsoft/vscode" },
  { name: "Codicons", holder: "Microsoft", licence: "CC BY 4.0", url: "https://github.com/microsoft/vscode-codicons" },
  { name: "Shiki", holder: "Pine Wu and Anthony Fu", licence: "MIT", url: "https://github.com/shikijs/shiki" },
];

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
      <section>
        <h3 className="mb-1 text-strong">Made with</h3>
        <ul className="grid gap-1 text-mute">
          {credits.map(({ name, holder, licence, url }) => (
            <li key={name}>
              <button type="button" className="text-link hover:underline" onClick={() => openOutside(url)}>
                {name}
              </button>{" "}
              © {holder}, {licence}
            </li>
          ))}
        </ul>
      </section>
      <div>
        <Button icon="rocket" onClick={() => overlay.set("wizard")}>
          Run the first-run wizard again
        </Button>
      </div>
    </>
  );
}
