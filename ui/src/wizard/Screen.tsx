import { useEffect, useRef, type ReactNode } from "react";
import { Button } from "@/components/Button";
import { classes } from "@/components/classes";

export interface Frame {
  place: { at: number; of: number };
  onBack?: (() => void) | undefined;
}

interface Props extends Frame {
  title: string;
  /** One line: why this is asked. */
  why: ReactNode;
  children: ReactNode;
  next: string;
  onNext: () => void;
  ready?: boolean;
  busy?: boolean;
  /** A way past the question, named for what it does. */
  skip?: { label: string; onSkip: () => void; busy?: boolean };
}

/** One question of the wizard. Enter answers it; the focus goes to its heading so that a screen reader reads it. */
export function Screen({ place, onBack, title, why, children, next, onNext, ready = true, busy, skip }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!document.activeElement || document.activeElement === document.body) heading.current?.focus();
  }, []);
  return (
    <main className="h-full overflow-auto bg-side">
      <form
        className="mx-auto flex min-h-full w-full max-w-115 flex-col px-5 py-8"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) onNext();
        }}
      >
        <div className="flex gap-1" role="img" aria-label={`Step ${place.at} of ${place.of}`}>
          {Array.from({ length: place.of }, (_, index) => (
            <span
              key={index}
              className={classes("h-0.5 flex-1 rounded-full", index < place.at ? "bg-accent" : "bg-edge")}
            />
          ))}
        </div>
        <h1 ref={heading} tabIndex={-1} className="mt-8 text-xl font-semibold text-strong outline-none">
          {title}
        </h1>
        <p className="mt-1 mb-5 text-mute">{why}</p>
        <div className="grid flex-1 content-start gap-4">{children}</div>
        <footer className="sticky bottom-0 -mx-1 mt-6 flex items-center gap-2 bg-side px-1 pt-2 pb-1">
          {onBack && (
            <Button look="ghost" icon="arrow-left" onClick={onBack}>
              Back
            </Button>
          )}
          <span className="flex-1" />
          {skip && (
            <Button look="ghost" onClick={skip.onSkip} busy={skip.busy ?? false}>
              {skip.label}
            </Button>
          )}
          <Button look="primary" type="submit" disabled={!ready} busy={busy ?? false}>
            {next}
          </Button>
        </footer>
      </form>
    </main>
  );
}
