import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { problemOf, signIn } from "@/api/client";
import { queryClient, read } from "@/api/queries";
import { takeCode, token } from "@/api/session";
import { App } from "@/app/App";
import { Crash } from "@/app/Crash";
import { sayWhatTheWindowSays } from "@/app/notices";
import { refused } from "@/app/SignIn";
import { applyLastTheme } from "@/app/theme";
import { Boundary } from "@/components/Boundary";
import { TooltipProvider } from "@/components/Tooltip";
import "./styles.css";

applyLastTheme();
sayWhatTheWindowSays();
const code = takeCode();
if (code) await signIn(code).catch((error: unknown) => refused.set(problemOf(error)));
if (token.get()) {
  // Asked for together and before the first render: the cockpit's first control waits for none of them in turn.
  void queryClient.prefetchQuery(read.settings);
  void queryClient.prefetchQuery(read.workspaces);
  void queryClient.prefetchQuery(read.models);
}
const root = document.getElementById("root");
if (root) {
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
