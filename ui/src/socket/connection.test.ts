import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Event } from "@/api/types";
import { EventLog } from "@/events/log";
import { Connection, type Wire } from "./connection";

const event = (position: number): Event => ({
  position,
  id: `e${position}`,
  task_id: "t",
  conversation_id: null,
  seq: null,
  kind: "Notice",
  source: "twinseat",
  at: "2026-01-01T00:00:00Z",
  data: { text: `line ${position}` },
});

/** A backend reduced to its promises: a journal, and sockets that send what follows the cursor. */
class Server {
  journal: Event[] = [];
  wires: { wire: Wire; sent: number | null }[] = [];
  connects = 0;

  connect = (): Wire => {
    this.connects++;
    const entry: { wire: Wire; sent: number | null } = { wire: null as unknown as Wire, sent: null };
    entry.wire = {
      onopen: null,
      onmessage: null,
      onclose: null,
      close: () => {
        this.wires = this.wires.filter((one) => one !== entry);
      },
      send: (text) => {
        const frame = JSON.parse(text) as { type: string; after?: number };
        if (frame.type === "subscribe") {
          entry.sent = frame.after ?? this.journal.length;
          this.flush(entry);
        }
      },
    };
    this.wires.push(entry);
    return entry.wire;
  };

  accept(): void {
    for (const { wire } of this.wires) (wire.onopen as (() => void) | null)?.();
  }

  commit(): void {
    this.journal.push(event(this.journal.length + 1));
    for (const entry of this.wires) this.flush(entry);
  }

  repeat(): void {
    const last = this.journal.at(-1);
    for (const { wire, sent } of this.wires) if (last && sent !== null) deliver(wire, last);
  }

  drop(): void {
    for (const { wire } of [...this.wires]) wire.onclose?.({ code: 1006 });
  }

  private flush(entry: { wire: Wire; sent: number | null }): void {
    if (entry.sent === null) return;
    for (const one of this.journal.slice(entry.sent)) deliver(entry.wire, one);
    entry.sent = this.journal.length;
  }
}

function deliver(wire: Wire, one: Event): void {
  wire.onmessage?.({ data: JSON.stringify({ type: "durable", task: "t", position: one.position, event: one }) });
}

describe("the connection", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("neither loses nor doubles a line, whatever happens to the socket", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("commit", "commit", "drop", "accept", "repeat", "wait"), { maxLength: 60 }),
        (acts) => {
          const server = new Server();
          const live = new Connection(server.connect, () => 0.5);
          const log = new EventLog(
            () => Promise.resolve({ events: [], more_before: false, more_after: false }),
            (run) => run(),
          );
          live.start();
          live.subscribe("t", log);
          for (const act of acts) {
            if (act === "wait") vi.advanceTimersByTime(10_000);
            else server[act]();
          }
          vi.advanceTimersByTime(10_000);
          server.accept();
          expect(log.get().rows.map(({ position }) => position)).toEqual(
            server.journal.map(({ position }) => position),
          );
          live.stop();
        },
      ),
      { numRuns: 300 },
    );
  });

  it("waits longer after every failure, and no longer than eight seconds and a half of that", () => {
    const server = new Server();
    const live = new Connection(server.connect, () => 0.5);
    live.start();
    const waits: number[] = [];
    for (let n = 0; n < 9; n++) {
      server.drop();
      const before = server.connects;
      let waited = 0;
      while (server.connects === before) {
        vi.advanceTimersByTime(50);
        waited += 50;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
    live.stop();
  });

  it("survives rubbish", () => {
    const server = new Server();
    const live = new Connection(server.connect);
    const heard: unknown[] = [];
    live.listen((frame) => heard.push(frame));
    live.start();
    server.accept();
    const wire = server.wires[0]?.wire;
    for (const data of ["", "{", "null", "[]", "7", '"x"', "{}", new Uint8Array(3), '{"type":"durable"}'])
      wire?.onmessage?.({ data });
    expect(heard).toEqual([]);
    expect(live.link.get()).toBe("open");
    live.stop();
  });

  it("gives up a socket that has gone silent", () => {
    const server = new Server();
    const live = new Connection(server.connect, () => 0.5);
    live.start();
    server.accept();
    vi.advanceTimersByTime(70_000);
    expect(server.connects).toBeGreaterThan(1);
    live.stop();
  });
});
