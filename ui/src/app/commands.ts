import { useEffect, useRef } from "react";
import { cell } from "./cell";
import { keys, useKey, type KeyName } from "./keys";

/** Something the user can do now, as the palette lists it. */
export interface Command {
  id: string;
  title: string;
  icon?: string;
  keys?: string;
  run: () => void;
}

/** What can be done now, in the order it was registered. The palette reads it; components add to it with `useCommand`. */
export const commands = cell<readonly Command[]>([]);

/** Offers a command for as long as the component is mounted and `enabled`; with `key` it works by that key too. */
export function useCommand(
  id: string,
  { title, icon, key, enabled = true }: { title: string; icon?: string; key?: KeyName; enabled?: boolean },
  run: () => void,
): void {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    if (!enabled) return;
    const command: Command = {
      id,
      title,
      icon,
      keys: key && keys[key].combo,
      run: () => latest.current(),
    };
    commands.set([...commands.get(), command]);
    return () => commands.set(commands.get().filter((one) => one !== command));
  }, [id, title, icon, key, enabled]);
  useKey(key ?? "help", () => latest.current(), enabled && key !== undefined);
}
