export interface Span {
  text: string;
  /** A CSS colour, or null for the default. */
  color: string | null;
  bold: boolean;
  dim: boolean;
}

const names = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

// eslint-disable-next-line no-control-regex
const escapes = /\u001b(?:\[([0-9;:?]*)([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** What a terminal would show of `output`: colours kept, other control sequences dropped, overwritten lines resolved. */
export function ansi(output: string): Span[] {
  const spans: Span[] = [];
  let look: Omit<Span, "text"> = { color: null, bold: false, dim: false };
  let at = 0;
  const text = overwrite(output);
  const push = (piece: string) => {
    if (piece) spans.push({ text: piece, ...look });
  };
  for (const match of text.matchAll(escapes)) {
    push(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] === "m") look = restyle(look, match[1] ?? "");
  }
  push(text.slice(at));
  return spans;
}

/** The text alone. */
export function plain(output: string): string {
  return overwrite(output).replace(escapes, "");
}

/** A carriage return starts the line again: of a progress bar only its last state is left. */
function overwrite(output: string): string {
  if (!output.includes("\r")) return output;
  return output
    .replace(/\r+\n/g, "\n")
    .split("\n")
    .map((line) => line.slice(line.lastIndexOf("\r") + 1))
    .join("\n");
}

function restyle(look: Omit<Span, "text">, parameters: string): Omit<Span, "text"> {
  const codes = parameters.split(/[;:]/).map(Number);
  let next = { ...look };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 0) next = { color: null, bold: false, dim: false };
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (code === 39) next.color = null;
    else if (code >= 30 && code <= 37) next.color = `var(--ansi-${names[code - 30]})`;
    else if (code >= 90 && code <= 97) next.color = `var(--ansi-${names[code - 90]})`;
    else if (code === 38 || code === 48) {
      const color = codes[i + 1] === 5 ? indexed(codes[i + 2] ?? 0) : `rgb(${codes.slice(i + 2, i + 5).join(" ")})`;
      if (code === 38) next.color = color;
      i += codes[i + 1] === 5 ? 2 : 4;
    }
  }
  return next;
}

function indexed(index: number): string {
  if (index < 16) return `var(--ansi-${names[index % 8]})`;
  if (index >= 232)
    return `rgb(${Array(3)
      .fill((index - 232) * 10 + 8)
      .join(" ")})`;
  const level = (value: number) => (value ? value * 40 + 55 : 0);
  const cube = index - 16;
  return `rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`;
}
