import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { problemOf } from "@/api/client";
import { queryClient, read } from "@/api/queries";
import { token } from "@/api/session";
import { App } from "@/app/App";
import { Crash } from "@/app/Crash";
import { sayWhatTheWindowSays } from "@/app/notices";
import { refused } from "@/app/SignIn";
import { Boundary } from "@/components/Boundary";
import { TooltipProvider } from "@/components/Tooltip";

/** Draws the page once the sign-in is decided. */
export async function start(entered: Promise<void>): Promise<void> {
  sayWhatTheWindowSays();
  await entered.catch((error: unknown) => refused.set(problemOf(error)));
  if (token.get()) {
    // Asked for together and before the first render: the cockpit's first control waits for none of them in turn.
    void queryClient.prefetchQuery(read.settings);
    void queryClient.prefetchQuery(read.workspaces);
    void queryClient.prefetchQuery(read.models);
  }
  const root = document.getElementById("root");
  if (!root) return;
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <TooltipProvider>
          <Boundary fallback={(error, again) => <Crash error={error} again={again} />}>
            <App />
          </Boundary>
        </TooltipProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
