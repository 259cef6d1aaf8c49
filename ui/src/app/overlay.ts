import { cell } from "./cell";

/** What lies over the cockpit. At most one at a time. */
export type Overlay = "settings" | "palette" | "help" | "wizard" | "tasks" | "folder" | null;

export const overlay = cell<Overlay>(null);

/** The page of the settings to show first, such as `models`. */
export const settingsPage = cell<string | null>(null);

export function openSettings(page: string | null = null): void {
  settingsPage.set(page);
  overlay.set("settings");
}
