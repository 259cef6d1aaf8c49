export interface Listing {
  /** Number of the first line. */
  first: number;
  code: string;
}

/**
 * The code in a file editor's view, which numbers its lines as `cat -n` does below a heading. Null for anything else,
 * such as a folder's listing or an error.
 */
export function listingOf(output: string): Listing | null {
  const lines = output.replace(/\n+$/, "").split("\n");
  if (lines[0]?.startsWith("Here's the result of running `cat -n`")) lines.shift();
  const code: string[] = [];
  let first = 0;
  for (const line of lines) {
    const numbered = /^ *(\d+)(?:\t(.*))?$/s.exec(line);
    if (!numbered || (first && Number(numbered[1]) !== first + code.length)) return null;
    first ||= Number(numbered[1]);
    code.push(numbered[2] ?? "");
  }
  return first ? { first, code: code.join("\n") } : null;
}
