import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diff } from "./diff";

const lines = fc.array(fc.constantFrom("a", "b", "c", "", "  d"), { maxLength: 30 });

describe("diff", () => {
  it("counts exactly what turns the one text into the other", () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const old = before.length ? `${before.join("\n")}\n` : "";
        const now = after.length ? `${after.join("\n")}\n` : "";
        const made = diff(old, now);
        expect(before.length - made.removed).toBe(after.length - made.added);
        if (old === now) expect(made.lines).toEqual([]);
      }),
    );
  });

  it("shows a change with two lines around it", () => {
    const before = Array.from({ length: 20 }, (_, n) => `line ${n}`).join("\n");
    const made = diff(before, before.replace("line 9\n", "line nine\n"));
    expect(made.lines.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      "same line 7",
      "same line 8",
      "removed line 9",
      "added line nine",
      "same line 10",
      "same line 11",
    ]);
    expect(made.first).toBe(10);
  });

  it("takes a new file as added", () => {
    expect(diff("", "a\nb\n")).toMatchObject({ added: 2, removed: 0, first: 1 });
  });

  it("stays quick on large rewrites", () => {
    const big = (seed: string) => Array.from({ length: 5_000 }, (_, n) => `${seed}${n}`).join("\n");
    expect(diff(big("a"), big("b"))).toMatchObject({ added: 5_000, removed: 5_000 });
  });
});
