"""`llm_config` with the real openhands LLM and the real litellm: every protocol through the gateway and back.

litellm takes seconds to import, so all of it runs in one process (`agent_side.py`); each protocol and failure then has
a test of its own over the results.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.gateway.llm import llm_config
from app.schemas import ModelProfile
from tests.gateway import parts
from tests.gateway.parts import KEY, TOKEN, fixture

FINISH = '{"message": "Done."}'


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**head, 'choices': [choice], **more})}\n\n"


def event(name: str, **body: Any) -> str:
    return f"event: {name}\ndata: {json.dumps({'type': name, **body})}\n\n"


CHAT = [
    chunk({"role": "assistant", "content": "", "reasoning_content": "Thinking."}),
    chunk({"content": "Hel"}),
    chunk({"content": "lo."}),
    chunk(
        {
            "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function", "function": {"name": "finish", "arguments": ""}}
            ]
        }
    ),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": FINISH}}]}),
    chunk({}, "tool_calls"),
    'data: {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], '
    '"usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}}\n\n',
    "data: [DONE]\n\n",
]
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "finish", "input": {}}
START = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None}
MESSAGES = [
    event("message_start", message={**START, "usage": {"input_tokens": 11, "output_tokens": 1}}),
    event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""}),
    event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Thinking."}),
    event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "c2ln"}),
    event("content_block_stop", index=0),
    event("content_block_start", index=1, content_block={"type": "text", "text": ""}),
    event("content_block_delta", index=1, delta={"type": "text_delta", "text": "Hello."}),
    event("content_block_stop", index=1),
    event("content_block_start", index=2, content_block=TOOL),
    event("content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": FINISH}),
    event("content_block_stop", index=2),
    event("message_delta", delta={"stop_reason": "tool_use", "stop_sequence": None}, usage={"output_tokens": 7}),
    event("message_stop"),
]
CALL = {"functionCall": {"name": "finish", "args": json.loads(FINISH)}}
COUNTS = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}


def candidate(part: dict[str, Any], finish: dict[str, Any], **more: Any) -> str:
    content = {"role": "model", "parts": [part]}
    return f"data: {json.dumps({'candidates': [{'content': content, 'index': 0, **finish}], **more})}\r\n\r\n"


GEMINI = [
    candidate({"text": "Thinking.", "thought": True}, {}),
    candidate({"text": "Hello."}, {}),
    candidate(CALL, {"finishReason": "STOP"}, usageMetadata=COUNTS),
]
ITEM = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "finish",
    "arguments": FINISH,
    "status": "completed",
}
SAID = {"type": "message", "id": "m_1", "role": "assistant", "status": "completed"}
TEXT = {"type": "output_text", "text": "Hello.", "annotations": []}
RESPONSE = {
    "id": "r_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "tools": [],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
}
USAGE = {
    "input_tokens": 11,
    "output_tokens": 7,
    "total_tokens": 18,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}
DONE = {**RESPONSE, "status": "completed", "output": [{**SAID, "content": [TEXT]}, ITEM], "usage": USAGE}
RESPONSES = [
    event("response.created", response={**RESPONSE, "status": "in_progress", "output": []}, sequence_number=0),
    event("response.output_item.added", output_index=0, item={**SAID, "content": []}, sequence_number=1),
    event(
        "response.output_text.delta",
        item_id="m_1",
        output_index=0,
        content_index=0,
        delta="Hello.",
        logprobs=[],
        sequence_number=2,
    ),
    event("response.output_item.done", output_index=0, item={**SAID, "content": [TEXT]}, sequence_number=3),
    event("response.output_item.done", output_index=1, item=ITEM, sequence_number=4),
    event("response.completed", response=DONE, sequence_number=5),
]

WORKING: dict[str, tuple[str, str, str, list[str]]] = {
    "openai": ("custom", "openai", "any-model", CHAT),
    "anthropic": ("anthropic", "anthropic", "claude-sonnet-4-5", MESSAGES),
    "gemini": ("gemini", "gemini", "gemini-2.5-pro", GEMINI),
    "responses": ("openai", "responses", "gpt-5.1", RESPONSES),
    "deepseek": ("deepseek", "openai", "deepseek-chat", CHAT),
    "mistral": ("mistral", "openai", "devstral-latest", CHAT),
    "groq": ("groq", "openai", "openai/gpt-oss-20b", CHAT),
    "openrouter": ("openrouter", "openai", "anthropic/claude-sonnet-5", CHAT),
    "ollama": ("ollama", "openai", "qwen3-coder", CHAT),
}
FAILING: dict[str, tuple[str, str]] = {
    "key": ("openai", "bad-key"),
    "quota": ("openai", "no-quota"),
    "context": ("openai", "context"),
    "cut": ("openai", "dies-mid-stream"),
    "rubbish": ("openai", "rubbish"),
    "page": ("openai", "web-page"),
    "anthropic-credit": ("anthropic", "no-credit"),
    "anthropic-context": ("anthropic", "context"),
    "anthropic-cut": ("anthropic", "dies-mid-stream"),
    "gemini-quota": ("gemini", "no-quota"),
    "gemini-key": ("gemini", "bad-key"),
}


@pytest.fixture(scope="module")
async def results(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Any]]:
    """What the agent got, by name; `requests` are what the provider was asked."""
    asked: dict[str, Any] = {}
    async with parts.house(tmp_path_factory.mktemp("house")) as house:
        configs: list[dict[str, Any]] = []
        made: dict[str, ModelProfile] = {}
        scripts: dict[str, dict[str, Any]] = {}
        for name, (provider, protocol, model, stream) in WORKING.items():
            made[name] = await house.use(provider, protocol, model)  # pyright: ignore[reportArgumentType]
            scripts[name] = {"stream": stream}
        for name, (file, case) in FAILING.items():
            whole = fixture(file)
            made[name] = await house.use(whole["provider"], whole["protocol"], "m")
            scripts[name] = whole["cases"][case]
        for name, profile in made.items():
            token = f"{TOKEN}-{name}"
            house.tokens.tasks[token] = name
            configs.append(llm_config(profile, token, house.url))

        async def model_of(task_id: str) -> str | None:
            house.provider.replay(scripts[task_id])
            asked[task_id] = len(house.provider.requests)
            return made[task_id].id

        async def ignore(*_: Any) -> None:
            return None

        house.gateway._model_of, house.gateway._on_usage = model_of, ignore
        house.gateway._over_budget = ignore
        found = await run(configs)
        got = dict(zip(made, found, strict=True))
        for name in got:
            got[name]["request"] = house.provider.requests[asked[name]]
        yield got


async def run(configs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("agent_side.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    out, errors = await process.communicate(json.dumps(configs).encode())
    lines = [line for line in out.decode().splitlines() if line.startswith("RESULTS ")]
    assert lines, errors.decode()[-3000:]
    return json.loads(lines[-1].removeprefix("RESULTS "))


pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("litellm")]


@pytest.mark.parametrize("name", WORKING)
async def test_works(results: dict[str, Any], name: str) -> None:
    got = results[name]
    assert got.get("text") == "Hello.", got
    assert got["calls"] == [["finish", FINISH]] or json.loads(got["calls"][0][1]) == json.loads(FINISH)
    assert got["deltas"] > 0
    assert (got["usage"]["prompt_tokens"], got["usage"]["completion_tokens"]) == (11, 7)
    if name in {"openai", "anthropic", "gemini"}:
        assert got["reasoning"] == "Thinking."


@pytest.mark.parametrize("name", WORKING)
async def test_asks_with_the_key_and_without_what_is_not_theirs(results: dict[str, Any], name: str) -> None:
    path, headers, body = results[name]["request"]
    provider, protocol, model, _ = WORKING[name]
    assert KEY in json.dumps(headers)
    assert TOKEN not in json.dumps(headers)
    if protocol == "gemini":
        assert path == f"/models/{model}:streamGenerateContent?alt=sse"
    else:
        assert body["model"] == model
        assert body["stream"] is True
    if protocol == "openai":
        assert {"prompt_cache_key", "prompt_cache_retention"} & set(body) == set()
        assert provider in {"deepseek", "groq", "openrouter"} or "reasoning_effort" not in body


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("key", "LLMAuthenticationError", "did not accept the key"),
        ("quota", "APIError", "no credit left"),
        ("context", "LLMContextWindowExceedError", "too long"),
        ("cut", "", "closed the connection in the middle"),
        ("rubbish", "", "no model's answer"),
        ("page", "NotFoundError", "not as a model's API does"),
        ("anthropic-credit", "LLMBadRequestError", "no credit left"),
        ("anthropic-context", "LLMContextWindowExceedError", "too long"),
        ("anthropic-cut", "", "closed the connection in the middle"),
        ("gemini-quota", "LLMBadRequestError", "no credit left"),
        ("gemini-key", "LLMAuthenticationError", "did not accept the key"),
    ],
)
async def test_fails_usefully(results: dict[str, Any], name: str, error: str, words: str) -> None:
    got = results[name]
    assert words in got.get("message", ""), got
    assert KEY not in got["message"]
    if error:
        assert got["error"] == error
