/** What the native window offers to the chat page; absent in a browser. */
interface NativeApi {
  pick_folder: () => Promise<string | null>;
  open_external: (url: string) => Promise<void>;
  focus_editor: () => Promise<void>;
  show_workspace: (id: string) => Promise<void>;
  theme: (name: string) => Promise<void>;
  notify: (title: string, text: string) => Promise<void>;
}

declare global {
  interface Window {
    pywebview?: { api?: Partial<NativeApi> };
  }
}

/** The window's own functions. Each may be missing: an older window, or a browser. */
export const native = (): Partial<NativeApi> => window.pywebview?.api ?? {};

/** Opens a page in the user's browser, never in this one. */
export function openOutside(url: string | null): void {
  if (!url) return;
  const open = native().open_external;
  if (open) void open(url);
  else window.open(url, "_blank", "noopener,noreferrer");
}
