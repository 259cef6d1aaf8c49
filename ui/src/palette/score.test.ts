import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { score } from "./score";

describe("finding a command by a few letters", () => {
  it("prefers the starts of words", () => {
    expect(score("nt", "New task")).toBeGreaterThan(score("nt", "Continue"));
  });
  it("prefers letters in a row", () => {
    expect(score("set", "Open the settings")).toBeGreaterThan(score("set", "Show every test"));
  });
  it("finds nothing when a letter is missing", () => {
    expect(score("xyz", "New task")).toBe(0);
  });
  it("always finds a text by a part of itself", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z ]{1,30}$/), fc.nat(), fc.nat(), (text, a, b) => {
        const [from, to] = [a % text.length, b % text.length].sort((x, y) => x - y) as [number, number];
        const part = text.slice(from, to + 1);
        fc.pre(part.trim() !== "");
        expect(score(part, text)).toBeGreaterThan(0);
      }),
    );
  });
});
