import { cell } from "@/app/cell";
import { isTaskFrame, parseFrame, type Frame, type TaskFrame } from "./frames";

export type Link = "connecting" | "open" | "offline";

/** The part of WebSocket that is used, so that tests can drive the connection through a socket of their own. */
export interface Wire {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send: (text: string) => void;
  close: () => void;
}

/** Who reads a task. `cursor` is the last position it has; what follows it is asked for after every reconnect. */
export interface Reader {
  cursor: () => number;
  frame: (frame: TaskFrame) => void;
  /** The socket was lost: whatever was in flight is unknown until the server says it again. */
  lost: () => void;
}

const FIRST_WAIT = 250;
const LONGEST_WAIT = 8_000;
const PING_EVERY = 20_000;

/**
 * The one socket of the page. It reconnects with back-off for as long as the page lives, and subscribes every task
 * again from its reader's cursor; since the server sends what is after the cursor and readers ignore positions they
 * have, no line is lost and none doubled.
 */
export class Connection {
  readonly link = cell<Link>("connecting");
  private wire: Wire | null = null;
  private readonly readers = new Map<string, Reader>();
  private readonly listeners = new Set<(frame: Frame) => void>();
  private wait = FIRST_WAIT;
  private retry: ReturnType<typeof setTimeout> | null = null;
  private ping: ReturnType<typeof setInterval> | null = null;
  private heard = 0;
  private stopped = false;

  constructor(
    private readonly connect: () => Wire,
    private readonly random: () => number = Math.random,
  ) {}

  start(): void {
    this.stopped = false;
    this.open();
  }

  stop(): void {
    this.stopped = true;
    if (this.retry) clearTimeout(this.retry);
    this.retry = null;
    this.drop();
  }

  /** Try at once: the machine woke up, or the network came back. */
  hurry(): void {
    if (this.stopped || this.link.get() === "open") return;
    this.wait = FIRST_WAIT;
    if (this.retry) clearTimeout(this.retry);
    this.retry = null;
    if (!this.wire) this.open();
  }

  /** Frames that belong to no reader: status and errors. */
  listen(listener: (frame: Frame) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** One reader a task. Returns the way to stop. */
  subscribe(task: string, reader: Reader): () => void {
    this.readers.set(task, reader);
    this.ask(task, reader);
    return () => {
      if (this.readers.get(task) !== reader) return;
      this.readers.delete(task);
      if (this.link.get() === "open") this.wire?.send(JSON.stringify({ type: "unsubscribe", task }));
    };
  }

  private ask(task: string, reader: Reader): void {
    if (this.link.get() === "open") {
      this.wire?.send(JSON.stringify({ type: "subscribe", task, after: reader.cursor() }));
    }
  }

  private open(): void {
    if (this.wire || this.stopped) return;
    const wire = this.connect();
    this.wire = wire;
    wire.onopen = () => {
      this.wait = FIRST_WAIT;
      this.heard = Date.now();
      this.link.set("open");
      for (const [task, reader] of this.readers) this.ask(task, reader);
      this.ping = setInterval(() => this.beat(), PING_EVERY);
    };
    wire.onmessage = ({ data }) => {
      this.heard = Date.now();
      const frame = parseFrame(data);
      if (!frame || frame.type === "pong") return;
      if (isTaskFrame(frame)) this.readers.get(frame.task)?.frame(frame);
      else this.listeners.forEach((listener) => listener(frame));
    };
    wire.onclose = () => {
      if (this.wire === wire) this.lost();
    };
  }

  /** A socket can die in silence; one that has answered nothing for two beats is given up. */
  private beat(): void {
    if (Date.now() - this.heard > 2 * PING_EVERY) this.lost();
    else this.wire?.send('{"type":"ping"}');
  }

  private lost(): void {
    const wasOpen = this.link.get() === "open";
    this.drop();
    if (wasOpen) this.readers.forEach((reader) => reader.lost());
    if (this.stopped) return;
    this.link.set("offline");
    const jitter = 0.5 + this.random();
    this.retry = setTimeout(() => {
      this.retry = null;
      this.open();
    }, this.wait * jitter);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  private drop(): void {
    if (this.ping) clearInterval(this.ping);
    this.ping = null;
    const wire = this.wire;
    this.wire = null;
    if (!wire) return;
    wire.onopen = wire.onmessage = wire.onclose = null;
    wire.close();
  }
}

/** A connection to the backend that served the page. */
export function connectTo(token: () => string | null): Connection {
  const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/agent`;
  return new Connection(() => new WebSocket(url, ["twinseat.v1", `bearer.${token() ?? ""}`]) as unknown as Wire);
}
