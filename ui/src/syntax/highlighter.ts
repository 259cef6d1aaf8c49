import { codeToTokensWithThemes, createShikiPrimitiveAsync } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
import dark from "shiki/themes/dark-plus.mjs";
import light from "shiki/themes/light-plus.mjs";
import type { Language } from "./languages";
import type { Piece } from "./useColours";

// VS Code's grammars and its Dark+ and Light+ themes as Shiki packages them; a grammar is loaded when its language is
// first shown. The regular expressions run as JavaScript's own: WebAssembly would need a weaker policy for the page.
const grammars = {
  python: () => import("shiki/langs/python.mjs"),
  typescript: () => import("shiki/langs/typescript.mjs"),
  tsx: () => import("shiki/langs/tsx.mjs"),
  javascript: () => import("shiki/langs/javascript.mjs"),
  jsx: () => import("shiki/langs/jsx.mjs"),
  json: () => import("shiki/langs/json.mjs"),
  shellscript: () => import("shiki/langs/shellscript.mjs"),
  yaml: () => import("shiki/langs/yaml.mjs"),
  toml: () => import("shiki/langs/toml.mjs"),
  html: () => import("shiki/langs/html.mjs"),
  css: () => import("shiki/langs/css.mjs"),
  go: () => import("shiki/langs/go.mjs"),
  rust: () => import("shiki/langs/rust.mjs"),
  java: () => import("shiki/langs/java.mjs"),
  c: () => import("shiki/langs/c.mjs"),
  sql: () => import("shiki/langs/sql.mjs"),
  markdown: () => import("shiki/langs/markdown.mjs"),
  diff: () => import("shiki/langs/diff.mjs"),
} satisfies Record<Language, unknown>;

const ITALIC = 1;
const BOLD = 2;

const engine = createShikiPrimitiveAsync({
  themes: [dark, light],
  langs: [],
  engine: createJavaScriptRegexEngine({ forgiving: true }),
});
const loaded = new Map<Language, Promise<void>>();

async function grammar(language: Language): Promise<void> {
  const registry = await engine;
  await registry.loadLanguage(grammars[language]());
}

/** The code's lines in coloured pieces. */
export async function colour(code: string, language: Language): Promise<Piece[][]> {
  const registry = await engine;
  let ready = loaded.get(language);
  if (!ready) loaded.set(language, (ready = grammar(language)));
  await ready.catch((error: unknown) => {
    loaded.delete(language);
    throw error;
  });
  const lines = codeToTokensWithThemes(registry, code, {
    lang: language,
    themes: { dark: "dark-plus", light: "light-plus" },
    tokenizeMaxLineLength: 2000,
    // The clock decides nothing: this runs beside the page, not in it.
    tokenizeTimeLimit: 0,
  });
  return lines.map((line) =>
    line.map(({ content, variants: { dark, light } }) => ({
      text: content,
      dark: dark?.color,
      light: light?.color,
      bold: ((dark?.fontStyle ?? 0) & BOLD) > 0,
      italic: ((dark?.fontStyle ?? 0) & ITALIC) > 0,
    })),
  );
}
