import { useCallback, useEffect, useState } from "react";
import { api, problemOf } from "@/api/client";
import type { Events, Problem } from "@/api/types";
import { useCell } from "@/app/cell";
import { EventLog } from "@/events/log";
import { connection } from "@/socket/live";

/** A task's log, read once and then kept up to date by the socket for as long as the component is mounted. */
export function useLog(task: string): { log: EventLog; problem: Problem | null; retry: () => void } {
  const live = useCell(connection);
  const [log] = useState(() => new EventLog((query) => api.get<Events>(`/api/tasks/${task}/events`, query)));
  const [problem, setProblem] = useState<Problem | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (!live) return;
    let stop: (() => void) | null = null;
    let gone = false;
    const begin = () => {
      log
        .load()
        .then(() => {
          if (gone) return;
          setProblem(null);
          // Only now, from where the read ended: what was committed meanwhile comes first by the socket.
          stop = live.subscribe(task, log);
        })
        .catch((error: unknown) => {
          if (!gone) setProblem(problemOf(error));
        });
    };
    begin();
    const unwatch = live.link.subscribe(() => {
      if (live.link.get() === "open" && !stop) begin();
    });
    return () => {
      gone = true;
      unwatch();
      stop?.();
    };
  }, [live, log, task, tries]);
  return { log, problem, retry: useCallback(() => setTries((count) => count + 1), []) };
}
