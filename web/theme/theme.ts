import { useSyncExternalStore } from "react";

const KEY = "parley.theme";
export const THEMES = ["system", "light", "dark"] as const;
/** `system` follows the device's own setting. */
export type Theme = (typeof THEMES)[number];

const listeners = new Set<() => void>();

/** The chosen theme, and how to choose another. It is kept in this browser. */
export function useTheme(): { theme: Theme; setTheme: (theme: Theme) => void } {
  return { theme: useSyncExternalStore(subscribe, read), setTheme };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

function setTheme(theme: Theme): void {
  if (theme === "system") {
    delete document.documentElement.dataset["theme"];
    localStorage.removeItem(KEY);
  } else {
    document.documentElement.dataset["theme"] = theme;
    localStorage.setItem(KEY, theme);
  }
  for (const listener of listeners) listener();
}
