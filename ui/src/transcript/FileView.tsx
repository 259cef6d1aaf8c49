import type { Listing } from "@/events/listing";
import { classes } from "@/components/classes";
import { Line } from "@/syntax/Line";
import { languageOf } from "@/syntax/languages";
import { useColours } from "@/syntax/useColours";
import { useOpened } from "./context";
import { Corner, FoldButton } from "./Terminal";

const LINES = 16;

/** A part of a file as the agent read it: its beginning, the rest on request. */
export function FileView({ id, path, listing: { first, code } }: { id: string; path: string; listing: Listing }) {
  const [whole, toggle] = useOpened(`${id} whole`);
  const colours = useColours(code, languageOf(path));
  const lines = code.split("\n");
  const shown = whole ? lines : lines.slice(0, LINES);
  const digits = String(first + lines.length).length;
  return (
    <>
      <div className="group relative">
        <pre className={classes("overflow-auto py-1.5 font-mono text-sm", whole ? "max-h-[70vh]" : "max-h-130")}>
          <div className="w-max min-w-full">
            {shown.map((line, index) => (
              <div key={index} className="px-2.5">
                <span
                  aria-hidden
                  className="mr-3 inline-block text-right text-faint select-none"
                  style={{ width: `${digits}ch` }}
                >
                  {first + index}
                </span>
                <Line text={line} pieces={colours?.[index]} />
              </div>
            ))}
          </div>
        </pre>
        <Corner text={code} label="Copy the code" />
      </div>
      {lines.length > LINES && (
        <FoldButton whole={whole} onToggle={toggle} className="border-t" words={`Show all ${lines.length} lines`} />
      )}
    </>
  );
}
