"""What the wizard asks: lists of models in every form, and a real token whose failures say what to do."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from app.demo import model as demo_model
from app.gateway import probe as probing
from app.gateway import providers
from app.gateway.probe import Prober
from app.schemas import Probe, Provider
from tests.gateway.parts import KEY, House, fixture, listen, plain


@pytest.fixture
def prober(house: House) -> Prober:
    return Prober(house.profiles)


def answers(house: House, body: Any, status: int = 200) -> None:
    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        return plain({"status": status, "body": body})

    house.provider.answer = answer


def custom(house: House, **more: Any) -> Probe:
    return Probe(**{"provider": "custom", "base_url": f"{house.provider.url}/v1", "key": KEY, "model": "m", **more})


async def test_lists_openrouter_with_prices(house: House, prober: Prober) -> None:
    entry = {
        "id": "qwen/qwen3-coder",
        "context_length": 262144,
        "pricing": {"prompt": "0.0000002", "completion": "0.0000008"},
        "architecture": {"input_modalities": ["text"]},
        "supported_parameters": ["tools", "temperature"],
    }
    answers(house, {"data": [entry, {"id": "openai/text-embedding-3"}]})
    found = await prober.list_models(custom(house, provider="openrouter"))
    (model,) = found.models
    assert (model.price_in, model.price_out, model.context_window) == (0.2, 0.8, 262144)
    assert (model.tools, model.vision, model.reasoning) == (True, False, False)


async def test_lists_the_others(house: House, prober: Prober) -> None:
    answers(house, {"object": "list", "data": [{"id": "m1", "object": "model", "max_model_len": 32768}]})
    (vllm,) = (await prober.list_models(custom(house, provider="vllm"))).models
    assert vllm.context_window == 32768
    entries = [
        {"name": "models/gemini-2.5-pro", "inputTokenLimit": 5, "supportedGenerationMethods": ["generateContent"]},
        {"name": "models/embedding-001", "supportedGenerationMethods": ["embedContent"]},
    ]
    answers(house, {"models": entries})
    (gemini,) = (await prober.list_models(custom(house, provider="gemini"))).models
    assert (gemini.id, gemini.context_window, gemini.price_in) == ("gemini-2.5-pro", 5, 1.25)
    answers(house, {"data": [{"type": "model", "id": "claude-sonnet-4-5"}], "has_more": False})
    (claude,) = (await prober.list_models(custom(house, provider="anthropic"))).models
    assert claude.price_in == 3
    path, headers, _ = house.provider.requests[-1]
    assert path == "/v1/models?limit=1000"
    assert headers["x-api-key"] == KEY


@pytest.mark.parametrize("body", [{"data": []}, {"data": [{"id": "text-embedding-3"}]}])
async def test_an_empty_list_says_so(house: House, prober: Prober, body: Any) -> None:
    answers(house, body)
    found = await prober.list_models(custom(house))
    assert found.problem is not None
    assert found.problem.code == "no-models"


async def test_no_list_is_not_an_endpoint(house: House, prober: Prober) -> None:
    for body in ({"hello": "world"}, "text"):
        answers(house, body)
        found = await prober.list_models(custom(house))
        assert found.problem is not None
        assert found.problem.code == "not-a-model-endpoint"


@pytest.mark.parametrize(
    ("protocol", "body"),
    [
        ("openai", {"choices": []}),
        ("responses", {"output": []}),
        ("anthropic", {"content": []}),
        ("gemini", {"candidates": []}),
    ],
)
async def test_one_token_in_every_protocol(house: House, prober: Prober, protocol: Any, body: Any) -> None:
    answers(house, body)
    result = await prober.test(custom(house, protocol=protocol))
    assert result.ok, result.problem
    asked = json.dumps(house.provider.requests[-1][2])
    assert any(f'"{name}": 1' in asked for name in ("max_tokens", "maxOutputTokens", "max_output_tokens"))


async def test_newer_openai_models_want_another_name(house: House, prober: Prober) -> None:
    refusal = {
        "error": {
            "message": "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
            "type": "invalid_request_error",
            "param": "max_tokens",
            "code": "unsupported_parameter",
        }
    }

    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        return plain({"status": 400, "body": refusal} if "max_tokens" in json.loads(raw) else {"body": {"choices": []}})

    house.provider.answer = answer
    assert (await prober.test(custom(house))).ok
    assert house.provider.requests[-1][2]["max_completion_tokens"] == 1


@pytest.mark.parametrize(
    ("file", "case"),
    [
        ("openai", "bad-key"),
        ("openai", "no-quota"),
        ("openai", "no-model"),
        ("openai", "web-page"),
        ("openrouter", "no-credit"),
        ("anthropic", "no-credit"),
        ("gemini", "bad-key"),
        ("ollama", "no-model"),
        ("lmstudio", "nothing-loaded"),
    ],
)
async def test_refusals_in_words(house: House, prober: Prober, file: str, case: str) -> None:
    whole = fixture(file)
    house.provider.replay(whole["cases"][case])
    base = house.provider.url if whole["protocol"] in {"anthropic", "gemini"} else f"{house.provider.url}/v1"
    result = await prober.test(custom(house, provider=whole["provider"], base_url=base))
    assert result.problem is not None
    assert result.problem.code == whole["cases"][case]["expect"]["code"]
    assert result.problem.remedy
    assert KEY not in result.model_dump_json()


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://127.0.0.1:1/v1", "refused"),
        ("http://no-such-host.invalid/v1", "dns"),
        ("https://{host}/v1", "tls"),
        ("", "invalid-model"),
    ],
)
async def test_unreachable_in_words(house: House, prober: Prober, address: str, code: str) -> None:
    host = house.provider.url.partition("//")[2]
    for problem in (
        (await prober.test(custom(house, base_url=address.format(host=host)))).problem,
        (await prober.list_models(custom(house, base_url=address.format(host=host)))).problem,
    ):
        assert problem is not None
        assert problem.code == code
        assert problem.remedy
        assert "Settings" not in problem.remedy, "the fields are in front of who tries a model"


async def test_a_time_out_in_words(house: House, prober: Prober, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    house.provider.answer = answer
    monkeypatch.setattr(probing, "SECONDS", 0.2)
    result = await prober.test(custom(house))
    assert result.problem is not None
    assert result.problem.code == "time-out"


async def test_through_a_proxy_that_is_gone(house: House, prober: Prober, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    result = await prober.test(custom(house, base_url="http://api.example.com/v1"))
    assert result.problem is not None
    assert result.problem.code == "proxy"


@pytest.mark.parametrize(
    ("probe", "code"),
    [
        (Probe(provider="openai", model="gpt-4.1"), "model-no-key"),
        (Probe(provider="openai", model="gpt-4.1", key="sk-•••"), "model-key-refused"),
        (Probe(provider="openai", key=KEY, base_url="http://127.0.0.1:1"), "no-model-chosen"),
        (Probe(provider="demo", profile_id="demo"), "demo-needs-no-test"),
    ],
)
async def test_nothing_is_sent_when_something_is_missing(prober: Prober, probe: Probe, code: str) -> None:
    result = await prober.test(probe)
    assert result.problem is not None
    assert result.problem.code == code


async def test_a_stored_key_is_sent_only_where_it_belongs(house: House, prober: Prober) -> None:
    profile = await house.use("openai", model="m")
    answers(house, {"choices": []})
    assert (await prober.test(Probe(provider="openai", profile_id=profile.id))).ok
    assert house.provider.requests[-1][1]["authorization"] == f"Bearer {KEY}"
    other = house.provider.url.replace("127.0.0.1", "localhost")
    result = await prober.test(Probe(provider="openai", profile_id=profile.id, base_url=f"{other}/v1", model="m"))
    assert result.problem is not None
    assert result.problem.code == "model-no-key"
    assert len(house.provider.requests) == 1


async def test_local_ones_are_found() -> None:
    running = await demo_model.start(pace=0)
    silent = listen()
    silent.listen()
    try:
        presets = [
            Provider(id="ollama", name="Ollama", base_url=running.url, local=True),
            Provider(id="vllm", name="vLLM", base_url="http://127.0.0.1:1/v1", local=True),
            Provider(id="lmstudio", name="L", base_url=f"http://127.0.0.1:{silent.getsockname()[1]}/v1", local=True),
            providers.find("openai"),
        ]
        assert [one.found for one in await providers.discover(presets)] == [True, False, False, None]
    finally:
        silent.close()
        await running.stop()
