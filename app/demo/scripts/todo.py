"""The demo: builds a small to-do API with tests, runs them, reads the failure, fixes the bug, runs them again.

What it does next follows from what the tools said. It knows one bug; when the tests fail in another way it tries once
more and then says honestly that it can't help.
"""

import re

from app.demo.chat import Call, Chat, Result, Turn
from app.demo.scripts.todo_files import APP, BUGGY, BUGGY_INIT, BUGGY_STORE, FIXED, FIXED_INIT, TESTS

INTRO = (
    "Hello. I'm Twinseat's **scripted demo**: no model is thinking here, I follow a script that reacts to what the "
    "tools say. The agent, the editor, the files and the test runs are real.\n\n"
    "I'll build a small to-do API with Python's standard library, and test it."
)
AFTER = (
    "The demo is over, and a script can't do more than it was written for. Add a model in Settings and ask again: "
    "everything else stays the same."
)
PLAN = (
    "Look at the folder",
    "Write the store",
    "Write the HTTP API",
    "Write the tests",
    "Run the tests until they pass",
)
KNOWN_FAILURE = "test_an_id_is_never_used_twice"
RUNS = 3
"""Test runs before it gives up."""


def next_turn(chat: Chat, number: int | None) -> Turn:
    """The next step of the demo."""
    del number
    if any(result.tool == "finish" for result in chat.results) or (chat.interjected and _ended(chat)):
        return Turn(text=AFTER)
    if chat.last and chat.last.rejected:
        reason = chat.last.output.partition(":")[2].strip()
        return Turn(text=f"You said no ({reason or 'no reason given'}), so the demo ends here. Nothing else was done.")
    turn = _step(chat)
    if chat.interjected:
        heard = chat.interjected.strip().partition("\n")[0][:120]
        note = f"I saw your message (“{heard}”). A script can't act on it, so I go on.\n\n"
        turn = Turn(note + turn.text, turn.reasoning, turn.calls)
    return turn


def _step(chat: Chat) -> Turn:
    if not chat.results:
        return Turn(INTRO, "The user wants to see what the cockpit does. First a plan.", (_plan(0),))
    if not _ran(chat, "ls -a"):
        look = Call(
            "terminal",
            {"command": "ls -a && python3 --version; mkdir -p todo; echo __pycache__ > .gitignore"},
            "Look at the folder",
        )
        return Turn("First a look at what is here.", calls=(look,))
    if not _created(chat, "store.py"):
        return Turn(
            "The store comes first: it holds the to-dos.", calls=(_plan(1), _create(chat, "todo/store.py", BUGGY_STORE))
        )
    if not _created(chat, "app.py"):
        why = "http.server is enough here. A handler made inside a function keeps the store out of global state."
        return Turn("Now the API itself.", why, (_plan(2), _create(chat, "todo/app.py", APP)))
    if not _created(chat, "test_todo.py"):
        why = "Test over real HTTP on a free port. Ids after a removal are worth a test of their own."
        return Turn(
            "The tests talk to a real server on a free port.", why, (_plan(3), _create(chat, "test_todo.py", TESTS))
        )
    runs = [result for result in chat.results if "unittest" in str(result.arguments.get("command"))]
    if not runs:
        return Turn("All written. Let's see whether it works.", calls=(_plan(4), _run()))
    return _after_run(chat, runs)


def _after_run(chat: Chat, runs: list[Result]) -> Turn:
    run, last = runs[-1], chat.results[-1]
    if run.exit_code == 0 and "OK" in run.output:
        return _finish(chat, run)
    since = chat.results[chat.results.index(run) + 1 :]
    fixes = [result for result in since if result.arguments.get("command") == "str_replace"]
    if fixes:
        if all("has been edited" in fix.output for fix in fixes):
            return Turn("Fixed at the cause. Again:", calls=(_run(),))
        return _give_up("the fix could not be applied, because `todo/store.py` is not what I wrote")
    if f"FAIL: {KNOWN_FAILURE}" in run.output:
        if last.arguments.get("command") == "view" and last.tool == "file_editor":
            return Turn(
                "There it is: the new id is counted from the to-dos that are left. After a removal the count goes "
                "back, and the next id is one that is in use. A counter that only goes up cures it.",
                "Two places to change: the constructor needs the counter, add() has to use it.",
                (
                    _replace(chat, BUGGY_INIT, FIXED_INIT, "Add a counter to the store"),
                    _replace(chat, BUGGY, FIXED, "Take the id from the counter"),
                ),
            )
        view = Call("file_editor", {"command": "view", "path": f"{chat.folder}/todo/store.py"}, "Read the store again")
        return Turn(
            f"One test fails: `{KNOWN_FAILURE}`. After a removal, a new to-do got the id of one that still exists.",
            "AssertionError: 2 == 2, so the third to-do took the second one's id. Where are ids made? In Store.add.",
            (view,),
        )
    if len(runs) >= RUNS:
        return _give_up(f"the tests still fail after {len(runs)} runs, in a way my script does not know")
    python = "python" if run.exit_code == 127 else "python3"
    why = (
        "`python3` is not here; perhaps it is called `python`."
        if python == "python"
        else "That is not a failure I know. Once more:"
    )
    return Turn(why, calls=(_run(python),))


def _finish(chat: Chat, run: Result) -> Turn:
    if chat.results[-1].tool != "task_tracker":
        return Turn("All tests pass.", calls=(_plan(len(PLAN)),))
    count = re.search(r"Ran (\d+) tests?", run.output)
    summary = (
        f"The to-do API works: {count[1] if count else 'all'} tests pass.\n\n"
        "- `todo/store.py` keeps the to-dos\n"
        "- `todo/app.py` serves them over HTTP\n"
        "- `test_todo.py` tests it over real HTTP\n\n"
        "The first run found a real bug (an id was used twice after a removal), which I fixed. "
        "Try it: `python3 -m todo.app 8080`.\n\n"
        "This was the scripted demo. Add a model in Settings to give the agent work of your own."
    )
    return Turn(calls=(Call("finish", {"message": summary}, "Sum up"),))


def _give_up(why: str) -> Turn:
    return Turn(
        calls=(Call("finish", {"message": f"I stop here: {why}. A real model would look further."}, "Give up"),)
    )


def _ended(chat: Chat) -> bool:
    """A turn that ended with plain text: a rejection, after which nothing was done."""
    return any(result.rejected for result in chat.results)


def _ran(chat: Chat, words: str) -> bool:
    return any(words in str(result.arguments.get("command")) for result in chat.results)


def _created(chat: Chat, name: str) -> bool:
    """Whether it was tried: a file that is already there is left alone, and the tests decide."""
    return any(str(result.arguments.get("path", "")).endswith(name) for result in chat.results)


def _plan(current: int) -> Call:
    steps = [
        {"title": title, "status": "done" if index < current else "in_progress" if index == current else "todo"}
        for index, title in enumerate(PLAN)
    ]
    return Call("task_tracker", {"command": "plan", "task_list": steps}, "Update the plan")


def _create(chat: Chat, path: str, text: str) -> Call:
    arguments = {"command": "create", "path": f"{chat.folder}/{path}", "file_text": text}
    return Call("file_editor", arguments, f"Write {path}")


def _replace(chat: Chat, old: str, new: str, summary: str) -> Call:
    path = f"{chat.folder}/todo/store.py"
    return Call("file_editor", {"command": "str_replace", "path": path, "old_str": old, "new_str": new}, summary)


def _run(python: str = "python3") -> Call:
    return Call("terminal", {"command": f"{python} -m unittest -v"}, "Run the tests")
