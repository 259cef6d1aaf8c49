import { expect, test } from "vitest";
import { colour } from "./highlighter";
import { languageNamed, languageOf, type Language } from "./languages";

test.each([
  ["app/main.py", "python"],
  ["src/App.tsx", "tsx"],
  ["Makefile.toml", "toml"],
  ["a.b/LICENSE", null],
  [".bashrc", "shellscript"],
  ["include/x.hpp", "c"],
  ["", null],
])("the language of %s is %s", (path, language) => expect(languageOf(path)).toBe(language));

test("a fence's name may be short, long, or of no known language", () => {
  expect(languageNamed("TS")).toBe("typescript");
  expect(languageNamed("sh")).toBe("shellscript");
  expect(languageNamed("brainfuck")).toBeNull();
});

const samples: [Language, string][] = [
  ["python", "def f(x: int) -> str:\n    return f'{x}' # why"],
  ["typescript", "const a: number = 1;\n// b"],
  ["tsx", "const A = () => <b title={`x`}>hi</b>;"],
  ["javascript", "export const a = () => /x+/g.test('y');"],
  ["jsx", "const A = <b>hi</b>;"],
  ["json", '{"a": [1, true, null]}'],
  ["shellscript", 'for i in *.py; do echo "$i" | grep -q x; done'],
  ["yaml", "a:\n  - b: 1"],
  ["toml", "[a]\nb = 'c'"],
  ["html", "<p class='x'>a<script>let b = 1</script></p>"],
  ["css", ".a > b { color: #fff }"],
  ["go", "func main() { fmt.Println(`a`) }"],
  ["rust", "fn main() -> Result<(), E> { let x = 1u8; }"],
  ["java", "class A { int b = 1; }"],
  ["c", "int main(void) { return 0; }"],
  ["sql", "select a from b where c = 'd'"],
  ["markdown", "# a\n\n**b** `c`"],
  ["diff", "-a\n+b"],
];

test.each(samples)("%s keeps its text and gets colours of both themes", async (language, code) => {
  const lines = await colour(code, language);
  expect(lines.map((line) => line.map(({ text }) => text).join("")).join("\n")).toBe(code);
  const pieces = lines.flat();
  expect(new Set(pieces.map(({ dark }) => dark)).size).toBeGreaterThan(1);
  expect(pieces.every(({ dark, light }) => dark && light)).toBe(true);
});
