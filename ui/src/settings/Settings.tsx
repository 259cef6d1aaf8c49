import { lazy, Suspense, useState } from "react";
import { useCell } from "@/app/cell";
import { settingsPage } from "@/app/overlay";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";
import { Dialog } from "@/components/Dialog";
import { GeneralPage } from "./GeneralPage";
import { KeysPage } from "./KeysPage";
import { ModelsPage } from "./ModelsPage";

const AboutPage = lazy(() => import("./AboutPage"));

const pages = [
  { id: "general", label: "General", icon: "gear", Page: GeneralPage },
  { id: "models", label: "Models", icon: "robot", Page: ModelsPage },
  { id: "keys", label: "Keys", icon: "key", Page: KeysPage },
  { id: "about", label: "About", icon: "info", Page: AboutPage },
] as const;

export default function Settings({ onClose }: { onClose: () => void }) {
  const asked = useCell(settingsPage);
  const [chosen, setChosen] = useState(asked);
  const page = pages.find(({ id }) => id === chosen) ?? pages[0];
  return (
    <Dialog title="Settings" onClose={onClose} className="h-130 w-180">
      <div className="flex gap-5 max-sm:flex-col">
        <nav aria-label="Settings" className="flex shrink-0 flex-col gap-0.5 max-sm:flex-row max-sm:flex-wrap sm:w-32">
          {pages.map(({ id, label, icon }) => (
            <button
              key={id}
              type="button"
              aria-current={id === page.id ? "page" : undefined}
              onClick={() => setChosen(id)}
              className={classes(
                "flex items-center gap-2 rounded-sm px-2 py-1 text-left",
                id === page.id ? "bg-press text-strong" : "text-mute hover:bg-hover hover:text-fg",
              )}
            >
              <CodiconIcon name={icon} /> {label}
            </button>
          ))}
        </nav>
        <div className="grid min-w-0 flex-1 content-start gap-5">
          <Suspense>
            <page.Page />
          </Suspense>
        </div>
      </div>
    </Dialog>
  );
}
