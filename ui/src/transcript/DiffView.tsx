import { classes } from "@/components/classes";
import type { Diff, DiffLine } from "@/events/diff";
import { plural } from "@/events/words";
import { Line } from "@/syntax/Line";
import { languageOf } from "@/syntax/languages";
import { useColours, type Piece } from "@/syntax/useColours";

const LONGEST = 12;
const looks: Record<DiffLine["kind"], string> = {
  same: "",
  added: "bg-added text-strong",
  removed: "bg-removed text-strong",
  gap: "text-faint",
};
const signs: Record<DiffLine["kind"], string> = { same: " ", added: "+", removed: "-", gap: "⋯" };
const spoken: Partial<Record<DiffLine["kind"], string>> = { added: "added: ", removed: "removed: " };

/** At most a dozen lines; the rest is for the editor. */
export function DiffView({ diff, path, onMore }: { diff: Diff; path: string; onMore: () => void }) {
  const colours = useDiffColours(diff, path);
  const start = diff.lines.length > LONGEST ? Math.max(0, firstChange(diff) - 1) : 0;
  const shown = diff.lines.slice(start, start + LONGEST);
  const rest = diff.lines.length - shown.length;
  return (
    <>
      <pre className="overflow-x-auto py-1.5 font-mono text-sm">
        <div className="w-max min-w-full">
          {shown.map((line, index) => (
            <div key={index} className={classes("px-2.5", looks[line.kind])}>
              <span aria-hidden className="mr-2 inline-block w-2 text-mute select-none">
                {signs[line.kind]}
              </span>
              {spoken[line.kind] && <span className="sr-only">{spoken[line.kind]}</span>}
              <Line text={line.text} pieces={colours(start + index)} />
            </div>
          ))}
        </div>
      </pre>
      {rest > 0 && (
        <button
          type="button"
          className="block w-full border-t border-line px-2.5 py-1 text-left text-sm text-link hover:underline"
          onClick={onMore}
        >
          {plural(rest, "more line")}: open in editor
        </button>
      )}
    </>
  );
}

/** Colours both sides as the code they are: the file as it was, and as it is. */
function useDiffColours({ lines }: Diff, path: string): (index: number) => readonly Piece[] | undefined {
  const language = languageOf(path);
  const old = lines.filter(({ kind }) => kind !== "added");
  const now = lines.filter(({ kind }) => kind !== "removed");
  const before = useColours(codeOf(old), language);
  const after = useColours(codeOf(now), language);
  return (index) => {
    const line = lines[index];
    if (!line) return undefined;
    return line.kind === "removed" ? before?.[old.indexOf(line)] : after?.[now.indexOf(line)];
  };
}

const codeOf = (lines: readonly DiffLine[]): string => lines.map(({ text }) => text).join("\n");

function firstChange(diff: Diff): number {
  return Math.max(
    0,
    diff.lines.findIndex(({ kind }) => kind === "added" || kind === "removed"),
  );
}

export function Counts({ added, removed }: { added: number; removed: number }) {
  return (
    <span className="whitespace-nowrap tabular-nums">
      <span className="text-ok" aria-label={`${plural(added, "line")} added`}>
        +{added}
      </span>{" "}
      <span className="text-bad" aria-label={`${plural(removed, "line")} removed`}>
        −{removed}
      </span>
    </span>
  );
}
