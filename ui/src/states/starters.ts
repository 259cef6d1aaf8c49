import type { FileEntry } from "@/api/types";

export interface Starter {
  icon: string;
  title: string;
  prompt: string;
}

/** Three things worth asking for, from what lies at the top of the project. */
export function starters(files: readonly FileEntry[]): Starter[] {
  const names = new Set(files.map(({ name }) => name.toLowerCase()));
  const has = (...wanted: string[]) => wanted.find((name) => names.has(name));
  const visible = files.filter(({ name }) => !name.startsWith("."));
  if (!visible.length) {
    return [
      {
        icon: "rocket",
        title: "Start a small web API",
        prompt: "Build a small to-do API with tests, and run them.",
      },
      { icon: "terminal", title: "Write a command-line tool", prompt: "Write a command-line tool that " },
      {
        icon: "book",
        title: "Plan first",
        prompt: "Ask me what this project should become, then write a README with a plan.",
      },
    ];
  }
  const tests = has("tests", "test", "spec", "__tests__");
  const manifest = has("pyproject.toml", "package.json", "cargo.toml", "go.mod", "pom.xml", "makefile", "gemfile");
  const readme = [...names].find((name) => name.startsWith("readme"));
  return [
    {
      icon: "book",
      title: "Find your way around",
      prompt: `Explain how this project is laid out and where to start reading${manifest ? `, beginning with ${manifest}` : ""}.`,
    },
    tests
      ? { icon: "beaker", title: "Make the tests pass", prompt: "Run the tests, explain what fails, and fix it." }
      : {
          icon: "beaker",
          title: "Add the first tests",
          prompt: "Find the code that matters most, write tests for it, and run them.",
        },
    readme
      ? {
          icon: "search",
          title: "Look for trouble",
          prompt: "Look for one real bug, show how it fails, and mend it with a test.",
        }
      : {
          icon: "edit",
          title: "Write the README",
          prompt: "Write a short README: what this is, how to run it, how to test it.",
        },
  ];
}
