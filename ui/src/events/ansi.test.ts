import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ansi, plain } from "./ansi";

describe("terminal output", () => {
  it("keeps colours", () => {
    expect(ansi("a\u001b[1;31mb\u001b[0mc")).toEqual([
      { text: "a", color: null, bold: false, dim: false },
      { text: "b", color: "var(--ansi-red)", bold: true, dim: false },
      { text: "c", color: null, bold: false, dim: false },
    ]);
    expect(ansi("\u001b[38;5;196mx\u001b[38;2;1;2;3my").map(({ color }) => color)).toEqual([
      "rgb(255 0 0)",
      "rgb(1 2 3)",
    ]);
  });

  it("drops what only moves the cursor, and resolves overwritten lines", () => {
    expect(plain("\u001b[?2004l10%\r50%\r100%\u001b[K\ndone\r\n\u001b]0;title\u0007")).toBe("100%\ndone\n");
  });

  it("loses no character of plain text", () => {
    fc.assert(
      fc.property(
        fc.string(),
        (text) =>
          text.includes("\r") ||
          text.includes("\u001b") ||
          ansi(text)
            .map((s) => s.text)
            .join("") === text,
      ),
    );
  });
});
