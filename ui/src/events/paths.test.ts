import { expect, test } from "vitest";
import { bitsOf } from "./paths";

const places = (text: string) =>
  bitsOf(text, "/home/ada/shop").flatMap(({ path, line }) => (path ? [[path, line].join(" ").trim()] : []));

test.each([
  ["tests/orders/test_cursor.py:44: AssertionError", ["tests/orders/test_cursor.py 44"]],
  ['  File "/home/ada/shop/app/main.py", line 7, in f', ["app/main.py 7"]],
  ['  File "/usr/lib/python3/ast.py", line 7', []],
  ['  File "<string>", line 1', []],
  ["src/a.ts:3:14 - error, main.go:9", ["src/a.ts 3", "main.go 9"]],
  ["listening on http://127.0.0.1:8000 and example.com:443 at 12:30", []],
  ["orders/api.py\n/home/ada/shop/b/c.ts\nsrc/app.py | 2 +-", ["orders/api.py", "b/c.ts"]],
  ["see https://example.com/a.py:3", []],
])("the places in %j", (text, found) => expect(places(text)).toEqual(found));

test("nothing of the text is lost", () => {
  const text = 'a.py:1: x\nFile "b/c.py", line 2\n';
  expect(
    bitsOf(text, "")
      .map((bit) => bit.text)
      .join(""),
  ).toBe(text);
});
