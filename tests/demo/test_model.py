"""The scripted model, asked over real HTTP the way the agent asks it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from app.demo import model
from app.demo.scripts import stream, todo_files


@pytest.fixture
async def demo() -> AsyncIterator[model.Running]:
    running = await model.start(pace=0, slow=0.05)
    yield running
    await running.stop()


def tool(name: str, *properties: str, folder: str = "") -> dict[str, Any]:
    description = f"Your current working directory is: {folder}\n" if folder else ""
    schema = {"type": "object", "properties": {key: {"type": "string"} for key in properties}}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


TOOLS = [
    tool("terminal", "command", "security_risk", "summary"),
    tool("file_editor", "command", "path", "security_risk", folder="/work"),
    tool("task_tracker", "command", "task_list"),
    tool("finish", "message"),
]


async def ask(url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/chat/completions", json=body) as answer,
    ):
        return answer.status, await answer.json(content_type=None), dict(answer.headers)


async def streamed(url: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/chat/completions", json=body) as answer,
    ):
        lines = [line async for line in answer.content]
    data = [line[6:] for line in lines if line.startswith(b"data: ")]
    assert data[-1].strip() == b"[DONE]"
    return [json.loads(line) for line in data[:-1]]


def text(chunks: list[dict[str, Any]], kind: str = "content") -> str:
    return "".join(choice["delta"].get(kind) or "" for chunk in chunks for choice in chunk["choices"])


def user(*words: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": word} for word in words]


async def test_lists_its_models(demo: model.Running) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{demo.url}/models") as answer:
        names = [entry["id"] for entry in (await answer.json())["data"]]
    assert {"todo", "echo", "fault-429"} <= set(names)


async def test_echo_streamed_and_whole_are_the_same(demo: model.Running) -> None:
    body = {"model": "echo", "messages": user("Say  this\nback, with “quotes”.")}
    status, whole, _ = await ask(demo.url, body)
    chunks = await streamed(demo.url, body)
    assert status == 200
    assert whole["choices"][0]["message"]["content"] == text(chunks) == body["messages"][0]["content"]
    assert chunks[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"] > 0


async def test_stream_sends_every_token_once(demo: model.Running) -> None:
    chunks = await streamed(demo.url, {"model": "stream-2000", "messages": user("go"), "tools": TOOLS})
    pieces = [chunk for chunk in chunks if chunk["choices"] and chunk["choices"][0]["delta"].get("content")]
    assert text(chunks) == stream.text(2000)
    assert len(pieces) == 2000


async def test_unknown_model(demo: model.Running) -> None:
    status, body, _ = await ask(demo.url, {"model": "gpt-none", "messages": user("hi")})
    assert (status, body["error"]["code"]) == (404, "model_not_found")


async def test_rubbish_is_refused(demo: model.Running) -> None:
    async with aiohttp.ClientSession() as session:
        for rubbish in (b"\xff\x00", b"[]", b'{"messages": 3}', b"{"):
            async with session.post(f"{demo.url}/chat/completions", data=rubbish) as answer:
                assert answer.status in {400, 404}


@pytest.mark.parametrize(("name", "status"), [("401", 401), ("402", 402), ("404", 404), ("500", 500), ("quota", 429)])
async def test_status_faults(demo: model.Running, name: str, status: int) -> None:
    answered, body, _ = await ask(demo.url, {"model": f"fault-{name}", "messages": user("hi")})
    assert answered == status
    assert body["error"]["message"]


async def test_429_says_when_then_works(demo: model.Running) -> None:
    body = {"model": "fault-429", "messages": user("hi")}
    status, _, headers = await ask(demo.url, body)
    assert (status, headers["Retry-After"]) == (429, "1")
    status, answer, _ = await ask(demo.url, body)
    assert (status, answer["choices"][0]["message"]["content"]) == (200, "hi")


async def test_midstream_cuts_the_connection(demo: model.Running) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await streamed(demo.url, {"model": "fault-midstream", "messages": user("one two three four")})


async def test_garbage_is_no_json(demo: model.Running) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        await streamed(demo.url, {"model": "fault-garbage", "messages": user("one two three four")})


async def test_slow_empty_and_html(demo: model.Running) -> None:
    assert text(await streamed(demo.url, {"model": "fault-slow", "messages": user("late")})) == "late"
    assert text(await streamed(demo.url, {"model": "fault-empty", "messages": user("nothing")})) == ""
    page = {"model": "fault-html", "messages": []}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{demo.url}/chat/completions", json=page) as answer,
    ):
        assert answer.content_type == "text/html"


async def test_key_is_asked_for_when_set() -> None:
    running = await model.start(pace=0, key="right")
    try:
        async with aiohttp.ClientSession() as session:
            for key, status in (("wrong", 401), ("right", 200)):
                async with session.get(f"{running.url}/models", headers={"Authorization": f"Bearer {key}"}) as answer:
                    assert answer.status == status
    finally:
        await running.stop()


class Agent:
    """Does what the agent-server's tools would do, in a folder, and keeps the conversation."""

    def __init__(self, url: str, name: str, folder: Path) -> None:
        self.url, self.name, self.folder = url, name, folder
        self.messages = user("Build it")
        self.tools = [*TOOLS[:1], tool("file_editor", "command", "path", folder=str(folder)), *TOOLS[2:]]
        self.commands: list[str] = []
        self.outputs: list[str] = []
        self.texts: list[str] = []
        self.plans: list[Any] = []

    async def run(self, steps: int = 80) -> str | None:
        """Until it finishes (the finish message) or ends its turn with text (None)."""
        for _ in range(steps):
            answer = await self.step()
            if not answer.get("tool_calls"):
                return None
            for call in answer["tool_calls"]:
                arguments = json.loads(call["function"]["arguments"])
                output = await self.do(call["function"]["name"], arguments)
                self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": output})
                if call["function"]["name"] == "finish":
                    return str(arguments["message"])
        raise AssertionError("never finished")

    async def step(self) -> dict[str, Any]:
        body = {"model": self.name, "messages": self.messages, "tools": self.tools}
        status, whole, _ = await ask(self.url, body)
        assert status == 200
        answer: dict[str, Any] = whole["choices"][0]["message"]
        self.messages.append(answer)
        self.texts.append(answer["content"] or "")
        return answer

    async def do(self, name: str, arguments: dict[str, Any]) -> str:
        if name == "terminal":
            self.commands.append(arguments["command"])
            assert arguments["security_risk"] in {"LOW", "HIGH"}
            command = arguments["command"].replace("python3", sys.executable)
            process = await asyncio.create_subprocess_shell(
                command, cwd=self.folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            output = (await process.communicate())[0].decode()
            self.outputs.append(output)
            return f"{output}\n[Command finished with exit code {process.returncode}]"
        if name == "file_editor":
            return self.edit(**arguments)
        if name == "task_tracker":
            self.plans.append(arguments["task_list"])
        return "ok"

    def edit(self, command: str, path: str, file_text: str = "", old_str: str = "", new_str: str = "") -> str:
        file = Path(path)
        if command == "create":
            if file.exists():
                return f"File already exists at: {path}."
            file.write_text(file_text)
            return f"File created successfully at: {path}"
        if command == "view":
            return file.read_text()
        if file.read_text().count(old_str) != 1:
            return "No replacement was performed."
        file.write_text(file.read_text().replace(old_str, new_str))
        return f"The file {path} has been edited."


async def test_todo_fails_first_then_passes(demo: model.Running, tmp_path: Path) -> None:
    agent = Agent(demo.url, "todo", tmp_path)
    summary = await agent.run()
    assert summary
    assert "7 tests pass" in summary
    runs = [output for output in agent.outputs if "Ran " in output]
    assert len(runs) == 2
    assert "FAIL: test_an_id_is_never_used_twice" in runs[0]
    assert runs[1].rstrip().endswith("OK")
    assert "scripted demo" in agent.texts[0]
    assert all(step["status"] == "done" for step in agent.plans[-1])
    assert (tmp_path / "todo/store.py").read_text() == todo_files.STORE


async def test_todo_after_the_end_says_so(demo: model.Running, tmp_path: Path) -> None:
    agent = Agent(demo.url, "todo", tmp_path)
    await agent.run()
    agent.messages += user("And now a web page for it")
    assert await agent.run() is None
    assert "demo is over" in agent.texts[-1]


async def test_todo_hears_a_message_and_goes_on(demo: model.Running, tmp_path: Path) -> None:
    agent = Agent(demo.url, "todo", tmp_path)
    answer = await agent.step()
    agent.messages.append({"role": "tool", "tool_call_id": answer["tool_calls"][0]["id"], "content": "ok"})
    agent.messages += user("Use FastAPI please")
    summary = await agent.run()
    assert "Use FastAPI please" in agent.texts[1]
    assert "tests pass" in (summary or "")


async def test_todo_gives_up_honestly(demo: model.Running, tmp_path: Path) -> None:
    (tmp_path / "test_todo.py").write_text(
        "import unittest\nclass T(unittest.TestCase):\n  def test(self): self.fail()\n"
    )
    agent = Agent(demo.url, "todo", tmp_path)
    summary = await agent.run()
    assert "I stop here" in (summary or "")
    assert (tmp_path / "test_todo.py").read_text().startswith("import unittest")


async def test_todo_stops_when_rejected(demo: model.Running, tmp_path: Path) -> None:
    agent = Agent(demo.url, "todo", tmp_path)
    answer = await agent.step()
    result = {"role": "tool", "tool_call_id": answer["tool_calls"][0]["id"], "content": "Action rejected: not now"}
    agent.messages.append(result)
    assert await agent.run() is None
    assert "not now" in agent.texts[-1]


async def test_shell_and_edits_do_as_many_steps_as_asked(demo: model.Running, tmp_path: Path) -> None:
    shell = Agent(demo.url, "shell-5", tmp_path)
    assert await shell.run() == "Ran 5 shell steps."
    assert shell.commands == [f"echo step-{index}" for index in range(5)]
    shell.messages += user("again")
    assert await shell.run() == "Ran 5 shell steps."
    assert await Agent(demo.url, "edits-5", tmp_path).run() == "Made 5 edits."
    assert (tmp_path / "edits-0.txt").read_text() == "edit 4\n"


async def test_ask_reacts_to_the_decision(demo: model.Running, tmp_path: Path) -> None:
    agent = Agent(demo.url, "ask", tmp_path)
    assert "approved" in (await agent.run() or "")
    assert agent.commands[-1].startswith("rm -rf")
    agent = Agent(demo.url, "ask", tmp_path)
    answer = await agent.step()
    agent.messages.append({"role": "tool", "tool_call_id": answer["tool_calls"][0]["id"], "content": "ok"})
    answer = await agent.step()
    rejection = {"role": "tool", "tool_call_id": answer["tool_calls"][0]["id"], "content": "Action rejected: keep it"}
    agent.messages.append(rejection)
    assert await agent.run() is None
    assert "keep it" in agent.texts[-1]


async def test_reasoning_and_parallel_calls_are_streamed(demo: model.Running) -> None:
    body = {"model": "todo", "messages": user("go"), "tools": TOOLS}
    chunks = await streamed(demo.url, body)
    assert text(chunks, "reasoning_content")
    calls = [call for chunk in chunks for choice in chunk["choices"] for call in choice["delta"].get("tool_calls", [])]
    assert calls[0]["function"]["name"] == "task_tracker"
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert json.loads(arguments)["command"] == "plan"


async def test_without_tools_it_does_the_side_job(demo: model.Running) -> None:
    chunks = await streamed(demo.url, {"model": "todo", "messages": user("Give this a title")})
    assert text(chunks) == "Scripted demo: Give this a title"
