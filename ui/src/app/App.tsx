import { lazy, Suspense } from "react";
import { useSettings } from "@/api/queries";
import { problemOf } from "@/api/client";
import { token } from "@/api/session";
import { Button } from "@/components/Button";
import { ProblemCard } from "@/components/ProblemCard";
import { useLive } from "@/socket/live";
import { useCell } from "./cell";
import { Cockpit } from "./Cockpit";
import { useCommand } from "./commands";
import { openSettings, overlay } from "./overlay";
import { SignIn } from "./SignIn";
import { useTheme } from "./theme";

const Wizard = lazy(() => import("@/wizard/Wizard"));
const Settings = lazy(() => import("@/settings/Settings"));
const Palette = lazy(() => import("@/palette/Palette"));
const OpenDialog = lazy(() => import("@/folders/OpenDialog"));
const Help = lazy(() => import("@/palette/Help"));

/** What the page shows follows from state alone: signed out, first run, or the cockpit. */
export function App() {
  return useCell(token) ? <SignedIn /> : <SignIn />;
}

function SignedIn() {
  useLive();
  const settings = useSettings();
  const over = useCell(overlay);
  const close = () => overlay.set(null);
  useTheme(settings.data?.theme);
  const onboarded = settings.data?.onboarded ?? true;
  useCommand("palette", { title: "Show all commands", icon: "list-unordered", key: "palette" }, () =>
    overlay.set("palette"),
  );
  useCommand("settings", { title: "Open the settings", icon: "gear", key: "settings" }, () => openSettings());
  useCommand("models", { title: "Set up models", icon: "robot" }, () => openSettings("models"));
  useCommand("help", { title: "Show all keys", icon: "record-keys", key: "help" }, () => overlay.set("help"));
  useCommand("wizard", { title: "Run the first-run wizard again", icon: "rocket" }, () => overlay.set("wizard"));

  if (settings.isError && !settings.data) {
    return (
      <main className="mx-auto grid h-full max-w-110 content-center p-4">
        <ProblemCard problem={problemOf(settings.error)} live>
          <Button onClick={() => void settings.refetch()} icon="refresh">
            Try again
          </Button>
        </ProblemCard>
      </main>
    );
  }
  if (!onboarded || over === "wizard") {
    return (
      <Suspense>
        <Wizard onDone={close} />
      </Suspense>
    );
  }
  return (
    <>
      <Cockpit />
      <Suspense>
        {over === "settings" && <Settings onClose={close} />}
        {over === "palette" && <Palette onClose={close} />}
        {over === "folder" && <OpenDialog onClose={close} />}
        {over === "help" && <Help onClose={close} />}
      </Suspense>
    </>
  );
}
