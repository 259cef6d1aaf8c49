"""VS Code through our proxy against code-server direct: until the explorer shows the folder's files, in Chromium.

Pairs in alternating order, each load in a fresh browser context (nothing cached), one code-server for both ways.
`python -m tests.bench.editor_proxy` prints the result as JSON.
"""

import asyncio
import contextlib
import json
import socket
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser

from app.editor import code_server
from app.editor.origin import Origins
from app.runtimes.contract import Endpoint
from tests.editor.parts import CodeServer, chromium, explorer

PAIRS = 7
REQUESTS = 300


class OnPort(CodeServer):
    """The same code-server, but on a port: a browser can't open a unix socket."""

    def argv(self) -> list[str]:
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port: int = free.getsockname()[1]
        command = [one for one in super().argv() if not one.startswith("--socket")]
        return [*command, f"--bind-addr=127.0.0.1:{self.port}"]

    async def answers(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(f"http://127.0.0.1:{self.port}")


@contextlib.asynccontextmanager
async def ways() -> AsyncGenerator[dict[str, str]]:
    """The two addresses of the same folder."""
    with tempfile.TemporaryDirectory(prefix="ts-bench-") as scratch:
        folder = Path(scratch) / "project"
        folder.mkdir()
        (folder / "hello.py").write_text("print('hello')\n")
        server = OnPort(Path(scratch))
        await server.start()
        origins = Origins(lambda _: server.endpoint)
        origin = await origins.start("bench")
        query = code_server.page(str(folder))
        try:
            yield {"direct": f"http://127.0.0.1:{server.port}/{query}", "proxied": origin.url + query}
        finally:
            await origins.close()
            await server.close()


async def load(browser: Browser, url: str) -> float:
    context = await browser.new_context(viewport={"width": 1200, "height": 800})
    page = await context.new_page()
    began = time.perf_counter()
    await page.goto(url, wait_until="commit")
    await explorer(page, "hello.py")
    took = time.perf_counter() - began
    await context.close()
    return took


async def small_requests(url: str) -> float:
    """Seconds for one small static file, one after another on one connection."""
    parts = urlsplit(url)
    path = parts.path + "healthz"
    reader, writer = await asyncio.open_connection("127.0.0.1", parts.port)
    began = time.perf_counter()
    for _ in range(REQUESTS):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
    took = time.perf_counter() - began
    writer.close()
    return took / REQUESTS


async def measure(pairs: int = PAIRS) -> dict[str, Any]:
    times: dict[str, list[float]] = {"direct": [], "proxied": []}
    async with ways() as urls, chromium() as browser:
        for url in urls.values():  # the first load of each fills caches of the system and of code-server
            await load(browser, url)
        for number in range(pairs):
            for way in sorted(urls, reverse=bool(number % 2)):
                times[way].append(await load(browser, urls[way]))
        request = {way: await small_requests(url) for way, url in urls.items()}
    ratios = [proxied / direct for direct, proxied in zip(times["direct"], times["proxied"], strict=True)]
    return {
        "name": "editor_proxy",
        "what": "VS Code through our proxy against code-server direct, explorer visible",
        "pairs": pairs,
        "direct_s": round(statistics.median(times["direct"]), 3),
        "proxied_s": round(statistics.median(times["proxied"]), 3),
        "ratio": round(statistics.median(ratios), 3),
        "reach": 1.1,
        "ok": statistics.median(ratios) <= 1.1,
        "added_per_request_ms": round((request["proxied"] - request["direct"]) * 1000, 3),
    }


def run() -> dict[str, Any]:
    return asyncio.run(measure())


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
