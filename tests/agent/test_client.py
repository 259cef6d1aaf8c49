"""What the agent-server refuses, in words for the user."""

import pytest
from aiohttp import web

from app.agent.client import AgentClient, Refused
from app.runtimes.contract import Endpoint

FULL = "Message saved, but the conversation run limit was reached. Retry POST /api/conversations/…/run."
"""The agent-server's own words (openhands.agent_server.event_service)."""


async def test_too_many_runs_is_said_as_that() -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response({"detail": FULL}, status=429)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = AgentClient(Endpoint(url=f"http://127.0.0.1:{runner.addresses[0][1]}"))
    with pytest.raises(Refused) as refused:
        await client.interrupt("c")
    assert refused.value.code == "too-many-tasks"
    assert "Wait until one of them ends" in str(refused.value.remedy)
    await client.close()
    await runner.cleanup()
