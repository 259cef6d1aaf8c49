import { useEffect } from "react";
import { applyStatus, queryClient } from "@/api/queries";
import { token } from "@/api/session";
import { cell } from "@/app/cell";
import { connectTo, type Connection } from "./connection";
import type { Ask } from "./frames";

/** The page's connection; null before the sign-in. */
export const connection = cell<Connection | null>(null);

/** The newest selection that the editor sent to the chat; the composer takes it and sets null. */
export const asked = cell<Ask | null>(null);

/** Keeps the socket up while the component is mounted, and the query cache fresh from it. */
export function useLive(): void {
  useEffect(() => {
    const live = connectTo(token.get);
    let before = live.link.get();
    const stopListening = live.listen((frame) => {
      if (frame.type !== "status") return;
      if ("ask" in frame) asked.set(frame.ask);
      else applyStatus(queryClient, frame);
    });
    const stopWatching = live.link.subscribe(() => {
      const now = live.link.get();
      // Status frames sent while the socket was down are gone: read again.
      if (now === "open" && before === "offline") void queryClient.invalidateQueries();
      before = now;
    });
    const hurry = () => live.hurry();
    window.addEventListener("online", hurry);
    window.addEventListener("focus", hurry);
    live.start();
    connection.set(live);
    return () => {
      window.removeEventListener("online", hurry);
      window.removeEventListener("focus", hurry);
      stopListening();
      stopWatching();
      live.stop();
      connection.set(null);
    };
  }, []);
}
