import { Fragment } from "react";
import { Line } from "./Line";
import type { Language } from "./languages";
import { useColours } from "./useColours";

/** Code in its language's colours: plain until they are known, and the same text throughout. */
export function Code({ code, language }: { code: string; language: Language | null }) {
  const colours = useColours(code, language);
  if (!colours) return code;
  return code.split("\n").map((line, index) => (
    <Fragment key={index}>
      {index > 0 && "\n"}
      <Line text={line} pieces={colours[index]} />
    </Fragment>
  ));
}
