import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { iconNames } from "./CodiconIcon";

/** `icon="…"` and `icon: "…"` anywhere in the source: each must be in the bundled list, or it would draw nothing. */
it("bundles every icon that is used", () => {
  const source = join(import.meta.dirname, "..");
  const used = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file))
    .flatMap((file) => [...readFileSync(join(source, file), "utf8").matchAll(/\bicon[=:] ?"(?!text-)([a-z][a-z-]+)"/g)])
    .map(([, name]) => name);
  const missing = [...new Set(used)].filter((name) => name && !iconNames.includes(name));
  expect(missing).toEqual([]);
});
