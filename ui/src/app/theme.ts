import { useEffect } from "react";
import type { Settings } from "@/api/types";
import { native } from "./native";

const STORED = "twinseat.theme";

type Theme = Settings["theme"];

function apply(theme: Theme): void {
  const light = theme === "light" || (theme === "system" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
}

/** Before the settings are read: the theme of the last time, so that the page does not flash. */
export function applyLastTheme(): void {
  apply((localStorage.getItem(STORED) as Theme | null) ?? "system");
}

export function useTheme(theme: Theme | undefined): void {
  useEffect(() => {
    if (!theme) return;
    localStorage.setItem(STORED, theme);
    void native().theme?.(theme);
    apply(theme);
    const system = matchMedia("(prefers-color-scheme: light)");
    const changed = () => apply(theme);
    system.addEventListener("change", changed);
    return () => system.removeEventListener("change", changed);
  }, [theme]);
}
