"""Resident memory, as each process's proportional share (PSS): the backend idle, then with its agent-server."""

import time
from typing import Any

import psutil

from tests.program import fresh, scripted

IDLE_SECONDS = 5


def run() -> list[dict[str, Any]]:
    with scripted() as url, fresh() as program:
        time.sleep(IDLE_SECONDS)
        idle = _pss(program.processes()["backend"])
        workspace = program.workspace()
        program.reach(program.task(workspace["id"], program.model(url, "shell-10")), "finished")
        time.sleep(IDLE_SECONDS)
        parts = program.processes()
        backend, agent, keeper = (_pss(parts[part]) for part in ("backend", "agent", "keeper"))
    together = backend + agent + keeper
    return [
        {
            "name": "memory_idle",
            "what": "backend idle, PSS",
            "mb": round(idle, 1),
            "reach_mb": 100,
            "ok": idle <= 100,
        },
        {
            "name": "memory_agent",
            "what": "backend, keeper and agent-server after a task, PSS (without VS Code)",
            "backend_mb": round(backend, 1),
            "agent_mb": round(agent, 1),
            "keeper_mb": round(keeper, 1),
            "mb": round(together, 1),
            "reach_mb": 450,
            "ok": together <= 450,
        },
    ]


def _pss(processes: list[psutil.Process]) -> float:
    """Megabytes."""
    return sum(process.memory_full_info().pss for process in processes) / 1e6
