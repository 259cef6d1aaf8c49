import { DropdownMenu as Radix } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import { classes } from "./classes";
import { CodiconIcon } from "./CodiconIcon";
import { Kbd } from "./Tooltip";

interface Props {
  /** The button that opens it. It must take a ref and pass its props on. */
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "end";
  side?: "top" | "bottom";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}

export function Menu({ trigger, children, align = "start", side = "bottom", open, onOpenChange }: Props) {
  return (
    // Not modal: the modal kind locks scrolling with an injected style tag, which the page's policy forbids.
    <Radix.Root modal={false} open={open} onOpenChange={onOpenChange}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          side={side}
          sideOffset={4}
          collisionPadding={8}
          className="z-40 max-h-(--radix-dropdown-menu-content-available-height) max-w-[min(340px,calc(100vw-16px))] min-w-50 animate-rise overflow-auto rounded-md border border-edge bg-raised p-1 text-fg shadow-float"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface ItemProps {
  icon?: string;
  keys?: string;
  /** A second, quieter line. */
  hint?: ReactNode;
  /** Set for an item that is one of a choice. */
  checked?: boolean;
  danger?: boolean;
  disabled?: boolean;
  onSelect: () => void;
  children: ReactNode;
}

export function MenuItem({ icon, keys, hint, checked, danger, disabled, onSelect, children }: ItemProps) {
  const choice = checked !== undefined;
  const look = classes(
    "flex cursor-default items-start gap-2 rounded-sm px-2 py-1 text-base outline-none select-none data-[disabled]:opacity-50 data-[highlighted]:bg-accent data-[highlighted]:text-on-accent group",
    danger && "text-bad",
  );
  const content = (
    <>
      {(icon || choice) && (
        <span className="grid h-5 w-4 place-items-center">
          {choice ? checked && <CodiconIcon name="check" /> : <CodiconIcon name={icon ?? ""} />}
        </span>
      )}
      <span className="min-w-0 flex-1">
        <span className="block break-words">{children}</span>
        {hint && <span className="block text-sm text-mute group-data-[highlighted]:text-on-accent">{hint}</span>}
      </span>
      {keys && <Kbd keys={keys} className="leading-5 text-mute group-data-[highlighted]:text-on-accent" />}
    </>
  );
  return choice ? (
    <Radix.CheckboxItem className={look} checked={checked} disabled={disabled} onSelect={onSelect}>
      {content}
    </Radix.CheckboxItem>
  ) : (
    <Radix.Item className={look} disabled={disabled} onSelect={onSelect}>
      {content}
    </Radix.Item>
  );
}

export const MenuLine = () => <Radix.Separator className="mx-1 my-1 h-px bg-line" />;

export const MenuLabel = ({ children }: { children: ReactNode }) => (
  <Radix.Label className="px-2 pt-1 pb-0.5 text-xs text-mute">{children}</Radix.Label>
);
