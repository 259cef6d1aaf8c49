/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment -- what a test sends is free-form */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import type { Event, ModelProfile, Provider, RuntimeStatus, Settings, Task, Workspace } from "../src/api/types";
import { ending, long, PLAN, Script, story } from "./events.ts";

/** Stands in for the backend while the page is developed and in its browser tests. Keeps everything in memory. */
export class Backend {
  private readonly sockets = new Map<WebSocket, Map<string, number>>();
  private readonly scripts = new Map<string, Script>();
  readonly tasks = new Map<string, Task>();
  private readonly workspaces = new Map<string, Workspace>();
  private sequence = 0;
  settings: Settings = {
    theme: "system",
    default_mode: "ask_risky",
    default_budget_usd: 2,
    default_model_id: null,
    workspace_base: "/home/ada/code",
    onboarded: true,
    follow_agent: true,
    git_scratch: "ask",
    warnings: [],
  };
  profiles: ModelProfile[] = [
    {
      id: "m1",
      name: "gpt-5.5",
      provider: "openai",
      protocol: "openai",
      base_url: "https://api.openai.com/v1",
      model: "gpt-5.5",
      temperature: null,
      max_tokens: null,
      has_key: true,
      price_in: 1.25,
      price_out: 10,
      context_window: 400_000,
      is_default: true,
    },
  ];
  /** Every request, for tests to look at: `POST /api/…`. */
  readonly calls: { line: string; body: unknown }[] = [];

  constructor() {
    const make = (id: string, name: string, part: Partial<Workspace>, status: Partial<RuntimeStatus> = {}) =>
      this.workspaces.set(id, {
        id,
        name,
        path: `/home/ada/code/${name}`,
        runtime: "local",
        trust: "trusted",
        is_git: true,
        git_decision: null,
        exists: true,
        created_at: "2026-01-01T00:00:00Z",
        last_opened_at: id === "shop" ? "2026-11-23T00:00:00Z" : "2026-01-01T00:00:00Z",
        status: { ...ready, ...status },
        ...part,
      });
    make("shop", "shop-api", {});
    make("untrusted", "cloned-thing", { trust: "undecided" });
    make("plain", "notes", { is_git: false, git_decision: "undecided" });
    make("gone", "old-thing", { exists: false }, { ...off });
    make("starting", "big-repo", {}, starting());
    make("noeditor", "no-editor", {}, editorFailed);

    const turn = new Date(Date.now() - 42_000).toISOString();
    this.task(
      "running",
      "Add pagination to the orders API",
      { state: "running", activity: "Running pytest -q tests/orders", turn_started_at: turn, plan },
      (s) => {
        story(s);
        s.act("terminal", { kind: "TerminalAction", command: "pytest -q tests/orders" });
      },
    );
    this.task("approval", "Push the branch", { state: "waiting", plan, turn_started_at: turn, pending: [] }, (s) => {
      story(s);
      s.run("git checkout -b orders-cursor && git commit -qam 'Page orders by cursor'", "", 0, 0.2);
      s.act(
        "terminal",
        { kind: "TerminalAction", command: "git push -u origin orders-cursor" },
        "The branch is ready. I push it so that it can be reviewed.",
        { security_risk: "HIGH", summary: "Push branch orders-cursor to origin" },
      );
    });
    const asking = this.tasks.get("approval");
    const question = this.scripts.get("approval")?.events.at(-1);
    if (asking && question) {
      asking.pending = [
        {
          id: question.id,
          tool: "terminal",
          summary: "Push branch orders-cursor to origin",
          arguments: { command: "git push -u origin orders-cursor" },
          risk: "high",
          reason: "It leaves this machine, and pushing is not allowed in this project yet.",
          position: question.position,
        },
      ];
    }
    this.task(
      "finished",
      "Add pagination to the orders API",
      { state: "finished", plan: plan.map((s) => ({ ...s, status: "done" as const })) },
      (s) => ending(story(s)),
    );
    this.task("failed", "Port the invoices job to the new queue", { state: "failed", problem: unreachable }, (s) => {
      s.you("Port the invoices job to the new queue.");
      s.read("jobs/invoices.py", "     1\timport queue", "I look at how the job is started today.");
      s.add("ConversationErrorEvent", "environment", { code: "LLMError", detail: "…", twinseat_problem: unreachable });
    });
    this.task("starting", "Upgrade to Python 3.13", { state: "starting", workspace_id: "starting", queue: [] }, (s) => {
      s.you("Upgrade to Python 3.13 and run everything.", "queued-1");
      s.events.pop();
    });
    const waiting = this.tasks.get("starting");
    if (waiting) waiting.queue = [{ id: "queued-1", text: "Upgrade to Python 3.13 and run everything.", position: 1 }];
    this.task("gone", "Clean up the old thing", { state: "finished", workspace_id: "gone" }, (s) => ending(story(s)));
    this.task("paused", "Rename the customer fields", { state: "paused" }, (s) => {
      s.you("Rename the customer fields to match the new schema.");
      s.run("rg -l customer_name", "app/models.py\napp/api.py", 0, 0.1, "I list where they are used.");
      s.add("InterruptEvent", "user", {});
    });
    this.task("mixed", "A bit of everything", { state: "idle" }, everything);
    this.task("long", "Tidy the whole repository", { state: "running", turn_started_at: turn }, (s) => long(s, 10_000));
    this.task("quiet", "Explain the cursor", { state: "finished" }, (s) => {
      s.you("How does the cursor work?");
      s.wait(4);
      s.says(
        "It is the last id, base64-encoded.",
        "The user asks about the cursor. It is in orders/cursor.py, which I wrote before.",
      );
    });
  }

