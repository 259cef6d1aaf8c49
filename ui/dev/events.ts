import type { Event } from "../src/api/types";

/** Builds events in the agent-server's shapes, for the fixture only. */
export class Script {
  readonly events: Event[] = [];
  readonly task: string;
  readonly root: string;
  private calls = 0;
  private clock: number;

  constructor(task: string, root: string, start = Date.now() - 600_000) {
    this.task = task;
    this.root = root;
    this.clock = start;
  }

  get now(): number {
    return this.clock;
  }

  wait(seconds: number): this {
    this.clock += seconds * 1000;
    return this;
  }

  add(kind: string, source: Event["source"], data: Record<string, unknown>, id?: string): Event {
    const position = this.events.length + 1;
    const event: Event = {
      position,
      id: id ?? `${this.task}-${position}`,
      task_id: this.task,
      conversation_id: source === "twinseat" ? null : `${this.task}-c`,
      seq: source === "twinseat" ? null : position,
      kind,
      source,
      at: new Date(this.clock).toISOString(),
      data,
    };
    this.events.push(event);
    return event;
  }

  you(text: string, id?: string): Event {
    const event = this.add("UserMessage", "user", { text, attachments: [], images: [] }, id);
    this.add("MessageEvent", "user", {
      llm_message: { role: "user", content: [{ type: "text", text }] },
      twinseat_message: event.id,
    });
    return event;
  }

  says(text: string, reasoning?: string, id?: string): Event {
    return this.add(
      "MessageEvent",
      "agent",
      { llm_message: { role: "assistant", content: [{ type: "text", text }], reasoning_content: reasoning ?? null } },
      id,
    );
  }

  act(tool: string, action: Record<string, unknown>, thought = "", extra: Record<string, unknown> = {}): Event {
    return this.add("ActionEvent", "agent", {
      thought: thought ? [{ type: "text", text: thought }] : [],
      reasoning_content: null,
      action,
      tool_name: tool,
      tool_call_id: `call-${++this.calls}`,
      security_risk: "UNKNOWN",
      summary: null,
      ...extra,
    });
  }

  sees(action: Event, observation: Record<string, unknown>, text = ""): Event {
    return this.add("ObservationEvent", "environment", {
      tool_name: action.data.tool_name,
      tool_call_id: action.data.tool_call_id,
      action_id: action.id,
      observation: { content: [{ type: "text", text }], is_error: false, ...observation },
    });
  }

  run(command: string, output: string, code = 0, seconds = 1, thought = ""): void {
    const action = this.act(
      "terminal",
      { kind: "TerminalAction", command, is_input: false, timeout: null, reset: false },
      thought,
    );
    this.wait(seconds);
    this.sees(
      action,
      {
        kind: "TerminalObservation",
        command,
        exit_code: code,
        timeout: false,
        metadata: { exit_code: code, working_dir: this.root },
      },
      output,
    );
  }

  read(path: string, output: string, thought = ""): void {
    const action = this.act(
      "file_editor",
      { kind: "FileEditorAction", command: "view", path: `${this.root}/${path}` },
      thought,
    );
    this.wait(0.2);
    this.sees(action, { kind: "FileEditorObservation", command: "view", path: `${this.root}/${path}` }, output);
  }

  edit(path: string, before: string, after: string, thought = ""): void {
    const created = before === "";
    const action = this.act(
      "file_editor",
      created
        ? { kind: "FileEditorAction", command: "create", path: `${this.root}/${path}`, file_text: after }
        : {
            kind: "FileEditorAction",
            command: "str_replace",
            path: `${this.root}/${path}`,
            old_str: before,
            new_str: after,
          },
      thought,
    );
    this.wait(0.3);
    this.sees(action, {
      kind: "FileEditorObservation",
      command: created ? "create" : "str_replace",
      path: `${this.root}/${path}`,
      prev_exist: !created,
      old_content: created ? null : before,
      new_content: after,
    });
  }

  plan(steps: [string, "todo" | "in_progress" | "done"][]): void {
    const list = steps.map(([title, status]) => ({ title, notes: "", status }));
    const action = this.act("task_tracker", { kind: "TaskTrackerAction", command: "plan", task_list: list });
    this.sees(action, { kind: "TaskTrackerObservation", command: "plan", task_list: list });
  }

  finish(message: string): void {
    const action = this.act("finish", { kind: "FinishAction", message });
    this.sees(action, { kind: "FinishObservation" });
  }
}

const API_BEFORE = `from fastapi import APIRouter

router = APIRouter()


@router.get("/orders")
def list_orders(
    page: int = 1,
    limit: int = 50,
) -> list[Order]:
    start = (page - 1) * limit
    return repository.slice(start, limit)


def get_order(id: int) -> Order:
    return repository.get(id)
`;
const API_AFTER = `from fastapi import APIRouter

from orders.cursor import decode, encode

router = APIRouter()


@router.get("/orders")
def list_orders(
    page: int | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Order]:
    if cursor is not None:
        after = decode(cursor)
        rows = repository.after(after, limit + 1)
    else:
        start = ((page or 1) - 1) * limit
        rows = repository.slice(start, limit + 1)
    return Page(items=rows, next=encode(rows[-1].id) if len(rows) > limit else None)


def get_order(id: int) -> Order:
    return repository.get(id)
`;
const RED = "\u001b[31m";
const GREEN = "\u001b[32m";
const BOLD = "\u001b[1m";
const OFF = "\u001b[0m";

