import { useEffect } from "react";
import { applyTheme, keepTheme, type Theme } from "./lastTheme";
import { native } from "./native";

export function useTheme(theme: Theme | undefined): void {
  useEffect(() => {
    if (!theme) return;
    keepTheme(theme);
    void native().theme?.(theme);
    applyTheme(theme);
    const system = matchMedia("(prefers-color-scheme: light)");
    const changed = () => applyTheme(theme);
    system.addEventListener("change", changed);
    return () => system.removeEventListener("change", changed);
  }, [theme]);
}
