import { cell } from "@/app/cell";
import type { Session } from "./types";

const STORED = "twinseat.token";

/** The bearer token, or null when signed out. Kept for this tab only: never in a cookie, never in local storage. */
export const token = cell<string | null>(sessionStorage.getItem(STORED));

export function keep(session: Session): void {
  sessionStorage.setItem(STORED, session.token);
  token.set(session.token);
}

export function signOut(): void {
  sessionStorage.removeItem(STORED);
  token.set(null);
}

/** Takes the single-use code out of the address, so that it stays in no history and no bookmark. */
export function takeCode(): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code) history.replaceState(history.state, "", location.pathname + location.search);
  return code;
}
