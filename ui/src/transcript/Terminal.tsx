import { ansi } from "@/events/ansi";
import { bitsOf } from "@/events/paths";
import { plural } from "@/events/words";
import { classes } from "@/components/classes";
import { Code } from "@/syntax/Code";
import { openInEditor, useOpened, usePlace } from "./context";
import { CopyButton } from "./CopyButton";

const LINES = 24;
/** A line longer than this is cut while the output is folded: it is data for a program, not for a reader. */
const WIDTH = 1000;

interface Props {
  /** Keeps what the reader unfolded. */
  id: string;
  command?: string;
  output: string;
  code: number | null;
  bad?: boolean;
}

/** A command's output as a terminal shows it; of a long one the end, since that is where the outcome is. */
export function Terminal({ id, command, output, code, bad }: Props) {
  const [whole, toggle] = useOpened(`${id} whole`);
  const trimmed = output.replace(/\s+$/, "");
  const lines = trimmed.split("\n");
  const earlier = Math.max(0, lines.length - LINES);
  const long = lines.slice(earlier).some(({ length }) => length > WIDTH);
  const shown = whole ? trimmed : lines.slice(earlier).map(clip).join("\n");
  const many = command?.includes("\n");
  return (
    <>
      {command && (many || command.length > 48) && (
        <div className="group relative border-b border-line">
          <pre className="max-h-48 overflow-auto px-2.5 py-1.5 font-mono text-sm break-words whitespace-pre-wrap text-mute">
            <Code code={command} language="shellscript" />
          </pre>
          <Corner text={command} label="Copy the command" />
        </div>
      )}
      {(earlier > 0 || long) && (
        <FoldButton
          whole={whole}
          onToggle={toggle}
          className="border-b"
          words={earlier > 0 ? `Show all ${lines.length} lines` : "Show the whole of long lines"}
        />
      )}
      <div className="group relative">
        <pre className={classes("overflow-auto px-2.5 py-1.5 font-mono text-sm", whole ? "max-h-[70vh]" : "max-h-130")}>
          {/* As wide as a terminal: programs draw lines and tables for 80 columns, and what is longer wraps. */}
          <div className="w-max max-w-[110ch] min-w-full wrap-anywhere whitespace-pre-wrap">
            {trimmed ? <Printed text={shown} /> : <span className="text-faint">No output</span>}
          </div>
        </pre>
        {trimmed && <Corner text={trimmed} label="Copy the output" />}
      </div>
      {code !== null && code !== 0 && (
        <div className={classes("border-t border-line px-2.5 py-1 text-sm", bad ? "text-bad" : "text-mute")}>
          Exit code {code}
        </div>
      )}
    </>
  );
}

function clip(line: string): string {
  return line.length > WIDTH ? `${line.slice(0, WIDTH)}… ${plural(line.length - WIDTH, "more character")}` : line;
}

/** A program's words in its own colours; the places in files that it names open in the editor. */
function Printed({ text }: { text: string }) {
  const { workspace, root } = usePlace();
  return ansi(text).map((span, index) => (
    <span
      key={index}
      className={classes(span.bold && "font-bold", span.dim && "opacity-75")}
      style={span.color ? { color: span.color } : undefined}
    >
      {bitsOf(span.text, root).map(({ text, path, line }, at) =>
        path ? (
          <button
            key={at}
            type="button"
            title="Open in editor"
            className="text-left underline decoration-dotted underline-offset-2 hover:text-link hover:decoration-solid"
            onClick={() => void openInEditor(workspace, { path, line })}
          >
            {text}
          </button>
        ) : (
          text
        ),
      )}
    </span>
  ));
}

/** Shows all of what is folded, and folds it again. */
export function FoldButton({
  whole,
  onToggle,
  words,
  className,
}: {
  whole: boolean;
  onToggle: () => void;
  words: string;
  className: string;
}) {
  return (
    <button
      type="button"
      aria-expanded={whole}
      className={classes("block w-full border-line px-2.5 py-1 text-left text-sm text-link hover:underline", className)}
      onClick={onToggle}
    >
      {whole ? "Show less" : words}
    </button>
  );
}

/** A copy button in the corner of what it copies. */
export function Corner({ text, label }: { text: string; label: string }) {
  return (
    <div className="absolute top-1 right-1 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
      <CopyButton text={text} label={label} />
    </div>
  );
}
