import { cell } from "./cell";

/** The one short notice at the foot of the transcript; null when there is none. */
export const notice = cell<string | null>(null);

let timer: ReturnType<typeof setTimeout> | null = null;

/** Says something that needs no answer. It goes by itself. */
export function say(words: string): void {
  notice.set(words);
  if (timer) clearTimeout(timer);
  timer = setTimeout(() => notice.set(null), 6000);
}

/** What the native window has to say is said here, in the page's own form. */
export function sayWhatTheWindowSays(): void {
  window.addEventListener("twinseat:notice", (event) => {
    if (!(event instanceof CustomEvent)) return;
    const { text } = event.detail as { text?: unknown };
    if (typeof text !== "string") return;
    event.preventDefault();
    say(text);
  });
}
