import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Event, Events } from "@/api/types";
import { EventLog, PAGE } from "./log";

const now = (run: () => void) => run();

function notice(position: number): Event {
  return {
    position,
    id: `e${position}`,
    task_id: "t",
    conversation_id: null,
    seq: null,
    kind: "Notice",
    source: "twinseat",
    at: "2026-01-01T00:00:00Z",
    data: { text: `line ${position}` },
  };
}

const page =
  (all: Event[]) =>
  ({ before, limit }: { before?: number; limit: number }): Promise<Events> => {
    const end = before ? before - 1 : all.length;
    const start = Math.max(0, end - limit);
    return Promise.resolve({ events: all.slice(start, end), more_before: start > 0, more_after: false });
  };

const durable = (event: Event) => ({ type: "durable" as const, task: "t", position: event.position, event });
const delta = (order: number, content: string, kind: "text" | "reasoning" = "text", attempt = 1) => ({
  type: "delta" as const,
  task: "t",
  item_id: "i",
  attempt,
  order,
  kind,
  content,
});
const started = (attempt = 1) => ({ type: "item_started" as const, task: "t", item_id: "i", attempt });

describe("the event log", () => {
  it("holds every position once and in order, however they arrive", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 200 }), (arrivals) => {
        const log = new EventLog(page([]), now);
        for (const position of arrivals) log.frame(durable(notice(position)));
        const positions = log.get().rows.map(({ position }) => position);
        expect(positions).toEqual([...new Set(arrivals)].sort((a, b) => a - b));
      }),
    );
  });

  it("opens at the end of a long journal and reads backwards without a gap", async () => {
    const all = Array.from({ length: 1_050 }, (_, index) => notice(index + 1));
    const log = new EventLog(page(all), now);
    await log.load();
    expect(log.get().size).toBe(PAGE);
    expect(log.get().last).toBe(1_050);
    log.frame(durable(notice(1_051)));
    while (log.get().moreBefore) await log.loadOlder();
    expect(log.get().rows.map(({ position }) => position)).toEqual(
      Array.from({ length: 1_051 }, (_, index) => index + 1),
    );
  });

  it("shows streamed text once, also when a snapshot repeats what was seen", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 30 }),
        fc.nat(),
        fc.boolean(),
        (words, cut, snapshot) => {
          const log = new EventLog(page([]), now);
          log.frame(started());
          const at = cut % words.length;
          words.slice(0, at).forEach((word, order) => log.frame(delta(order, word)));
          if (snapshot) {
            log.lost();
            log.frame(started());
            if (at) log.frame(delta(at - 1, words.slice(0, at).join("")));
          } else words.slice(0, at).forEach((word, order) => log.frame(delta(order, word)));
          words.slice(at).forEach((word, index) => log.frame(delta(at + index, word)));
          expect(log.get().items.map(({ text }) => text)).toEqual([words.join("")]);
        },
      ),
    );
  });

  it("keeps what was streamed when the connection is lost, until it is said again", () => {
    const log = new EventLog(page([]), now);
    log.frame(started());
    log.frame(delta(0, "Half a sen"));
    log.lost();
    expect(log.get().items).toMatchObject([{ text: "Half a sen", aborted: "the connection was lost" }]);
    log.frame(started());
    log.frame(delta(1, "Half a sentence"));
    expect(log.get().items).toMatchObject([{ text: "Half a sentence", aborted: null }]);
  });

  it("replaces what was streamed by the event of the same id", () => {
    const log = new EventLog(page([]), now);
    log.frame(started());
    log.frame(delta(0, "Half a sen"));
    log.frame(durable({ ...notice(1), id: "i" }));
    expect(log.get().items).toEqual([]);
    expect(log.get().rows).toHaveLength(1);
  });

  it("starts over with a new attempt and ignores the old one", () => {
    const log = new EventLog(page([]), now);
    log.frame(started(1));
    log.frame(delta(0, "first"));
    log.frame(started(2));
    log.frame(delta(0, "second", "text", 2));
    log.frame(delta(1, " late", "text", 1));
    expect(log.get().items[0]?.text).toBe("second");
  });

  it("keeps the words of a cut-off answer until something follows", () => {
    const log = new EventLog(page([]), now);
    log.frame(started());
    log.frame(delta(0, "Half"));
    log.frame({ type: "item_aborted", task: "t", item_id: "i", attempt: 1, reason: "interrupted" });
    expect(log.get().items[0]).toMatchObject({ text: "Half", aborted: "interrupted" });
    log.frame(durable({ ...notice(1), kind: "UserMessage", source: "user" }));
    expect(log.get().items).toEqual([]);
  });

  it("keeps the identity of rows that did not change", () => {
    const log = new EventLog(page([]), now);
    for (let position = 1; position <= 5; position++) log.frame(durable(notice(position)));
    const before = log.get().rows;
    log.frame(durable(notice(6)));
    expect(
      log
        .get()
        .rows.slice(0, 5)
        .every((row, index) => row === before[index]),
    ).toBe(true);
  });
});
