import type { CSSProperties } from "react";
import { classes } from "@/components/classes";
import type { Piece } from "./useColours";

/** One line of code, coloured where the colours at hand are this line's. */
export function Line({ text, pieces }: { text: string; pieces?: readonly Piece[] }) {
  if (!pieces || pieces.map((piece) => piece.text).join("") !== text) return text;
  return pieces.map((piece, index) => (
    <span
      key={index}
      className={classes("token", piece.bold && "font-bold", piece.italic && "italic")}
      style={{ "--dark": piece.dark, "--light": piece.light } as CSSProperties}
    >
      {piece.text}
    </span>
  ));
}
