import { lazy, Suspense } from "react";

const Markdown = lazy(() => import("./Markdown"));

/** The agent's words, with typography as soon as its code is there and as plain text until then. */
export function Said({ text, streaming }: { text: string; streaming?: boolean }) {
  return (
    <Suspense fallback={<div className="break-words whitespace-pre-wrap">{text}</div>}>
      <Markdown text={text} streaming={streaming} />
    </Suspense>
  );
}
