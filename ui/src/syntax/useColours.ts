import { useEffect, useState } from "react";
import type { Language } from "./languages";
import type { Answer, Question } from "./worker";

export interface Piece {
  text: string;
  dark?: string;
  light?: string;
  bold?: boolean;
  italic?: boolean;
}

/** Longer code stays plain: it would hold up the page, and the editor is the place to read it. */
const LONGEST = 60_000;
/** While code still streams in, it is coloured at most this often; milliseconds. */
const PAUSE = 120;

/** What was coloured last: lines come and go with scrolling, and are drawn coloured at once when they come back. */
const remembered = new Map<string, Piece[][]>();
const MOST = 60;

function remember(key: string, lines: Piece[][]): void {
  remembered.delete(key);
  remembered.set(key, lines);
  const oldest = remembered.size > MOST ? remembered.keys().next().value : undefined;
  if (oldest !== undefined) remembered.delete(oldest);
}

const waiting = new Map<number, (lines: Piece[][] | null) => void>();
let worker: Worker | null = null;
let questions = 0;

/** Asks the worker, which is started with the first question. Grammars take up to a second to get ready. */
function ask(code: string, language: Language): Promise<Piece[][] | null> {
  if (!worker) {
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data: { id, lines } }: MessageEvent<Answer>) => {
      waiting.get(id)?.(lines);
      waiting.delete(id);
    };
  }
  const question: Question = { id: ++questions, code, language };
  worker.postMessage(question);
  return new Promise((resolve) => waiting.set(question.id, resolve));
}

/**
 * The code's lines in coloured pieces, as far as they are known; null until then. The highlighter is fetched when the
 * first code is on the screen, never before the page itself. Lines may lag behind code that still grows.
 */
export function useColours(code: string, language: Language | null): Piece[][] | null {
  const key = `${language} ${code}`;
  const [lines, setLines] = useState<Piece[][] | null>(null);
  const known = remembered.get(key);
  useEffect(() => {
    if (!language || !code || code.length > LONGEST || remembered.has(key)) return;
    let gone = false;
    const timer = setTimeout(
      () => {
        void ask(code, language).then((made) => {
          if (!made) return;
          remember(key, made);
          if (!gone) setLines(made);
        });
      },
      lines ? PAUSE : 0,
    );
    return () => {
      gone = true;
      clearTimeout(timer);
    };
    // `lines` decides how long to wait, not whether.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key, code, language]);
  return language ? (known ?? lines) : null;
}
