export interface DiffLine {
  kind: "same" | "added" | "removed" | "gap";
  text: string;
  /** Line number in the new file, or in the old one for a removed line. */
  line: number;
}

export interface Diff {
  lines: DiffLine[];
  added: number;
  removed: number;
  /** First changed line in the new file, from 1. */
  first: number;
}

const CONTEXT = 2;
/** Beyond this many cells the middle is shown as replaced as a whole: a diff for reading, not for patching. */
const LARGEST = 400_000;

/** A line diff: common head and tail first, then the longest common subsequence of the middle. */
export function diff(before: string, after: string): Diff {
  const old = split(before);
  const now = split(after);
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const middle = compare(old.slice(head, old.length - tail), now.slice(head, now.length - tail), head);
  const added = middle.filter(({ kind }) => kind === "added").length;
  const removed = middle.filter(({ kind }) => kind === "removed").length;
  const around = (from: number, to: number): DiffLine[] =>
    now.slice(from, to).map((text, index) => ({ kind: "same", text, line: from + index + 1 }));
  const end = now.length - tail;
  const lines = middle.length
    ? [...around(Math.max(0, head - CONTEXT), head), ...middle, ...around(end, Math.min(now.length, end + CONTEXT))]
    : [];
  const first = middle.find(({ kind }) => kind !== "same");
  return { lines: fold(lines), added, removed, first: first ? Math.min(first.line, Math.max(1, now.length)) : 1 };
}

function split(text: string): string[] {
  if (!text) return [];
  return text.replace(/\n$/, "").split("\n");
}

function compare(old: string[], now: string[], head: number): DiffLine[] {
  const removed = (index: number): DiffLine => ({ kind: "removed", text: old[index] ?? "", line: head + index + 1 });
  const added = (index: number): DiffLine => ({ kind: "added", text: now[index] ?? "", line: head + index + 1 });
  if (old.length * now.length > LARGEST) {
    return [...old.map((_, index) => removed(index)), ...now.map((_, index) => added(index))];
  }
  const width = now.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      common[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push({ kind: "same", text: now[j] ?? "", line: head + j + 1 });
      i++;
      j++;
    } else if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) lines.push(removed(i++));
    else lines.push(added(j++));
  }
  return lines;
}

/** Leaves `CONTEXT` lines around changes and one gap for what lies between. */
function fold(lines: DiffLine[]): DiffLine[] {
  const near = (index: number) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ kind }) => kind !== "same");
  const kept: DiffLine[] = [];
  lines.forEach((line, index) => {
    if (line.kind !== "same" || near(index)) kept.push(line);
    else if (kept.at(-1)?.kind !== "gap") kept.push({ kind: "gap", text: "", line: line.line });
  });
  return kept;
}
