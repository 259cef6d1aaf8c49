import type { Settings } from "@/api/types";

const STORED = "twinseat.theme";

export type Theme = Settings["theme"];

export function applyTheme(theme: Theme): void {
  const light = theme === "light" || (theme === "system" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
}

export function keepTheme(theme: Theme): void {
  localStorage.setItem(STORED, theme);
}

/** Before the settings are read: the theme of the last time, so that the page does not flash. */
export function applyLastTheme(): void {
  applyTheme((localStorage.getItem(STORED) as Theme | null) ?? "system");
}