  private task(id: string, title: string, part: Partial<Task>, write: (script: Script) => void): Task {
    const script = new Script(id, "/home/ada/code/shop-api");
    write(script);
    this.scripts.set(id, script);
    const at = new Date(Date.now() - this.tasks.size * 3_000_000).toISOString();
    const task: Task = {
      id,
      workspace_id: "shop",
      title,
      state: "idle",
      problem: null,
      activity: null,
      mode: "ask_risky",
      model_id: "m1",
      model_name: "gpt-5.5",
      budget_usd: 2,
      usage: {
        prompt_tokens: script.events.length ? 38_200 : 0,
        completion_tokens: script.events.length ? 2_900 : 0,
        cached_tokens: 21_000,
        reasoning_tokens: 0,
        cost_usd: script.events.length ? 0.08 : 0,
        estimated: false,
        priced: true,
        requests: 14,
      },
      pending: [],
      plan: [],
      queue: [],
      position: script.events.length,
      turn_started_at: null,
      created_at: at,
      updated_at: at,
      ...part,
    };
    this.tasks.set(id, task);
    return task;
  }

  attach(server: Server): void {
    const wss = new WebSocketServer({ noServer: true, handleProtocols: () => "twinseat.v1" });
    server.on("upgrade", (request, socket, head) => {
      if (!request.url?.startsWith("/ws/agent")) return;
      wss.handleUpgrade(request, socket, head, (ws) => this.greet(ws));
    });
  }

  private greet(ws: WebSocket): void {
    const cursors = new Map<string, number>();
    this.sockets.set(ws, cursors);
    ws.on("close", () => this.sockets.delete(ws));
    ws.on("message", (raw: Buffer) => {
      const frame = JSON.parse(raw.toString()) as { type: string; task: string; after: number | null };
      if (frame.type === "ping") ws.send('{"type":"pong"}');
      if (frame.type === "unsubscribe") cursors.delete(frame.task);
      if (frame.type !== "subscribe") return;
      const events = this.scripts.get(frame.task)?.events ?? [];
      const after = frame.after ?? events.length;
      cursors.set(frame.task, after);
      ws.send(JSON.stringify({ type: "sync", task: frame.task, after, through: events.length }));
      for (const event of events.slice(after)) ws.send(durable(event));
    });
  }

  private publish(task: string, text: string): void {
    for (const [ws, cursors] of this.sockets) if (cursors.has(task)) ws.send(text);
  }

  private tell(frame: object): void {
    for (const ws of this.sockets.keys()) ws.send(JSON.stringify(frame));
  }

  private change(id: string, part: Partial<Task>): Task {
    const task = this.tasks.get(id);
    if (!task) throw new Error(id);
    Object.assign(task, part, {
      position: this.scripts.get(id)?.events.length ?? 0,
      updated_at: new Date(Date.now() + this.sequence++).toISOString(),
    });
    this.tell({ type: "status", task: id, state: task });
    return task;
  }

  private extend(id: string, write: (script: Script) => void): void {
    const script = this.scripts.get(id);
    if (!script) return;
    const before = script.events.length;
    write(script);
    for (const event of script.events.slice(before)) this.publish(id, durable(event));
  }