export const PLAN: [string, "todo" | "in_progress" | "done"][] = [
  ["Read how orders are listed", "done"],
  ["Add the cursor", "done"],
  ["Tests for both ways of paging", "in_progress"],
  ["Document the parameter", "todo"],
];

/** The story of the mockup: cursor pagination, one failing test, its repair. */
export function story(script: Script): Script {
  script.you("Add cursor pagination to GET /orders, keep the old page parameter working, and cover it with tests.");
  script.add("RuntimePhase", "twinseat", { phase: "starting" });
  script.wait(6.4);
  script.add("RuntimePhase", "twinseat", { phase: "ready", status: "idle" });
  script.wait(3);
  script.read(
    "orders/api.py",
    `Here's the result of running \`cat -n\` on orders/api.py:\n${API_BEFORE}`,
    "I'll add an opaque cursor next to the existing parameter, so current clients don't notice. First, how orders are read today.",
  );
  for (const path of ["orders/models.py", "orders/repository.py", "tests/orders/test_api.py"])
    script.read(path, "     1\t…");
  const grep = script.act("grep", { kind: "GrepAction", pattern: "list_orders", path: script.root });
  script.wait(0.1);
  script.sees(grep, { kind: "GrepObservation" }, "orders/api.py\ntests/orders/test_api.py");
  script.wait(1);
  script.plan(PLAN);
  script.edit(
    "orders/cursor.py",
    "",
    'import base64\n\n\ndef encode(id: int) -> str:\n    """Opaque on purpose: clients must not build one."""\n    return base64.urlsafe_b64encode(str(id).encode()).decode()\n',
  );
  script.edit("orders/api.py", API_BEFORE, API_AFTER);
  script.wait(1);
  script.run(
    "pytest -q tests/orders",
    `..F.........\n=================================== FAILURES ===================================\n${RED}${BOLD}____________________________ test_cursor_next_page _____________________________${OFF}\n\n    def test_cursor_next_page(client):\n        page = client.get("/orders?limit=50").json()\n>       assert len(page["items"]) == 50\n${RED}E       assert 51 == 50${OFF}\n\ntests/orders/test_cursor.py:44: AssertionError\n${RED}1 failed${OFF}, ${GREEN}11 passed${OFF} in 2.06s`,
    1,
    2.1,
  );
  script.wait(1);
  script.edit(
    "orders/api.py",
    API_AFTER,
    API_AFTER.replace("items=rows,", "items=rows[:limit],"),
    "The look-ahead row that tells whether there is a next page was returned too. I'll drop it before serialising.",
  );
  return script;
}

export function ending(script: Script): Script {
  script.run("pytest -q tests/orders", `${GREEN}............${OFF}\n${GREEN}12 passed${OFF} in 1.98s`, 0, 2.2);
  script.wait(1);
  script.finish(
    "`GET /orders` now pages by an opaque `cursor`; the old `page` parameter works as before.\n\n- **API**: `orders/api.py` takes `cursor` and answers with `next`, which is absent on the last page.\n- **Cursor**: `orders/cursor.py` encodes the last id. It is opaque, so it can change later.\n- **Tests**: 4 new ones in `tests/orders/test_cursor.py`, for both ways of paging.\n\n| | before | after |\n|---|---|---|\n| page 1,000 | 84 ms | 3 ms |\n\nOne thing to decide: `page` still scans. Deprecate it in the next version?",
  );
  return script;
}

/** `count` events of every kind in turn. */
export function long(script: Script, count: number): Script {
  script.you("Walk through the whole repository and tidy it up, one small step after the other.");
  let turn = 0;
  while (script.events.length < count) {
    turn++;
    script.wait(1);
    if (turn % 9 === 0)
      script.edit(`src/module_${turn}.py`, `value = ${turn}\n`, `value = ${turn + 1}\nother = ${turn}\n`);
    else if (turn % 5 === 0) script.run(`ruff check src/module_${turn}.py`, "All checks passed!", 0, 0.4);
    else if (turn % 31 === 0) script.run(`pytest tests/test_${turn}.py`, "1 failed, 3 passed in 0.2s", 1, 0.4);
    else if (turn % 7 === 0)
      script.run(
        `git diff --stat HEAD~${turn}`,
        ` src/module_${turn}.py | 2 +-`,
        0,
        0.1,
        `Step ${turn}. The next module looks alike, so the same change applies there; I check that nothing else reads the old name before I go on.`,
      );
    else script.read(`src/module_${turn}.py`, `     1\tvalue = ${turn}`);
  }
  script.events.length = count;
  return script;
}
