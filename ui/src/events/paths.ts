import { languageOf } from "@/syntax/languages";
import { relative } from "./step";

export interface Bit {
  text: string;
  /** The file that the text names, relative to the workspace's folder. */
  path?: string;
  line?: number;
}

/**
 * `app/main.py:12`, Python's `File "app/main.py", line 12`, or a line that is nothing but a path. Not after a slash or
 * a colon: that is a web address.
 */
const places =
  /File "([^"\n]+)", line (\d+)|(?<![\w/:@.-])((?:\.{0,2}\/)?(?:[\w@.+-]+\/)*[\w@.+-]+\.[a-z]\w{0,7}):(\d+)|^((?:\.{0,2}\/)?(?:[\w@.+-]+\/)+[\w@.+-]+\.[a-z]\w{0,7})$/gim;

/** Cuts a program's output at the places in files that it names, as far as they lie in the workspace. */
export function bitsOf(text: string, root: string): Bit[] {
  const bits: Bit[] = [];
  let at = 0;
  for (const found of text.matchAll(places)) {
    const path = relative(found[1] ?? found[3] ?? found[5] ?? "", root);
    if (path.startsWith("/") || path.startsWith("<") || !(path.includes("/") || languageOf(path))) continue;
    if (found.index > at) bits.push({ text: text.slice(at, found.index) });
    bits.push({ text: found[0], path, line: Number(found[2] ?? found[4]) || undefined });
    at = found.index + found[0].length;
  }
  if (at < text.length) bits.push({ text: text.slice(at) });
  return bits;
}
