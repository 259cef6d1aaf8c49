import { diff, type Diff } from "./diff";
import { text } from "./read";
import type { Step } from "./step";

const known = new WeakMap<Step, Diff>();

/** What a step changed in its file: from the file before and after where upstream says them, else from the arguments. */
export function diffOf(step: Step): Diff {
  let made = known.get(step);
  if (!made) {
    const { before, after } = sidesOf(step);
    made = diff(before, after);
    known.set(step, made);
  }
  return made;
}

export function sidesOf(step: Step): { before: string; after: string } {
  const { observation, action } = step;
  if (observation && typeof observation.new_content === "string") {
    return { before: text(observation.old_content), after: observation.new_content };
  }
  if (action.command === "create") return { before: text(observation?.old_content), after: text(action.file_text) };
  return { before: text(action.old_str), after: text(action.new_str) };
}
