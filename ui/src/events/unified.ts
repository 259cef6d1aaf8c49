/**
 * The file as it was, from the file as it is and a unified diff between the two. For looking at, not for writing back:
 * the diff may lack the last line's end.
 */
export function original(after: string, unified: string): string {
  const now = after.split("\n");
  const before: string[] = [];
  let at = 0;
  let inHunk = false;
  for (const line of unified.split("\n")) {
    const hunk = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk) {
      // An empty side is named by the line before it.
      const start = Number(hunk[1]) - (hunk[2] === "0" ? 0 : 1);
      before.push(...now.slice(at, start));
      at = start;
      inHunk = true;
    } else if (!inHunk) continue;
    else if (line.startsWith("-")) before.push(line.slice(1));
    else if (line.startsWith("+")) at++;
    else if (line.startsWith(" ")) {
      before.push(line.slice(1));
      at++;
    } else if (line.startsWith("diff ")) inHunk = false;
  }
  return [...before, ...now.slice(at)].join("\n");
}
