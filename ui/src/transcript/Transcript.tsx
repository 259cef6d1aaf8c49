import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore, type ReactNode } from "react";
import type { QueuedMessage } from "@/api/types";
import { keys } from "@/app/keys";
import { useCommand } from "@/app/commands";
import { Boundary } from "@/components/Boundary";
import { Button } from "@/components/Button";
import { Spinner } from "@/components/Spinner";
import type { EventLog } from "@/events/log";
import { ItemView, RowView } from "./RowView";

/** How close to the end, in pixels, still counts as reading along. */
const NEAR = 48;

interface Props {
  log: EventLog;
  /** Messages that the agent has not taken yet: they stand in the tail, not where they were stored. */
  queued: readonly QueuedMessage[];
  /** Rows below the last event: messages on their way, what the agent is about to do, the summary. */
  tail: { key: string; node: ReactNode }[];
}

/**
 * The conversation as a virtual list: only what is on screen is in the page. It follows the end until the reader
 * scrolls away, and again once they come back.
 */
export function Transcript({ log, queued, tail }: Props) {
  const { rows: all, items, moreBefore, loadingOlder } = useSyncExternalStore(log.subscribe, log.get);
  const rows = useMemo(() => {
    if (!queued.length) return all;
    const waiting = new Set(queued.map(({ id }) => id));
    return all.filter((row) => row.type !== "user" || !waiting.has(row.key));
  }, [all, queued]);
  const scroller = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const [seen, setSeen] = useState(0);
  const head = moreBefore ? 1 : 0;
  const count = head + rows.length + items.length + tail.length;

  // eslint-disable-next-line react-hooks/incompatible-library -- nothing here relies on its functions being memoized
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (rows[index - head]?.type === "said" ? 90 : 28),
    getItemKey: (index) => {
      if (index < head) return "older";
      const at = index - head;
      const row = rows[at];
      if (row) return row.key;
      const item = items[at - rows.length];
      return item ? item.id : `tail ${tail[at - rows.length - items.length]?.key}`;
    },
    overscan: 8,
    paddingStart: 12,
    paddingEnd: 8,
    anchorTo: "end",
    scrollEndThreshold: NEAR,
    useFlushSync: false,
  });

  const last = rows.at(-1)?.position ?? 0;
  if (following && seen !== last) setSeen(last);
  const missed = !following && last > seen;

  const loaded = rows.length > 0;
  // Whoever reads along stays at the end: when lines come, when the last one grows, and when the dock or the composer
  // take room from below.
  const size = virtual.getTotalSize();
  useLayoutEffect(() => {
    if (following) virtual.scrollToEnd();
  }, [following, size, virtual]);
  const follows = useRef(true);
  useEffect(() => {
    follows.current = following;
  }, [following]);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      if (follows.current) virtual.scrollToEnd();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [virtual]);

  // Only going up is leaving: at the end the list corrects its own position, which is no wish of the reader.
  const before = useRef(0);
  const scrolled = ({ scrollHeight, scrollTop, clientHeight }: HTMLElement) => {
    const away = scrollHeight - scrollTop - clientHeight;
    if (away <= NEAR) setFollowing(true);
    else if (scrollTop < before.current) setFollowing(false);
    before.current = scrollTop;
  };

  const visible = virtual.getVirtualItems();
  const top = visible[0]?.index ?? 0;
  useEffect(() => {
    if (moreBefore && top < 20 && loaded) void log.loadOlder().catch(() => undefined);
  }, [moreBefore, top, log, loaded]);

  const toEnd = () => {
    setFollowing(true);
    virtual.scrollToEnd();
  };
  useCommand("newest", { title: "Go to the newest message", icon: "arrow-down", key: "newest" }, toEnd);

  const rendered = useMemo(() => new Map(tail.map(({ key, node }) => [key, node])), [tail]);
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label="Conversation"
        tabIndex={0}
        className="h-full overflow-x-hidden overflow-y-auto px-3 [overflow-anchor:none] focus-visible:-outline-offset-1"
        onScroll={({ currentTarget }) => scrolled(currentTarget)}
      >
        <div className="relative mx-auto w-full max-w-200" style={{ height: size }}>
          {visible.map(({ index, key, start }) => {
            const at = index - head;
            const row = rows[at];
            const item = items[at - rows.length];
            const end = tail[at - rows.length - items.length];
            return (
              <div
                key={key}
                data-index={index}
                ref={virtual.measureElement}
                className="absolute top-0 left-0 w-full"
                style={{ transform: `translateY(${start}px)` }}
              >
                {index < head ? (
                  <div className="flex h-7 items-center justify-center gap-2 text-sm text-mute">
                    {loadingOlder && <Spinner />} Earlier messages
                  </div>
                ) : row ? (
                  <Boundary fallback={() => <p className="py-0.75 text-mute">This line can't be shown.</p>}>
                    <RowView row={row} />
                  </Boundary>
                ) : item ? (
                  <ItemView item={item} />
                ) : (
                  end && rendered.get(end.key)
                )}
              </div>
            );
          })}
        </div>
      </div>
      {!following && (
        <div className="pointer-events-none absolute inset-x-0 bottom-2 flex justify-center">
          <Button
            className="pointer-events-auto rounded-full bg-raised shadow-float hover:bg-raised"
            icon="arrow-down"
            keys={keys.newest.combo}
            tip="Go to the newest message"
            onClick={toEnd}
          >
            {missed ? "New messages" : "Newest"}
          </Button>
        </div>
      )}
    </div>
  );
}
