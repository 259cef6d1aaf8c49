import { useState } from "react";
import { ansi } from "@/events/ansi";
import { plural } from "@/events/words";
import { classes } from "@/components/classes";
import { CopyButton } from "./CopyButton";

const LINES = 24;

interface Props {
  command?: string;
  output: string;
  code: number | null;
  bad?: boolean;
}

/** A command's output as a terminal shows it; of a long one the end, since that is where the outcome is. */
export function Terminal({ command, output, code, bad }: Props) {
  const [whole, setWhole] = useState(false);
  const trimmed = output.replace(/\s+$/, "");
  const lines = trimmed.split("\n");
  const cut = whole ? 0 : Math.max(0, lines.length - LINES);
  const many = command?.includes("\n");
  return (
    <div className="group relative">
      {command && (many || command.length > 48) && (
        <pre className="border-b border-line px-2.5 py-1.5 font-mono text-sm whitespace-pre-wrap break-words text-mute">
          {command}
        </pre>
      )}
      <div className="absolute top-1 right-1 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
        <CopyButton text={trimmed} label="Copy the output" />
      </div>
      {cut > 0 && (
        <button
          type="button"
          className="block w-full border-b border-line px-2.5 py-1 text-left text-sm text-link hover:underline"
          onClick={() => setWhole(true)}
        >
          Show {plural(cut, "earlier line")}
        </button>
      )}
      <pre className="max-h-90 overflow-auto px-2.5 py-1.5 font-mono text-sm">
        {trimmed ? (
          ansi(lines.slice(cut).join("\n")).map((span, index) => (
            <span
              key={index}
              className={classes(span.bold && "font-bold", span.dim && "opacity-75")}
              style={span.color ? { color: span.color } : undefined}
            >
              {span.text}
            </span>
          ))
        ) : (
          <span className="text-faint">No output</span>
        )}
      </pre>
      {code !== null && code !== 0 && (
        <div className={classes("border-t border-line px-2.5 py-1 text-sm", bad ? "text-bad" : "text-mute")}>
          Exit code {code}
        </div>
      )}
    </div>
  );
}
