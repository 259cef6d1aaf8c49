/** The languages that are coloured, by the grammar's name, and what else they are called: fence names and extensions. */
const names = {
  python: "py pyi python3",
  typescript: "ts mts cts",
  tsx: "",
  javascript: "js mjs cjs node",
  jsx: "",
  json: "jsonc json5 webmanifest",
  shellscript: "bash sh zsh shell console",
  yaml: "yml",
  toml: "",
  html: "htm xhtml vue",
  css: "",
  go: "golang",
  rust: "rs",
  java: "",
  // C++ too: its own grammar takes ten seconds to get ready as JavaScript expressions.
  c: "h cpp c++ cc cxx hpp hxx",
  sql: "",
  markdown: "md",
  diff: "patch",
} as const;

export type Language = keyof typeof names;

const known = new Map<string, Language>(
  (Object.keys(names) as Language[]).flatMap((one) => [one, ...names[one].split(" ")].map((name) => [name, one])),
);
known.delete("");

/** The grammar for a code fence's name, or none. */
export const languageNamed = (name: string): Language | null => known.get(name.toLowerCase()) ?? null;

/** The grammar for a file, by its extension, or none. */
export function languageOf(path: string): Language | null {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  if (/^\.?(bash|zsh|profile)(rc|_profile)?$/.test(name)) return "shellscript";
  const dot = name.lastIndexOf(".");
  return dot < 0 ? null : languageNamed(name.slice(dot + 1));
}
