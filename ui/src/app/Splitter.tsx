import { useState, type ReactNode } from "react";

const STORED = "twinseat.split";
const NARROWEST = 300;

/** Two panes with a movable edge; the right one's width is remembered. Arrow keys move it too. */
export function Splitter({ left, right }: { left: ReactNode; right: ReactNode }) {
  const [width, setWidth] = useState(() => Number(localStorage.getItem(STORED)) || 460);
  const [moving, setMoving] = useState(false);
  const move = (next: number) => {
    const fitting = Math.round(Math.min(Math.max(next, NARROWEST), Math.max(NARROWEST, innerWidth - NARROWEST)));
    setWidth(fitting);
    localStorage.setItem(STORED, String(fitting));
  };
  return (
    <div className="flex h-full">
      {/* While the edge is dragged the frame must not swallow the pointer. */}
      <div className={`min-w-0 flex-1 ${moving ? "pointer-events-none" : ""}`}>{left}</div>
      <div
        role="separator"
        aria-label="Width of the chat"
        aria-orientation="vertical"
        aria-valuenow={width}
        aria-valuemin={NARROWEST}
        tabIndex={0}
        className="relative z-10 w-px cursor-col-resize bg-line before:absolute before:inset-y-0 before:-left-1 before:w-2 before:content-[''] hover:before:bg-accent focus-visible:before:bg-accent"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setMoving(true);
        }}
        onPointerMove={(event) => moving && move(innerWidth - event.clientX)}
        onPointerUp={() => setMoving(false)}
        onPointerCancel={() => setMoving(false)}
        onDoubleClick={() => move(460)}
        onKeyDown={(event) => {
          if (event.key === "ArrowLeft") move(width + 16);
          else if (event.key === "ArrowRight") move(width - 16);
          else return;
          event.preventDefault();
        }}
      />
      <div className="min-w-0 shrink-0" style={{ width: `min(${width}px, 100%)` }}>
        {right}
      </div>
    </div>
  );
}
