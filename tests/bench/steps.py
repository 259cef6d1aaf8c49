"""Through us against the agent-server alone: the way to the first model request, and fifty steps of each kind.

Both ways use the same agent-server process, in turns; the model answers at once and notes when it was asked. The floor
is the plain agent: the model called directly, no confirmation, no security analyzer, the same subprocess terminal.
Through us the task is what a user gets: risky actions are asked for, calls go through the gateway, events go to the
journal.
"""

import asyncio
import time
import uuid
from typing import Any

from app.agent.blueprint import start_request
from app.agent.client import AgentClient
from app.gateway.llm import llm_config
from app.runtimes.contract import Endpoint
from app.schemas import ModelProfile
from tests.bench.figures import median, ms
from tests.bench.model import Recorded, recorded
from tests.bench.spied import Spied
from tests.program import fresh

PAIRS = 5
STEPS = 50


def run() -> list[dict[str, Any]]:
    with recorded() as model, fresh(Spied) as program:
        workspace = program.workspace()
        agent = program.agent(workspace["id"])
        # Both ways once: the first conversation of a server loads what later ones find loaded.
        for way in ("ours", "alone"):
            _one(program, workspace, agent, model, "shell-2", 2, way)
        submits: dict[str, list[float]] = {"ours": [], "alone": []}
        rows = [_steps(program, workspace, agent, model, kind, submits) for kind in ("edits", "shell")]
        shell = rows[1]
        absolute = {
            "name": "shell_step",
            "what": "one shell step, absolute",
            "ours_ms": shell["ours_ms_a_step"],
            "reach_ms": 100,
            "ok": shell["ours_ms_a_step"] <= 100,
        }
        return [_submit(submits), *rows, absolute]


def _steps(
    program: Spied,
    workspace: dict[str, Any],
    agent: Endpoint,
    model: Recorded,
    kind: str,
    submits: dict[str, list[float]],
) -> dict[str, Any]:
    times: dict[str, list[float]] = {"ours": [], "alone": []}
    for number in range(PAIRS):
        for way in ("ours", "alone") if number % 2 else ("alone", "ours"):
            submit, step = _one(program, workspace, agent, model, f"{kind}-{STEPS}", STEPS, way)
            submits[way].append(submit)
            times[way].append(step)
    ratio = median([ours / alone for ours, alone in zip(times["ours"], times["alone"], strict=True)])
    return {
        "name": f"{kind}_{STEPS}",
        "what": f"{STEPS} {kind.removesuffix('s')} steps through us against the agent-server alone",
        "pairs": PAIRS,
        "ours_ms_a_step": ms(median(times["ours"])),
        "alone_ms_a_step": ms(median(times["alone"])),
        "ratio": round(ratio, 3),
        "reach": 1.05,
        "ok": ratio <= 1.05,
    }


def _submit(times: dict[str, list[float]]) -> dict[str, Any]:
    ratio = median([ours / alone for ours, alone in zip(times["ours"], times["alone"], strict=True)])
    ours = median(times["ours"])
    return {
        "name": "submit",
        "what": "submit to the first request at the model, runtime warm, against the agent-server directly",
        "pairs": len(times["ours"]),
        "ours_ms": ms(ours),
        "alone_ms": ms(median(times["alone"])),
        "ratio": round(ratio, 3),
        "reach": 1.3,
        "reach_ms": 600,
        "ok": ratio <= 1.3 and ours <= 0.6,
    }


def _one(
    program: Spied,
    workspace: dict[str, Any],
    agent: Endpoint,
    model: Recorded,
    script: str,
    steps: int,
    way: str,
) -> tuple[float, float]:
    """Seconds from submitting to the first request, and seconds a step."""
    profile = program.model(model.url, script) if way == "ours" else ""
    model.moments.clear()
    began = time.monotonic()
    if way == "ours":
        program.task(workspace["id"], profile)
    else:
        asyncio.run(_alone(agent, workspace["path"], script, model.url))
    moments = model.wait(steps + 1)
    time.sleep(0.5)  # the last step's events settle before the other way has its turn
    return moments[0] - began, (moments[steps] - moments[0]) / steps


async def _alone(agent: Endpoint, folder: str, script: str, url: str) -> None:
    profile = ModelProfile(id="bench", name=script, provider="custom", base_url=url, model=script)
    llm = llm_config(profile, "none", url.removesuffix("/v1"))
    request = start_request(str(uuid.uuid4()), folder, True, llm, "ask_never")
    del request["security_analyzer"]
    async with AgentClient(agent) as client:
        await client.create(request)
        await client.send(request["conversation_id"], [{"type": "text", "text": "Go."}])
