"""What the relay adds: the same frame at a second session socket of the agent-server, and at ours.

Both sockets are read in one loop, so what that loop costs is in both times. Deltas come at 100 a second.
"""

import asyncio
import json
import time
from typing import Any

import aiohttp

from app.agent.client import AgentClient
from app.runtimes.contract import Endpoint
from tests.bench.figures import median, ms, p95
from tests.bench.model import recorded
from tests.bench.spied import Spied
from tests.program import fresh

DELTAS = 800
STEPS = 40

type Moments = dict[tuple[Any, ...], float]


def run() -> list[dict[str, Any]]:
    with recorded(pace=0.01) as model, fresh(Spied) as program:
        workspace = program.workspace()
        rows: list[dict[str, Any]] = []
        for kind, script in (("delta", f"stream-{DELTAS}"), ("durable", f"shell-{STEPS}")):
            task = program.task(workspace["id"], program.model(model.url, script))
            program.reach(task, "idle", "finished")
            conversation = next(event["conversation_id"] for event in program.events(task) if event["seq"] is not None)
            agent = program.agent(workspace["id"])
            added = asyncio.run(_watch(program, task, conversation, agent, kind))
            rows.append(
                {
                    "name": f"relay_{kind}",
                    "what": f"{kind} event: agent-server socket to our socket, added",
                    "frames": len(added),
                    "median_ms": ms(median(added)),
                    "p95_ms": ms(p95(added)),
                    "reach_ms": 5,
                    "ok": p95(added) <= 0.005,
                }
            )
        return rows


async def _watch(program: Spied, task: str, conversation: str, agent: Endpoint, kind: str) -> list[float]:
    """Send one message and note each frame at both sockets. Seconds that ours came later."""
    theirs: Moments = {}
    ours: Moments = {}
    async with AgentClient(agent) as client, aiohttp.ClientSession() as session:
        direct = await client.socket(f"sockets/session/{conversation}?after_seq=1000000")
        await direct.send_json({"type": "auth", "session_api_key": agent.headers.get("X-Session-API-Key", "")})
        address = program.backend.url.replace("http://", "ws://", 1) + "/ws/agent"
        through = await session.ws_connect(
            address, protocols=("twinseat.v1", f"bearer.{program.backend.secret}"), compress=0
        )
        await through.send_json({"type": "subscribe", "task": task, "after": None})
        readers = [
            asyncio.create_task(_read(direct, theirs, kind)),
            asyncio.create_task(_read(through, ours, kind)),
        ]
        await asyncio.sleep(0.5)
        await asyncio.to_thread(program.ask, "POST", f"/api/tasks/{task}/messages", {"text": "Again."})
        await asyncio.to_thread(program.reach, task, "idle", "finished")
        await asyncio.sleep(0.5)
        for reader in readers:
            reader.cancel()
        await through.close()
        await direct.close()
    both = theirs.keys() & ours.keys()
    assert len(both) > 50, (len(theirs), len(ours), len(both))
    return [ours[key] - theirs[key] for key in both]


async def _read(socket: aiohttp.ClientWebSocketResponse, moments: Moments, kind: str) -> None:
    async for message in socket:
        now = time.perf_counter()
        frame = json.loads(message.data)
        if frame.get("type") != kind:
            continue
        key = (frame["item_id"], frame["order"]) if kind == "delta" else (frame["event"]["id"],)
        moments.setdefault(key, now)
