"""The real agent-server, and a model that does what the user says: `run: COMMAND`, `count: N`, else it echoes."""

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from app.problems import Fault
from app.runtimes.contract import Endpoint, Place, RuntimeNotReady
from app.schemas import Part, RuntimeStatus
from app.tasks import ModelChoice


class AgentServer:
    """The agent-server as a child process that can be killed and started again on the same state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = secrets.token_hex(16)
        self.port = 0
        self._secret = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {
            **os.environ,
            "OH_SESSION_API_KEYS_0": self.key,
            "OH_SECRET_KEY": self._secret,
            "OH_ENABLE_VSCODE": "false",
            "OH_ENABLE_BROWSER": "false",
            "OH_PRELOAD_TOOLS": "false",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "TMUX_TMPDIR": str(self.folder),
        }
        command = [sys.executable, "-m", "openhands.agent_server", "--host", "127.0.0.1", "--port", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        while True:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL, with its terminals."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(f"http://127.0.0.1:{self.port}", {"X-Session-API-Key": self.key})


class Here:
    """A runtime whose agent-server the test starts and kills. `start` starts it when it is not up."""

    def __init__(self, server: AgentServer) -> None:
        self._server = server
        self._watchers: list[Callable[[], None]] = []
        self.refusal: Fault | None = None

    async def start(self, place: Place) -> None:
        if self.refusal is not None:
            raise self.refusal
        if not self._server.alive:
            await asyncio.to_thread(self._server.start)
        self.tell()

    async def stop(self, place: Place) -> None: ...

    async def delete(self, place: Place) -> None: ...

    def status(self, place: Place) -> RuntimeStatus:
        state = "ready" if self._server.alive else "failed"
        return RuntimeStatus(state=state, place="Here", agent=Part(state=state), editor=Part(state="off"))

    def agent(self, place: Place) -> Endpoint:
        if not self._server.alive:
            raise RuntimeNotReady("The agent's server is not running.")
        return self._server.endpoint

    def editor(self, place: Place) -> Endpoint:
        raise RuntimeNotReady("There is no editor here.")

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def tell(self) -> None:
        for changed in list(self._watchers):
            changed()


class Obedient:
    """The model. `asked` are the bodies of the requests that it got."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.failing: tuple[int, dict[str, Any]] | None = None
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def choose(self, profile: str | None, token: str) -> ModelChoice:
        llm = {
            "model": f"openai/{profile or 'obedient'}",
            "base_url": self.url,
            "api_key": token,
            "stream": True,
            "usage_id": "agent",
            "num_retries": 0,
        }
        return ModelChoice(profile or "obedient", "Obedient", llm)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        if self.failing is not None:
            return web.json_response(self.failing[1], status=self.failing[0])
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        number = len(self.asked)

        async def send(delta: dict[str, Any], finish: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            chunk = {"id": f"c{number}", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            await response.write(b"data: " + json.dumps({**chunk, "choices": [choice]}).encode() + b"\n\n")

        last = body["messages"][-1]
        text = _text(last)
        if last["role"] == "user" and text.startswith("run: "):
            calls = [
                {
                    "index": index,
                    "id": f"call_{number}_{index}",
                    "type": "function",
                    "function": {
                        "name": "terminal",
                        "arguments": json.dumps({"command": command, "summary": "as told", "security_risk": "LOW"}),
                    },
                }
                for index, command in enumerate(text.removeprefix("run: ").split(" ;; "))
            ]
            await send({"role": "assistant", "content": "As you say."})
            await send({"tool_calls": calls})
            await send({}, "tool_calls")
        elif last["role"] == "user" and text.startswith("count: "):
            await send({"role": "assistant", "content": ""})
            for index in range(int(text.removeprefix("count: "))):
                await send({"content": f"{index} "})
                await asyncio.sleep(0.05)
            await send({}, "stop")
        else:
            await send({"role": "assistant", "content": f"Heard: {text}" if last["role"] == "user" else "Done."})
            await send({}, "stop")
        await response.write(b"data: [DONE]\n\n")
        return response


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