  /** Streams an answer as the agent-server does, then commits it. */
  private answer(id: string, text: string, every = 15): void {
    const item = `${id}-item-${++this.sequence}`;
    this.change(id, { state: "running", activity: null, turn_started_at: new Date().toISOString(), queue: [] });
    this.publish(id, JSON.stringify({ type: "item_started", task: id, item_id: item, attempt: 1 }));
    const words = text.match(/\s*\S+/g) ?? [];
    const send = (order: number) => {
      if (this.tasks.get(id)?.state !== "running") return;
      const content = words[order];
      if (content === undefined) {
        this.extend(id, (script) => script.wait(1).says(text, undefined, item));
        this.change(id, { state: "finished" });
        return;
      }
      this.publish(
        id,
        JSON.stringify({ type: "delta", task: id, item_id: item, attempt: 1, order, kind: "text", content }),
      );
      setTimeout(() => send(order + 1), every);
    };
    setTimeout(() => send(0), 200);
  }

  handle = async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (!url.pathname.startsWith("/api/") && !url.pathname.startsWith("/dev/")) return false;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks).toString();
    const body = (raw ? JSON.parse(raw) : {}) as Record<string, any>;
    this.calls.push({ line: `${request.method} ${url.pathname}`, body });
    const found = this.route(request.method ?? "GET", url, body);
    if (typeof found === "string") {
      response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" }).end(found);
      return true;
    }
    const status = found === undefined ? 404 : 200;
    response.writeHead(status, { "Content-Type": status === 200 ? "application/json" : "application/problem+json" });
    response.end(
      JSON.stringify(
        found ?? {
          type: "about:blank",
          title: "Not found",
          status,
          detail: `There is no ${url.pathname}.`,
          remedy: null,
          code: "not-found",
          errors: null,
        },
      ),
    );
    return true;
  };

  private route(method: string, url: URL, body: Record<string, any>): unknown {
    const [, , what = "", id = "", verb = "", extra = "", last = ""] = url.pathname.split("/");
    const query = url.searchParams;
    if (url.pathname.startsWith("/dev/")) return this.control(what, id, body);
    if (what === "session") return { token: "fixture", expires_at: "2030-01-01T00:00:00Z" };
    if (what === "settings") {
      if (method === "PATCH") {
        Object.assign(this.settings, body);
        this.tell({ type: "status", settings: this.settings });
      }
      return this.settings;
    }
    if (what === "models" && !id) return { profiles: this.profiles };
    if (what === "models" && id === "providers") return providers;
    if (what === "secrets") return { secrets: [], store: "the system keyring", warning: null };
    if (what === "workspaces") {
      const one = this.workspaces.get(id);
      if (!id) return [...this.workspaces.values()];
      if (!one) return undefined;
      switch (verb) {
        case "status":
          return one.status;
        case "files":
          return listing(query.get("path") ?? "");
        case "changes":
          return one.exists ? changes : { files: [], added: 0, removed: 0 };
        case "file":
          return "new\n";
        case "diff":
          return "@@ -1 +1 @@\n-old\n+new\n";
        case "trust":
          one.trust = body.trusted ? "trusted" : "restricted";
          return one;
        case "git":
          one.git_decision = body.init ? "init" : "scratch";
          one.is_git = one.is_git || Boolean(body.init);
          return one;
        case "editor":
          return {};
        default:
          return one;
      }
    }
    if (what !== "tasks") return undefined;
    if (!id && method === "POST") {
      const made = this.task(
        `new-${++this.sequence}`,
        String((body.message as { text?: string } | undefined)?.text ?? "New task").slice(0, 80),
        { workspace_id: body.workspace_id },
        () => undefined,
      );
      const message = body.message as { id: string; text: string } | undefined;
      if (message) {
        this.extend(made.id, (script) => script.you(message.text, message.id));
        this.answer(
          made.id,
          "I start with a look at the project. Then I will tell you what I found, before anything is changed.",
        );
      }
      return made;
    }
    if (!id) {
      const q = (query.get("q") ?? "").toLowerCase();
      const all = [...this.tasks.values()].filter(
        (task) =>
          task.title.toLowerCase().includes(q) &&
          (!query.get("workspace") || task.workspace_id === query.get("workspace")),
      );
      return { tasks: all, more: false };
    }
    const task = this.tasks.get(id);
    if (!task) return undefined;
    if (!verb && method === "PATCH") return this.change(id, body);
    if (!verb && method === "DELETE") return (this.tasks.delete(id), {});
    switch (verb) {
      case "":
        return task;
      case "events":
        return this.page(id, query);
      case "messages": {
        const { text, id: messageId } = body as { text: string; id: string };
        if (task.state === "running") {
          this.extend(id, (script) =>
            script.add("UserMessage", "user", { text, attachments: [], images: [] }, messageId),
          );
          this.change(id, { queue: [...task.queue, { id: messageId, text, position: task.position + 1 }] });
        } else {
          this.extend(id, (script) => script.wait(1).you(text, messageId));
          this.answer(id, text.startsWith("long") ? words(400) : "Done: the cursor is documented in `docs/api.md`.");
        }
        return this.scripts.get(id)?.events.at(-1);
      }
      case "actions": {
        const approved = last === "approve";
        this.extend(id, (script) => {
          const action = script.events.find((event) => event.id === extra);
          script.wait(2).add("Approval", "twinseat", {
            action_id: extra,
            decision: approved ? "approved" : "rejected",
            reason: (body as { reason?: string }).reason ?? "",
          });
          script.wait(1);
          if (!action) return;
          if (approved)
            script.sees(
              action,
              { kind: "TerminalObservation", exit_code: 0, metadata: { exit_code: 0 } },
              "To origin\n * [new branch] orders-cursor -> orders-cursor",
            );
          else
            script.add("UserRejectObservation", "environment", {
              tool_name: "terminal",
              tool_call_id: action.data.tool_call_id,
              action_id: extra,
              rejection_reason: (body as { reason?: string }).reason ?? "",
            });
        });
        return this.change(id, { pending: [], state: "finished" });
      }
      case "interrupt":
      case "pause":
        this.extend(id, (script) => script.add("InterruptEvent", "user", {}));
        return this.change(id, { state: "paused" });
      case "resume":
        this.answer(id, "I go on where I was.");
        return task;
      default:
        return undefined;
    }
  }

  /** What tests ask of the fixture itself. */
  private control(what: string, id: string, body: Record<string, any>): unknown {
    if (what === "drop") for (const ws of this.sockets.keys()) ws.terminate();
    if (what === "append") {
      const { count = 1 } = body as { count?: number };
      this.extend(id, (script) => {
        for (let n = 0; n < count; n++) script.wait(1).run(`echo ${script.events.length}`, String(n), 0, 0.1);
      });
      this.change(id, {});
    }
    if (what === "answer")
      this.answer(id, words((body as { count?: number }).count ?? 200), (body as { every?: number }).every ?? 10);
    if (what === "settings") Object.assign(this.settings, body);
    if (what === "models") this.profiles = (body as { profiles: ModelProfile[] }).profiles;
    if (what === "task") return this.change(id, body);
    return { calls: what === "calls" ? this.calls : [] };
  }

  private page(id: string, query: URLSearchParams): unknown {
    const all = this.scripts.get(id)?.events ?? [];
    const limit = Number(query.get("limit") ?? 200);
    const before = query.get("before");
    const after = query.get("after");
    const end = before ? Number(before) - 1 : after ? Math.min(all.length, Number(after) + limit) : all.length;
    const start = after ? Number(after) : Math.max(0, end - limit);
    return { events: all.slice(start, end), more_before: start > 0, more_after: end < all.length };
  }
}

