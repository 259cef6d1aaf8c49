import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { iconNames } from "./CodiconIcon";

const source = join(import.meta.dirname, "..");
const all = new Set(
  readdirSync(join(source, "../node_modules/@vscode/codicons/src/icons")).map((file) => file.replace(".svg", "")),
);
const lines = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && !file.includes(".test."))
  .flatMap((file) => readFileSync(join(source, file), "utf8").split("\n"));
const named = (line: string) => [...line.matchAll(/"([a-z][a-z-]+)"/g)].map(([, name]) => name ?? "");

it("bundles every icon that is used", () => {
  const used = lines
    .filter((line) => /icon|mark\(/i.test(line) && !line.includes("import"))
    .flatMap((line) => named(line.slice(line.search(/icon|mark\(/i)).replace(/key: "\w+"/, "")));
  expect(used.filter((name) => all.has(name) && !iconNames.includes(name))).toEqual([]);
});

it("bundles no icon that nothing names", () => {
  const words = new Set(lines.flatMap(named));
  expect(iconNames.filter((name) => !words.has(name))).toEqual([]);
});
