import { describe, expect, it } from "vitest";
import { ending, long, Script, story } from "../../dev/events.ts";
import type { Event } from "@/api/types";
import { Rows, type Row } from "./rows";
import { lineOf, outcomeOf } from "./step";

const script = () => new Script("t", "/w");
const kinds = (events: Event[]) =>
  Rows.of(events)
    .all()
    .map(({ type }) => type);

function steps(rows: readonly Row[]) {
  return rows.flatMap((row) => (row.type === "step" ? [row.step] : row.type === "fold" ? row.steps : []));
}

describe("rows", () => {
  it("tells the story of a task in lines", () => {
    expect(kinds(ending(story(script())).events)).toEqual([
      "user",
      "mark",
      "said",
      "fold",
      "step",
      "step",
      "step",
      "step",
      "said",
      "step",
      "step",
      "said",
      "turn",
    ]);
  });

  it("comes to the same whether events arrive at once or one by one", () => {
    const { events } = long(script(), 600);
    const gradual = new Rows();
    for (const event of events) gradual.add([event]);
    expect(gradual.all()).toEqual(Rows.of(events).all());
  });

  it("hides the agent's echo of a message and shows the message where the agent took it", () => {
    const s = script();
    s.you("First.", "m1");
    s.run("ls", "a");
    s.add("UserMessage", "user", { text: "And this.", attachments: [], images: [] }, "m2");
    s.run("pwd", "/w");
    s.add("MessageEvent", "user", {
      llm_message: { content: [{ type: "text", text: "And this." }] },
      twinseat_message: "m2",
    });
    const late = s.act("terminal", { command: "true" });
    s.sees(late, { exit_code: 0 });
    const rows = Rows.of(s.events).all();
    expect(rows.map(({ type }) => type)).toEqual(["user", "step", "step", "user", "step"]);
    expect(steps(rows).every(({ state }) => state === "done")).toBe(true);
  });

  it("folds runs of reads and searches, and takes a failing one out", () => {
    const s = script();
    s.you("Look.");
    s.read("a.py", "1");
    s.read("b.py", "2");
    const wrong = s.act("file_editor", { command: "view", path: "/w/c.py" });
    s.sees(wrong, { is_error: true }, "There is no such file.");
    const rows = Rows.of(s.events).all();
    expect(rows.map(({ type }) => type)).toEqual(["user", "fold", "step"]);
    expect(rows.at(-1)).toMatchObject({ step: { state: "failed" } });
  });

  it("says of a command what it came to", () => {
    const s = script();
    s.run("pytest", "1 failed, 11 passed in 2s", 1);
    s.run("pytest", "12 passed in 2s", 0);
    s.run("false", "", 1);
    s.run("true", "", 0);
    s.run("python3 -m unittest", "Ran 7 tests in 0.5s\n\nOK", 0);
    s.run("python3 -m unittest", "Ran 7 tests in 0.5s\n\nFAILED (failures=1, errors=1)", 1);
    s.run("sleep 99", "", -1);
    expect(steps(Rows.of(s.events).all()).map(outcomeOf)).toEqual([
      { words: "1 failed, 11 passed", bad: true },
      { words: "12 passed", bad: false },
      { words: "exit 1", bad: true },
      null,
      { words: "7 passed", bad: false },
      { words: "2 failed", bad: true },
      { words: "still running", bad: false },
    ]);
  });

  it("does not count the time a question was open", () => {
    const s = script();
    const action = s.act("terminal", { command: "git push" });
    s.wait(100);
    s.add("Approval", "twinseat", { action_id: action.id, decision: "approved" });
    s.wait(2);
    s.sees(action, { exit_code: 0 });
    const [step] = steps(Rows.of(s.events).all());
    expect(((step?.endedAt ?? 0) - (step?.startedAt ?? 0)) / 1000).toBe(2);
  });

  it("names paths from the workspace's folder", () => {
    const s = script();
    s.read("app/main.py", "1");
    const [step] = steps(Rows.of(s.events).all());
    expect(step && lineOf(step, "/w")).toEqual({ icon: "eye", verb: "Read", target: "app/main.py" });
  });

  it("renders a kind it does not know, and survives fields of the wrong type", () => {
    const s = script();
    s.add("SomethingNewEvent", "environment", { a: 1 });
    for (const kind of [
      "UserMessage",
      "MessageEvent",
      "ActionEvent",
      "ObservationEvent",
      "Approval",
      "RuntimePhase",
      "BudgetStop",
      "ModeChange",
      "Notice",
      "Condensation",
      "AgentErrorEvent",
    ]) {
      for (const data of [{}, { action: 3, thought: 7, llm_message: "x", observation: [], data: null, text: 9 }])
        s.add(kind, "agent", data);
    }
    expect(() => Rows.of(s.events)).not.toThrow();
    expect(Rows.of(s.events).all()[0]).toMatchObject({ type: "other", kind: "SomethingNewEvent" });
  });
});
