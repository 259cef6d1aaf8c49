/**
 * How well `text` answers `query`: 0 when a letter is missing or out of order, more for starts of words and for
 * letters in a row, so that "nt" finds "New task" before "Continue".
 */
export function score(query: string, text: string): number {
  const wanted = query.toLowerCase().replace(/\s+/g, "");
  const hay = text.toLowerCase();
  // Jumping ahead to the start of a word can lose a letter on the way: then the plain order counts.
  return Math.max(points(wanted, hay, true), points(wanted, hay, false));
}

function points(wanted: string, hay: string, preferStarts: boolean): number {
  let sum = 0;
  let last = -2;
  for (const letter of wanted) {
    const next = hay.indexOf(letter, Math.max(last + 1, 0));
    if (next < 0) return 0;
    const start = next === last + 1 ? next : wordStart(hay, letter, next);
    const at = preferStarts && start >= 0 ? start : next;
    sum += at === last + 1 ? 5 : at === start ? 4 : 1;
    last = at;
  }
  return sum + 1 / (1 + hay.length);
}

function wordStart(text: string, letter: string, from: number): number {
  for (let at = from; at >= 0; at = text.indexOf(letter, at + 1)) {
    if (at === 0 || !/[a-z0-9]/.test(text[at - 1] ?? "")) return at;
  }
  return -1;
}
