import { useEffect, useRef } from "react";

/** Whether the platform's own modifier is the command key. */
export const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);

/**
 * Every key of the chat pane, named once: tooltips, handlers, the menu, the palette and the help sheet read them here.
 * `Mod` is Ctrl, and the command key on a Mac. They work while the focus is in the chat; VS Code keeps its own.
 */
export const keys = {
  palette: { combo: "Mod+Shift+P", label: "All commands" },
  help: { combo: "Mod+/", label: "Keys" },
  settings: { combo: "Mod+,", label: "Settings" },
  tasks: { combo: "Alt+T", label: "Task list" },
  newTask: { combo: "Alt+N", label: "New task" },
  menu: { combo: "Alt+M", label: "Task menu" },
  rename: { combo: "F2", label: "Rename the task" },
  composer: { combo: "Alt+C", label: "Go to the message field" },
  editor: { combo: "Alt+E", label: "Go to the editor" },
  approval: { combo: "Alt+A", label: "Go to the question" },
  approve: { combo: "A", label: "Approve (in the question)" },
  reject: { combo: "R", label: "Reject with a reason (in the question)" },
  review: { combo: "Alt+R", label: "Review the changes" },
  plan: { combo: "Alt+K", label: "Fold the plan" },
  pause: { combo: "Alt+P", label: "Pause or continue" },
  send: { combo: "Enter", label: "Send" },
  newline: { combo: "Shift+Enter", label: "New line" },
  interrupt: { combo: "Esc", label: "Interrupt; again to stop" },
  attach: { combo: "Alt+F", label: "Attach a file" },
  mode: { combo: "Alt+O", label: "When to ask" },
  model: { combo: "Alt+L", label: "Model" },
  budget: { combo: "Alt+B", label: "Budget" },
  newest: { combo: "Alt+End", label: "Go to the newest message" },
} as const;

export type KeyName = keyof typeof keys;

const words: Record<string, string> = isMac
  ? { Mod: "⌘", Alt: "⌥", Shift: "⇧", Enter: "↩", Esc: "esc" }
  : { Mod: "Ctrl" };

/** `Mod+Shift+P` as it is written on this platform. */
export function display(combo: string): string {
  return combo
    .split("+")
    .map((part) => words[part] ?? part)
    .join(isMac ? "" : "+");
}

/** The same for `aria-keyshortcuts`. */
export function ariaKeys(combo: string): string {
  return combo.replace("Mod", isMac ? "Meta" : "Control").replace("Esc", "Escape");
}

/** Letters are matched by their place (`code`) as well, since Option on a Mac changes what they type. */
export function matches(event: KeyboardEvent | React.KeyboardEvent, combo: string): boolean {
  const parts = combo.split("+");
  const key = parts.at(-1) ?? "";
  const mod = isMac ? event.metaKey : event.ctrlKey;
  const other = isMac ? event.ctrlKey : event.metaKey;
  if (other || mod !== parts.includes("Mod")) return false;
  if (event.altKey !== parts.includes("Alt") || event.shiftKey !== parts.includes("Shift")) return false;
  if (key === "Esc") return event.key === "Escape";
  if (key.length > 1) return event.key === key;
  const code = "code" in event ? event.code : "";
  return event.key.toLowerCase() === key.toLowerCase() || (event.altKey && code === `Key${key.toUpperCase()}`);
}

/** Calls `run` on the key anywhere in the page, unless a dialog has the keyboard. */
export function useKey(name: KeyName, run: () => void, enabled = true): void {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    if (!enabled) return;
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || !matches(event, keys[name].combo)) return;
      if (document.querySelector("dialog[open]")) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [name, enabled]);
}
