"""The page's first load in a browser that has nothing cached: bytes over the wire, requests, first control."""

import asyncio
from typing import Any

from playwright.async_api import Browser

from tests.bench import browser as real
from tests.bench.figures import median
from tests.editor.parts import chromium
from tests.program import Program, fresh

LOADS = 7
FIRST_CONTROL = """
(() => {
  const usable = "button:not([disabled]), textarea:not([disabled]), input:not([disabled])";
  const look = () => {
    const found = [...document.querySelectorAll(usable)].some((one) => one.checkVisibility());
    if (found) {
      requestAnimationFrame(() => setTimeout(() => (window.firstControl = performance.now())));
      watcher.disconnect();
    }
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document, { childList: true, subtree: true, attributes: true });
})();
"""


def run() -> list[dict[str, Any]]:
    with fresh() as program:
        wizard = asyncio.run(_loads(program))
        program.ask("PATCH", "/api/settings", {"onboarded": True})
        cockpit = asyncio.run(_loads(program))
    kilobytes = max(wizard["kb"], cockpit["kb"])
    control = max(wizard["first_control_ms"], cockpit["first_control_ms"])
    return [
        {
            "name": "page",
            "what": "UI first load: compressed size, first control (the worse of wizard and cockpit)",
            "loads": LOADS,
            "wizard": wizard,
            "cockpit": cockpit,
            "kb": kilobytes,
            "reach_kb": 250,
            "first_control_ms": control,
            "reach_ms": 600,
            "ok": kilobytes <= 250 and control <= 600,
        }
    ]


async def _loads(program: Program) -> dict[str, Any]:
    async with chromium() as browser:
        loads = [await _load(browser, program) for _ in range(LOADS)]
    return {
        "kb": round(median([one[0] for one in loads]) / 1000, 1),
        "requests": loads[0][1],
        "first_control_ms": round(median([one[2] for one in loads])),
    }


async def _load(browser: Browser, program: Program) -> tuple[int, int, float]:
    """Bytes, requests and milliseconds until the first control is painted."""
    async with real.page(browser, (FIRST_CONTROL,)) as page:
        wire = await page.context.new_cdp_session(page)
        await wire.send("Network.enable")
        sizes: list[int] = []
        wire.on("Network.loadingFinished", lambda one: sizes.append(one["encodedDataLength"]))
        await page.goto(real.address(program), wait_until="load")
        control = await real.value(page, "firstControl")
        await page.wait_for_load_state("networkidle")
        return sum(int(size) for size in sizes), len(sizes), control
