import { useSyncExternalStore } from "react";

/** One value that lives outside React and that components can watch. */
export interface Cell<T> {
  get: () => T;
  set: (next: T) => void;
  subscribe: (changed: () => void) => () => void;
}

export function cell<T>(initial: T): Cell<T> {
  let value = initial;
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(value, next)) return;
      value = next;
      watchers.forEach((changed) => changed());
    },
    subscribe: (changed) => {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
  };
}

export function useCell<T>(source: Cell<T>): T {
  return useSyncExternalStore(source.subscribe, source.get, source.get);
}
