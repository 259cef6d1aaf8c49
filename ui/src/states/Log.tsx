/** The end of a server's log, folded. */
export function Log({ text }: { text: string }) {
  if (!text.trim()) return null;
  return (
    <details className="mt-1">
      <summary className="text-sm text-link">Log</summary>
      <pre className="mt-1 max-h-48 overflow-auto rounded-sm border border-line bg-code p-2 font-mono text-sm whitespace-pre-wrap break-words text-fg">
        {text}
      </pre>
    </details>
  );
}
