import type { Event, Events } from "@/api/types";
import type { Reader } from "@/socket/connection";
import type { DeltaKind, TaskFrame } from "@/socket/frames";
import { Rows, type Row } from "./rows";

/** What the agent is writing right now. Never stored; the event with the same id takes its place. */
export interface Item {
  id: string;
  attempt: number;
  text: string;
  reasoning: string;
  startedAt: number;
  /** The last position when it began: what has a later one, the agent did not know while it wrote this. */
  after: number;
  /** Why it was cut, once it was. */
  aborted: string | null;
}

export interface LogState {
  rows: readonly Row[];
  items: readonly Item[];
  /** Positions of the loaded window; 0 when it is empty. */
  first: number;
  last: number;
  moreBefore: boolean;
  /** The first window has been read. */
  loaded: boolean;
  loadingOlder: boolean;
  /** Events taken in, in all. */
  size: number;
}

type Page = (query: { before?: number; after?: number; limit: number }) => Promise<Events>;

export const PAGE = 200;

/**
 * A window of a task's journal: its end by REST, what follows by socket, what came before when the reader scrolls up.
 * Positions decide: whatever has one that is held already is dropped, so that a line is shown once however often and
 * in whatever order it arrives.
 */
export class EventLog implements Reader {
  private events: Event[] = [];
  private held = new Set<number>();
  private rows = new Rows();
  private items = new Map<string, Item>();
  private orders = new Map<string, number>();
  private moreBefore = false;
  private loaded = false;
  private loadingOlder = false;
  private readonly watchers = new Set<() => void>();
  private state: LogState | null = null;
  private due = false;

  constructor(
    private readonly page: Page,
    /** When watchers are told: once a frame, however many events came in it. */
    private readonly soon: (run: () => void) => void = (run) => requestAnimationFrame(run),
    private readonly now: () => number = Date.now,
  ) {}

  subscribe = (changed: () => void): (() => void) => {
    this.watchers.add(changed);
    return () => this.watchers.delete(changed);
  };

  get = (): LogState =>
    (this.state ??= {
      rows: this.rows.all(),
      items: [...this.items.values()],
      first: this.events[0]?.position ?? 0,
      last: this.cursor(),
      moreBefore: this.moreBefore,
      loaded: this.loaded,
      loadingOlder: this.loadingOlder,
      size: this.events.length,
    });

  cursor = (): number => this.events.at(-1)?.position ?? 0;

  /** Reads the end of the journal. Rejects with `ProblemError`. */
  async load(): Promise<void> {
    const { events, more_before } = await this.page({ limit: PAGE });
    this.moreBefore = more_before;
    this.loaded = true;
    this.take(events);
    this.changed();
  }

  async loadOlder(): Promise<void> {
    if (this.loadingOlder || !this.moreBefore) return;
    this.loadingOlder = true;
    this.changed();
    try {
      const before = this.events[0]?.position;
      const { events, more_before } = await this.page(before ? { before, limit: PAGE } : { limit: PAGE });
      this.moreBefore = more_before;
      this.take(events);
    } finally {
      this.loadingOlder = false;
      this.changed();
    }
  }

  frame(frame: TaskFrame): void {
    switch (frame.type) {
      case "durable":
        this.take([frame.event]);
        break;
      case "item_started":
        this.begin(frame.item_id, frame.attempt);
        break;
      case "delta":
        this.grow(frame.item_id, frame.attempt, frame.order, frame.kind, frame.content);
        break;
      case "item_aborted": {
        const item = this.items.get(frame.item_id);
        if (!item || item.attempt > frame.attempt) return;
        if (item.text || item.reasoning) this.items.set(item.id, { ...item, aborted: frame.reason || "interrupted" });
        else this.items.delete(item.id);
        break;
      }
      case "sync":
        return;
    }
    this.changed();
  }

  /**
   * What was in flight stays readable. After the reconnect it is said again, has become an event meanwhile, or was cut
   * off for good.
   */
  lost(): void {
    if (!this.items.size) return;
    for (const item of this.items.values()) {
      if (!item.text && !item.reasoning) this.items.delete(item.id);
      else if (item.aborted === null) this.items.set(item.id, { ...item, aborted: "the connection was lost" });
    }
    this.orders.clear();
    this.changed();
  }

  private begin(id: string, attempt: number): void {
    const old = this.items.get(id);
    if (old && old.attempt > attempt) return;
    for (const item of this.items.values()) if (item.aborted !== null) this.items.delete(item.id);
    this.items.set(id, {
      id,
      attempt,
      text: "",
      reasoning: "",
      startedAt: this.now(),
      after: this.cursor(),
      aborted: null,
    });
    this.orders.delete(`${id} text`);
    this.orders.delete(`${id} reasoning`);
  }

  private grow(id: string, attempt: number, order: number, kind: DeltaKind, content: string): void {
    let item = this.items.get(id);
    if (item && item.attempt > attempt) return;
    if (!item || item.attempt < attempt || item.aborted !== null) {
      this.begin(id, attempt);
      item = this.items.get(id);
    }
    const key = `${id} ${kind}`;
    if (!item || order <= (this.orders.get(key) ?? -1)) return;
    this.orders.set(key, order);
    this.items.set(id, { ...item, [kind]: item[kind] + content });
  }

  private take(arrived: readonly Event[]): void {
    const fresh = arrived.filter(({ position }) => !this.held.has(position)).sort((a, b) => a.position - b.position);
    if (!fresh.length) return;
    for (const event of fresh) {
      this.held.add(event.position);
      this.items.delete(event.id);
      if (event.kind === "UserMessage" || event.source === "agent") {
        for (const item of this.items.values()) if (item.aborted !== null) this.items.delete(item.id);
      }
    }
    const first = fresh[0];
    if (first && first.position > this.cursor()) {
      this.events = this.events.concat(fresh);
      this.rows.add(fresh);
    } else {
      this.events = this.events.concat(fresh).sort((a, b) => a.position - b.position);
      this.rows = Rows.of(this.events);
    }
  }

  private changed(): void {
    if (this.due) return;
    this.due = true;
    this.soon(() => {
      this.due = false;
      this.state = null;
      this.watchers.forEach((watcher) => watcher());
    });
  }
}
