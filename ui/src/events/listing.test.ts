import { expect, test } from "vitest";
import { listingOf } from "./listing";

test("a view is its code and where it begins", () => {
  const output = "Here's the result of running `cat -n` on a.py:\n    41\tdef f():\n    42\t\treturn 1\n    43\t\n";
  expect(listingOf(output)).toEqual({ first: 41, code: "def f():\n\treturn 1\n" });
  expect(listingOf("     1\tvalue = 1")).toEqual({ first: 1, code: "value = 1" });
});

test.each(["", "a.py\nb.py", "     1\ta\n     3\tb", "Here's the result of running `cat -n` on a.py:\nplain"])(
  "anything else stays as it is: %j",
  (output) => expect(listingOf(output)).toBeNull(),
);