const durable = (event: Event): string =>
  JSON.stringify({ type: "durable", task: event.task_id, position: event.position, event });

const words = (count: number): string =>
  Array.from({ length: count }, (_, n) =>
    n % 60 === 59 ? `word${n}.\n\n` : n % 11 === 0 ? `\`code_${n}\`` : `word${n}`,
  ).join(" ");

const plan = PLAN.map(([title, status]) => ({ title, notes: null, status }));

const ready: RuntimeStatus = {
  state: "ready",
  place: "Local, not contained",
  contained: false,
  phases: [],
  agent: { state: "ready", problem: null, log_tail: "" },
  editor: { state: "ready", problem: null, log_tail: "" },
  editor_url: "about:blank",
  restarts: 0,
};

const off: Partial<RuntimeStatus> = {
  state: "off",
  agent: { state: "off", problem: null, log_tail: "" },
  editor: { state: "off", problem: null, log_tail: "" },
  editor_url: null,
};

const starting = (): Partial<RuntimeStatus> => ({
  state: "starting",
  agent: { state: "starting", problem: null, log_tail: "" },
  editor: { state: "starting", problem: null, log_tail: "" },
  editor_url: null,
  phases: [
    { name: "Making a place for it", started_at: new Date(Date.now() - 9000).toISOString(), took: 0.3, detail: null },
    { name: "Starting the editor", started_at: new Date(Date.now() - 8700).toISOString(), took: 1.9, detail: null },
    {
      name: "Starting the agent",
      started_at: new Date(Date.now() - 8000).toISOString(),
      took: null,
      detail: "The first start compiles its code and takes about 20 s.",
    },
  ],
});

