import { useEffect, useId, useRef, type ReactNode } from "react";
import { classes } from "./classes";
import { IconButton } from "./IconButton";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Buttons, right-aligned below the content. */
  actions?: ReactNode;
  className?: string;
  /** Show no heading and no close button; the title stays for screen readers. */
  bare?: boolean;
}

const controls = ":is(input, select, textarea, button, [tabindex='0']):not([disabled])";

/** What the focus goes to: what asks for it, the page that is shown, or the first control that is not the close button. */
function first(dialog: HTMLDialogElement | null): HTMLElement | null {
  for (const wanted of ["[data-focus]", "[aria-current]", `[data-body] ${controls}`, `footer ${controls}`]) {
    const found = dialog?.querySelector<HTMLElement>(wanted);
    if (found) return found;
  }
  return null;
}

/** A modal on the platform's own dialog element: focus stays inside, Esc closes, the rest of the page is inert. */
export function Dialog({ title, onClose, children, actions, className = "w-105", bare }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog?.showModal();
    first(dialog)?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === event.currentTarget && onClose()}
      className={classes(
        "m-auto max-h-[calc(100vh-32px)] max-w-[calc(100vw-24px)] animate-rise overflow-hidden rounded-lg border border-edge bg-raised p-0 text-fg shadow-float",
        className,
      )}
    >
      <div className="flex max-h-[calc(100vh-34px)] flex-col">
        <header className={bare ? "sr-only" : "flex items-center gap-2 px-4 pt-3"}>
          <h2 id={heading} className="flex-1 text-lg font-semibold text-strong">
            {title}
          </h2>
          {!bare && <IconButton icon="close" label="Close" keys="Esc" onClick={onClose} />}
        </header>
        {bare ? (
          children
        ) : (
          <div data-body className="min-h-0 overflow-auto px-4 py-3">
            {children}
          </div>
        )}
        {actions && (
          <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-4 py-3">{actions}</footer>
        )}
      </div>
    </dialog>
  );
}
