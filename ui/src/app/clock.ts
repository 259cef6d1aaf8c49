import { useSyncExternalStore } from "react";
import { cell } from "./cell";

const second = cell(Date.now());
let timer: ReturnType<typeof setInterval> | null = null;
let watching = 0;

function watch(changed: () => void): () => void {
  const stop = second.subscribe(changed);
  watching++;
  if (!timer) {
    second.set(Date.now());
    timer = setInterval(() => second.set(Date.now()), 1000);
  }
  return () => {
    stop();
    watching--;
    if (watching === 0 && timer) {
      clearInterval(timer);
      timer = null;
    }
  };
}

const still = () => () => undefined;

/** The time, once a second, while `running`; one timer for the whole page, none when nobody looks. */
export function useNow(running: boolean): number {
  return useSyncExternalStore(running ? watch : still, second.get);
}