const problem = (title: string, detail: string, remedy: string, code: string) => ({
  type: "about:blank",
  title,
  status: 502,
  detail,
  remedy,
  code,
  errors: null,
});

const unreachable = problem(
  "Can't reach the model",
  "The name api.example.com does not resolve.",
  "Check the address in Settings, or your network.",
  "model-unreachable",
);

const editorFailed: Partial<RuntimeStatus> = {
  editor: {
    state: "failed",
    problem: problem(
      "The editor did not start",
      "code-server ended with exit code 1 before it was ready.",
      "Start it again; the chat works without it.",
      "editor-failed",
    ),
    log_tail: "[12:00:01] error EADDRINUSE: address already in use",
  },
  editor_url: null,
};

const changes = {
  files: [
    { path: "orders/api.py", change: "modified", added: 12, removed: 4 },
    { path: "orders/cursor.py", change: "added", added: 6, removed: 0 },
    { path: "tests/orders/test_cursor.py", change: "added", added: 46, removed: 5 },
  ],
  added: 64,
  removed: 9,
};

function listing(path: string): unknown {
  const entry = (name: string, kind: string) => ({
    name,
    path: path ? `${path}/${name}` : name,
    kind,
    size: kind === "file" ? 812 : null,
  });
  if (path) return [entry("__init__.py", "file"), entry("api.py", "file"), entry("cursor.py", "file")];
  return [
    entry("orders", "folder"),
    entry("tests", "folder"),
    entry("docs", "folder"),
    entry("pyproject.toml", "file"),
    entry("README.md", "file"),
    entry(".gitignore", "file"),
  ];
}

const providers: Provider[] = [
  {
    id: "example",
    name: "Example",
    protocol: "openai",
    base_url: "https://models.example.com/v1",
    needs_key: true,
    key_hint: "ex-…",
    key_url: null,
    local: false,
    suggested_models: ["model-a", "model-b", "model-c"],
    found: null,
  },
];

function everything(s: Script): void {
  s.you("Show me every kind of line.");
  s.add("Notice", "twinseat", {
    level: "warning",
    text: "A setting was ignored",
    detail: "NGINX_PORT has no meaning here.",
    remedy: "Use APP_PORT.",
  });
  const think = s.act("think", {
    kind: "ThinkAction",
    thought: "If the cursor is the last id, deletes do not shift pages.",
  });
  s.sees(think, { kind: "ThinkObservation" });
  s.run(
    "npm run build",
    "\u001b[36mvite v8\u001b[0m building\n\u001b[33mwarning\u001b[0m: 1 chunk is large\n\u001b[1;32m✓\u001b[0m built in 1.2s",
    0,
    12,
  );
  const options = Array.from({ length: 40 }, (_, index) => `option_${index + 1} = ${index + 1}`);
  s.read(
    "src/settings.py",
    `Here's the result of running \`cat -n\` on src/settings.py:\n${options.map((line, at) => `${String(at + 1).padStart(6)}\t${line}`).join("\n")}\n`,
  );
  const fetch = s.act("fetch_page", { kind: "MCPToolAction", url: "https://example.com/spec", depth: 2 });
  s.wait(1).sees(fetch, { kind: "MCPToolObservation" }, "<h1>Spec</h1>");
  const wrong = s.act("file_editor", {
    kind: "FileEditorAction",
    command: "str_replace",
    path: "/home/ada/code/shop-api/orders/api.py",
    old_str: "a",
    new_str: "b",
  });
  s.sees(
    wrong,
    { kind: "FileEditorObservation", command: "str_replace", is_error: true },
    "No replacement was performed: `a` occurs 14 times. Make it unique.",
  );
  s.add("ModeChange", "twinseat", { mode: "ask_all" });
  s.add("BudgetStop", "twinseat", {
    problem: problem("The budget is used up", "It cost $2.01 of $2.00.", "Raise it and continue.", "over-budget"),
  });
  s.add("Condensation", "environment", { summary: "The user wants every kind of line.", forgotten_event_ids: [] });
  s.add("HookExecutionEvent", "environment", { hook: "post-edit", exit_code: 0 });
  s.add("ConversationErrorEvent", "environment", {
    code: "LLMTimeout",
    detail: "The model did not answer within 300 s.",
  });
  s.says(
    "```python\ndef encode(id: int) -> str:\n    return base64.urlsafe_b64encode(str(id).encode()).decode()\n```\n\n> A quote.\n\n1. One\n2. Two\n\nSee [the docs](https://example.com) and `orders/api.py:12`.",
    "First I look.\nThen I think about it for a while.",
  );
}
