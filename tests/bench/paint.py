"""From a delta at our socket to its word painted in Chromium, at 100 deltas a second."""

import asyncio
from typing import Any

from tests.bench import browser as real
from tests.bench.figures import median, p95
from tests.editor.parts import chromium
from tests.program import Program, fresh, scripted

DELTAS = 1500
WATCH = """
(() => {
  window.arrived = {};
  window.painted = {};
  const listen = WebSocket.prototype.addEventListener;
  const note = (event) => {
    const now = performance.now();
    const frame = JSON.parse(event.data);
    if (frame.type !== "delta") return;
    for (const word of frame.content.matchAll(/w(\\d+)/g)) window.arrived[word[1]] ??= now;
  };
  window.WebSocket = new Proxy(WebSocket, {
    construct(target, given) {
      const made = Reflect.construct(target, given);
      listen.call(made, "message", note);
      return made;
    },
  });
  let highest = -1, told = -1, waiting = false;
  const after = new MessageChannel();
  after.port1.onmessage = () => {
    const now = performance.now();
    for (let word = told + 1; word <= highest; word++) window.painted[word] = now;
    told = highest;
    waiting = false;
  };
  const read = (node) => {
    const words = (node.textContent ?? "").slice(-400).match(/w(\\d+)(?=\\s|$)/g);
    // Text nodes stand side by side without a space, so that "w7" and "12 s" may look like one long word.
    const last = words ? Number(words.at(-1).slice(1)) : -1;
    if (last < DELTAS) highest = Math.max(highest, last);
  };
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      read(target);
      for (const node of addedNodes) read(node);
    }
    if (highest > told && !waiting) {
      waiting = true;
      requestAnimationFrame(() => after.port2.postMessage(null));
    }
  }).observe(document, { childList: true, subtree: true, characterData: true });
})();
""".replace("DELTAS", str(DELTAS))


def run() -> list[dict[str, Any]]:
    with scripted(pace=0.01) as url, fresh() as program:
        program.ask("PATCH", "/api/settings", {"onboarded": True})
        workspace = program.workspace()
        model = program.model(url, f"stream-{DELTAS}")
        waits = asyncio.run(_watch(program, workspace["id"], model))
    return [
        {
            "name": "paint",
            "what": "delta at our socket to painted in Chromium, at 100 deltas a second",
            "deltas": len(waits),
            "median_ms": round(median(waits), 1),
            "p95_ms": round(p95(waits), 1),
            "p95_first_third_ms": round(p95(waits[: DELTAS // 3]), 1),
            "p95_last_third_ms": round(p95(waits[-DELTAS // 3 :]), 1),
            "reach_ms": 50,
            "ok": p95(waits) <= 50,
        }
    ]


async def _watch(program: Program, workspace: str, model: str) -> list[float]:
    """Milliseconds for each word."""
    task = program.ask("POST", "/api/tasks", {"workspace_id": workspace, "model_id": model})["id"]
    async with chromium() as browser, real.page(browser, (WATCH,)) as page:
        await page.goto(real.address(program, workspace, task), wait_until="networkidle")
        await asyncio.to_thread(program.ask, "POST", f"/api/tasks/{task}/messages", {"text": "Go."})
        await asyncio.to_thread(program.reach, task, "idle", "finished")
        await asyncio.sleep(1)
        arrived, painted = await page.evaluate("[window.arrived, window.painted]")
    assert len(arrived) == DELTAS, f"{len(arrived)} of {DELTAS} words arrived"
    assert len(painted) == DELTAS, f"{len(painted)} of {DELTAS} words were painted"
    return [painted[str(word)] - arrived[str(word)] for word in range(DELTAS)]
