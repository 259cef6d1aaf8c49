"""Whatever the session socket does, the journal and the hub's followers get each event once."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from app.agent.client import AgentClient
from app.agent.hub import Hub
from app.agent.relay import Relay
from app.runtimes.contract import Endpoint
from app.storage.journal import Journal

POLICY = {"kind": "ConfirmRisky", "threshold": "HIGH", "confirm_unknown": True}


class Socket:
    """A session socket after openhands.agent_server.session_socket, cut off where the test says."""

    def __init__(self, total: int, cuts: list[int], noise: list[str]) -> None:
        self.events = [
            {"id": f"e{seq}", "kind": "Thing", "source": "agent", "timestamp": "2026-01-01T00:00:00"}
            for seq in range(total)
        ]
        self._cuts = list(cuts)
        self._noise = noise
        self.keys: list[str] = []

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        self.keys.append((await websocket.receive_json())["session_api_key"])
        after = int(request.query["after_seq"])
        frames: list[str] = [json.dumps({"type": "sync", "from_seq": after, "through_seq": len(self.events) - 1})]
        half = after + 1 + (len(self.events) - after) // 2
        replayed = [self._durable(seq) for seq in range(after + 1, half)]
        live = [self._durable(seq) for seq in range(half, len(self.events))]
        # Events of different threads can overtake each other, and some come twice.
        live[::2], live[1::2] = (
            live[1::2][: len(live[::2])] + live[::2][len(live[1::2]) :],
            live[::2][: len(live[1::2])],
        )
        state = {"key": "full_state", "value": {"execution_status": "idle", "confirmation_policy": POLICY}}
        frames += [*replayed, json.dumps({"type": "transient", "event": state}), *self._noise, *live, *live[:2]]
        frames.append(self._durable(0))
        cut = self._cuts.pop() if self._cuts else None
        for frame in frames[:cut]:
            await websocket.send_str(frame)
        if cut is None:
            await websocket.receive()
        return websocket

    def _durable(self, seq: int) -> str:
        return json.dumps({"type": "durable", "seq": seq, "event": self.events[seq]})


@given(
    total=st.integers(1, 25),
    cuts=st.lists(st.integers(0, 30), max_size=4),
    noise=st.lists(
        st.sampled_from(
            [
                "rubbish",
                "[]",
                '{"type": 7}',
                '{"type": "tomorrow"}',
                '{"type": "durable"}',
                '{"type": "durable", "seq": "x", "event": {}}',
                '{"type": "transient"}',
                '{"type": "delta", "item_id": "i", "attempt": 1, "order": 0, "kind": "text", "content": "x"}',
            ]
        ),
        max_size=4,
    ),
)
@settings(max_examples=25, deadline=None)
def test_any_session_gives_each_event_once(total: int, cuts: list[int], noise: list[str]) -> None:
    async def check(path: Path) -> None:
        socket = Socket(total, cuts, noise)
        app = web.Application()
        app.router.add_get("/sockets/session/c", socket.serve)
        runner = web.AppRunner(app, shutdown_timeout=0.01)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        endpoint = Endpoint(f"http://127.0.0.1:{runner.addresses[0][1]}", {"X-Session-API-Key": "key"})
        journal = await Journal.open(path)
        await journal.tasks.add(
            task_id="t", workspace_id="w", title="T", titled=False, mode="ask_risky", model_id=None, budget_usd=None
        )
        hub = Hub(lambda task, after, limit: journal.events(task, after=after, limit=limit))
        subscription = hub.subscribe()
        subscription.follow("t", 0, 0)
        async with AgentClient(endpoint) as client:
            relay = Relay("t", "c", journal=journal, hub=hub, connect=lambda: client, changed=lambda: None)
            running = asyncio.create_task(relay.run())
            seen: list[Any] = []
            while len(seen) < total:
                async with asyncio.timeout(20):
                    frame = await subscription.get()
                assert frame is not None
                if frame["type"] == "durable":
                    seen.append(frame)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert [frame["position"] for frame in seen] == list(range(1, total + 1))
        assert {frame["event"]["id"] for frame in seen} == {event["id"] for event in socket.events}
        stored = (await journal.events("t", after=0)).events
        assert [event.id for event in stored] == [frame["event"]["id"] for frame in seen]
        assert await journal.last_seq("c") == total - 1
        assert set(socket.keys) == {"key"}
        await journal.close()
        await runner.cleanup()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder) / "journal.sqlite"))
