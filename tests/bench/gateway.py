"""What the gateway adds to the first token: the scripted model directly, and through it with a task's token."""

import asyncio
import json
import time
from typing import Any

import aiohttp

from app.server.remembered import Remembered
from tests.bench.figures import median, ms, p95
from tests.bench.spied import Spied
from tests.program import fresh, scripted

REQUESTS = 400
BODY = {
    "model": "echo",
    "stream": True,
    "stream_options": {"include_usage": True},
    # The size of an ordinary turn's history, about 40 kB.
    "messages": [{"role": "user", "content": "word " * 8000}, {"role": "user", "content": "Say something short."}],
}


def run() -> list[dict[str, Any]]:
    with scripted() as url, fresh(Spied) as program:
        workspace = program.workspace()
        task = program.task(workspace["id"], program.model(url, "echo"))
        program.reach(task, "idle", "finished")
        port = Remembered.read(program.paths).gateway
        ways = {
            "direct": (f"{url}/chat/completions", "none"),
            "gateway": (f"http://127.0.0.1:{port}/v1/chat/completions", program.token(task)),
        }
        times = asyncio.run(_measure(ways))
    added = [through - direct for direct, through in zip(times["direct"], times["gateway"], strict=True)]
    over = p95(times["gateway"]) - p95(times["direct"])
    return [
        {
            "name": "gateway",
            "what": "gateway: added to the first token",
            "pairs": REQUESTS,
            "direct_p95_ms": ms(p95(times["direct"])),
            "gateway_p95_ms": ms(p95(times["gateway"])),
            "added_median_ms": ms(median(added)),
            "added_p95_ms": ms(over),
            "reach_ms": 3,
            "ok": over <= 0.003,
        }
    ]


async def _measure(ways: dict[str, tuple[str, str]]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {way: [] for way in ways}
    async with aiohttp.ClientSession() as session:
        for number in range(REQUESTS + 20):
            for way in sorted(ways, reverse=bool(number % 2)):
                took = await _first_token(session, *ways[way])
                if number >= 20:  # the first ones open connections
                    times[way].append(took)
    return times


async def _first_token(session: aiohttp.ClientSession, url: str, token: str) -> float:
    began = time.perf_counter()
    first = 0.0
    async with session.post(url, json=BODY, headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 200, await response.text()
        async for line in response.content:
            if not first and line.startswith(b"data: {") and _text(line):
                first = time.perf_counter() - began
    return first


def _text(line: bytes) -> bool:
    choices = json.loads(line[6:])["choices"]
    return bool(choices and choices[0]["delta"].get("content"))
