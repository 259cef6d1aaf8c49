import { colour } from "./highlighter";
import type { Language } from "./languages";
import type { Piece } from "./useColours";

export interface Question {
  id: number;
  code: string;
  language: Language;
}

export interface Answer {
  id: number;
  /** Null when the grammar could not be loaded: plain text is a good answer too. */
  lines: Piece[][] | null;
}

self.onmessage = ({ data: { id, code, language } }: MessageEvent<Question>) => {
  void colour(code, language)
    .catch(() => null)
    .then((lines) => self.postMessage({ id, lines } satisfies Answer));
};
