import { expect, it } from "vitest";
import { original } from "./unified";

const unified = `diff --git a/x b/x
--- a/x
+++ b/x
@@ -1,3 +1,4 @@
 one
-two
+2
+2.5
 three
@@ -6,2 +7 @@
 six
-seven
`;

it("gives the file before the change", () => {
  expect(original("one\n2\n2.5\nthree\nfour\nfive\nsix\neight\n", unified)).toBe(
    "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n",
  );
});

it("gives a deleted file from the diff alone", () => {
  expect(original("", "--- a/x\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n").trimEnd()).toBe("a\nb");
});

it("gives the same file when nothing changed", () => {
  expect(original("a\nb\n", "")).toBe("a\nb\n");
});
