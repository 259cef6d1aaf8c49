import { expect, test } from "vitest";
import { noteTurn, turnCost } from "./turns";
import type { Task } from "./types";

const task = (turn: string | null, cost: number) =>
  ({ id: "t", turn_started_at: turn, usage: { cost_usd: cost } }) as Task;

test("a turn's share is what was spent since it began", () => {
  noteTurn(task(null, 0), task("one", 0));
  noteTurn(task("one", 0), task("one", 0.25));
  expect(turnCost(task(null, 0.25))).toBeNull();
  noteTurn(task(null, 0.25), task("two", 0.25));
  noteTurn(task("two", 0.25), task("two", 0.5));
  expect(turnCost(task(null, 0.75))).toBe(0.5);
});

test("of a turn that began unseen the share is unknown", () => {
  noteTurn(undefined, task("three", 1));
  expect(turnCost(task(null, 2))).toBeNull();
});
