"""Opening a task of 10,000 events: from the click in the task list to its last message painted, and the page's size.

The events are those of a real demo task, over and over, so their sizes and kinds are real.
"""

import asyncio
import tempfile
import uuid
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from app.storage.journal import Journal, NewEvent
from tests.bench import browser as real
from tests.bench.figures import median
from tests.editor.parts import chromium
from tests.program import Json, Program, running

EVENTS = 10_000
OPENINGS = 7
LAST = "The very last message of a long task."
WATCH = f"""
(() => {{
  new MutationObserver(() => {{
    if (window.shown || !document.body?.textContent.includes({LAST!r})) return;
    window.shown = true;
    requestAnimationFrame(() => setTimeout(() => (window.last = performance.now())));
  }}).observe(document, {{ childList: true, subtree: true, characterData: true }});
}})();
"""


def run() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="ts-bench-") as scratch:
        program = Program(Path(scratch))
        with running(program):
            program.ask("PATCH", "/api/settings", {"onboarded": True})
            demo = program.ask("POST", "/api/demo")
            program.reach(demo["task_id"], "finished", seconds=240)
            pattern = program.events(demo["task_id"])
        task = asyncio.run(_write(program.paths.journal, demo["workspace_id"], pattern))
        with running(program):
            times, nodes = asyncio.run(_open(program, demo["workspace_id"], task))
    return [
        {
            "name": "history",
            "what": f"opening a task of {EVENTS:,} events: last message painted; DOM nodes",
            "openings": OPENINGS,
            "ms": round(median(times)),
            "nodes": nodes,
            "reach_ms": 1000,
            "reach_nodes": 5000,
            "ok": median(times) <= 1000 and nodes <= 5000,
        }
    ]


async def _write(path: Path, workspace: str, pattern: list[Json]) -> str:
    """A task with so many events; its id."""
    journal = await Journal.open(path)
    task = uuid.uuid4().hex
    await journal.tasks.add(
        task_id=task,
        workspace_id=workspace,
        title="A long task",
        titled=True,
        mode="ask_risky",
        model_id=None,
        budget_usd=None,
    )
    upstream = [event for event in pattern if event["seq"] is not None]
    rows: list[NewEvent] = []
    for seq in range(EVENTS - 1):
        event = upstream[seq % len(upstream)]
        turn = seq // len(upstream)
        data = {**event["data"], "id": f"{event['id']}-{turn}"}
        for name in ("action_id", "tool_call_id"):
            if name in data:
                data[name] = f"{data[name]}-{turn}"
        rows.append(NewEvent(data["id"], event["kind"], event["source"], data, conversation_id="long", seq=seq))
    said = {"llm_message": {"role": "assistant", "content": [{"type": "text", "text": LAST}]}}
    data = {"id": "last", "kind": "MessageEvent", "source": "agent", **said}
    rows.append(NewEvent("last", "MessageEvent", "agent", data, conversation_id="long", seq=EVENTS - 1))
    for start in range(0, EVENTS, 500):
        await journal.append(task, rows[start : start + 500])
    await journal.close()
    return task


async def _open(program: Program, workspace: str, task: str) -> tuple[list[float], int]:
    async with chromium() as browser:
        opened = [await _once(browser, program, workspace, task) for _ in range(OPENINGS)]
    return [one[0] for one in opened], max(one[1] for one in opened)


async def _once(browser: Browser, program: Program, workspace: str, task: str) -> tuple[float, int]:
    """Milliseconds from the page knowing which task to show, and the number of nodes then."""
    async with real.page(browser, (WATCH,)) as page:
        # The page is open and warm on its start screen, then goes to the task as a click in the list makes it.
        await page.goto(real.address(program), wait_until="networkidle")
        await page.get_by_role("button", name="Task list").click()
        entry = page.get_by_role("dialog", name="Task list").get_by_text("A long task")
        await entry.wait_for()
        began = await page.evaluate("performance.now()")
        await entry.click()
        last = await real.value(page, "last")
        return last - began, await page.evaluate("document.querySelectorAll('*').length")
