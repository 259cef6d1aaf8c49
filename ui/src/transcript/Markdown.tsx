import { memo, useMemo, type ComponentProps, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import gfm from "remark-gfm";
import { openOutside } from "@/app/native";
import { Code } from "@/syntax/Code";
import { languageNamed } from "@/syntax/languages";
import { openInEditor, usePlace } from "./context";
import { CopyButton } from "./CopyButton";

const plugins = [gfm];
/** `app/main.py`, `app/main.py:12`: something with a folder or an extension, and nothing else. */
const filePath = /^(?!https?:)((?:\.{0,2}\/)?[\w.@-]+(?:\/[\w.@-]+)+|[\w@-]+\.[a-z]{1,4})(?::(\d+))?$/i;

function Block({ children }: { children?: ReactNode }) {
  return (
    <div className="group relative my-2 first:mt-0 last:mb-0 overflow-hidden rounded-md border border-line bg-code">
      <pre className="overflow-x-auto px-2.5 py-1.5 font-mono text-sm">{children}</pre>
      <div className="absolute top-1 right-1 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
        <CopyButton text={textOf(children)} label="Copy the code" />
      </div>
    </div>
  );
}

function textOf(node: ReactNode): string {
  if (typeof node === "string" || typeof node === "number") return String(node);
  if (Array.isArray(node)) return node.map(textOf).join("");
  if (node && typeof node === "object" && "props" in node)
    return textOf((node.props as { children?: ReactNode }).children);
  return "";
}

function Inline({ children, className }: ComponentProps<"code">) {
  const { workspace } = usePlace();
  const words = textOf(children);
  if (className || words.includes("\n")) {
    const language = /language-(\S+)/.exec(className ?? "")?.[1] ?? "";
    return (
      <code>
        <Code code={words} language={languageNamed(language)} />
      </code>
    );
  }
  const look = "rounded-sm bg-hover px-1 py-px font-mono text-sm break-words";
  const file = workspace ? filePath.exec(words) : null;
  if (!file?.[1]) return <code className={look}>{children}</code>;
  const [, path, line] = file;
  return (
    <button
      type="button"
      title="Open in editor"
      className={`${look} text-left text-link hover:underline`}
      onClick={() => void openInEditor(workspace, { path, line: line ? Number(line) : undefined })}
    >
      {words}
    </button>
  );
}

const components: Components = {
  pre: ({ children }) => <Block>{children}</Block>,
  code: Inline,
  a: ({ href, children }) => (
    <a
      href={href}
      className="text-link underline-offset-2 hover:underline"
      rel="noreferrer noopener"
      onClick={(event) => {
        event.preventDefault();
        if (href && /^https?:/.test(href)) openOutside(href);
      }}
    >
      {children}
    </a>
  ),
  // Nothing is fetched from a place the user did not choose: an image is shown as its link.
  img: ({ src, alt }) => <span className="text-mute">[{alt || (typeof src === "string" ? src : "image")}]</span>,
  table: ({ children }) => (
    <div className="my-2 overflow-x-auto">
      <table className="border-collapse text-sm">{children}</table>
    </div>
  ),
  th: ({ children }) => (
    <th className="border border-line px-2 py-1 text-left font-semibold text-strong">{children}</th>
  ),
  td: ({ children }) => <td className="border border-line px-2 py-1 align-top">{children}</td>,
  h1: ({ children }) => <h3 className="mt-3 mb-1 text-lg font-semibold text-strong first:mt-0">{children}</h3>,
  h2: ({ children }) => <h3 className="mt-3 mb-1 text-lg font-semibold text-strong first:mt-0">{children}</h3>,
  h3: ({ children }) => <h4 className="mt-3 mb-1 font-semibold text-strong first:mt-0">{children}</h4>,
  h4: ({ children }) => <h4 className="mt-2 mb-1 font-semibold text-strong first:mt-0">{children}</h4>,
  p: ({ children }) => <p className="my-2 first:mt-0 last:mb-0">{children}</p>,
  ul: ({ children }) => <ul className="my-2 list-disc pl-5 first:mt-0 last:mb-0">{children}</ul>,
  ol: ({ children, start }) => (
    <ol start={start} className="my-2 list-decimal pl-5 first:mt-0 last:mb-0">
      {children}
    </ol>
  ),
  li: ({ children }) => <li className="my-0.5">{children}</li>,
  blockquote: ({ children }) => (
    <blockquote className="my-2 border-l-2 border-edge pl-3 text-mute">{children}</blockquote>
  ),
  hr: () => <hr className="my-3 border-line" />,
};

const Piece = memo(function Piece({ text }: { text: string }) {
  return (
    <ReactMarkdown remarkPlugins={plugins} components={components}>
      {text}
    </ReactMarkdown>
  );
});

/**
 * The agent's words. While they stream, the text is cut at blank lines outside code fences, so that a new word makes
 * only the last block be parsed again.
 */
export default function Markdown({ text, streaming }: { text: string; streaming?: boolean }) {
  const pieces = useMemo(() => (streaming ? blocks(text) : [text]), [text, streaming]);
  return (
    <div className="min-w-0 break-words">
      {pieces.map((piece, index) => (
        <div key={index} className={index ? "mt-2" : undefined}>
          <Piece text={piece} />
        </div>
      ))}
    </div>
  );
}

export function blocks(text: string): string[] {
  const made: string[] = [];
  let open: string[] = [];
  let fenced = false;
  for (const line of text.split("\n")) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    if (!fenced && line.trim() === "" && open.length) {
      made.push(open.join("\n"));
      open = [];
    } else open.push(line);
  }
  if (open.length) made.push(open.join("\n"));
  return made;
}
