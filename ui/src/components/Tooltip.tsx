import { Tooltip as Radix } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import { display } from "@/app/keys";

interface Props {
  text: ReactNode;
  /** The key that does the same, such as `Alt+T`. */
  keys?: string;
  children: ReactElement;
  side?: "top" | "bottom" | "left" | "right";
}

export const TooltipProvider = ({ children }: { children: ReactNode }) => (
  <Radix.Provider delayDuration={500} skipDelayDuration={200}>
    {children}
  </Radix.Provider>
);

export function Tooltip({ text, keys, children, side = "top" }: Props) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          side={side}
          sideOffset={4}
          collisionPadding={8}
          className="tooltip pointer-events-none z-50 flex max-w-70 items-center gap-2 rounded-sm border border-edge bg-raised px-2 py-1 text-sm text-fg shadow-float"
        >
          {text}
          {keys && <Kbd keys={keys} />}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export function Kbd({ keys, className = "text-mute" }: { keys: string; className?: string }) {
  return <kbd className={`font-mono text-xs whitespace-nowrap ${className}`}>{display(keys)}</kbd>;
}
