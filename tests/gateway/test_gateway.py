"""The gateway itself: who may come in, what goes out, what is counted, when it says no."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from app.demo import model as demo_model
from app.gateway.app import build
from app.schemas import Problem
from tests.gateway.parts import KEY, TASK, TOKEN, House, fixture, plain, served, streamed

OK = fixture("openai")["cases"]["length"]
OVER = Problem(
    title="The budget is spent",
    status=402,
    detail="The task has used its $1.00.",
    remedy="Raise it.",
    code="over-budget",
)


@pytest.mark.parametrize("header", ["Authorization", "x-api-key", "x-goog-api-key"])
async def test_the_real_key_replaces_the_token(house: House, header: str) -> None:
    await house.use(model="their-name")
    house.provider.replay(OK)
    value = f"Bearer {TOKEN}" if header == "Authorization" else TOKEN
    async with house.post("/v1/chat/completions", {"model": "x", "messages": []}, {header: value}) as answer:
        assert answer.status == 200
    ((path, headers, body),) = house.provider.requests
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert TOKEN not in json.dumps(headers)
    assert body["model"] == "their-name"


@pytest.mark.parametrize(("protocol", "header"), [("anthropic", "x-api-key"), ("gemini", "x-goog-api-key")])
async def test_native_protocols_have_their_own_header_and_path(house: House, protocol: Any, header: str) -> None:
    await house.use(protocol, protocol, "their-name")
    house.provider.replay({"stream": ["event: x\n\n"]})
    await house.ask(protocol)
    ((path, headers, body),) = house.provider.requests
    assert headers[header] == KEY
    assert "authorization" not in headers
    if protocol == "gemini":
        assert path == "/models/their-name:streamGenerateContent?alt=sse"
        assert "model" not in body
    else:
        assert path == "/v1/messages"
        assert headers["anthropic-version"]


async def test_without_a_good_token_nothing_leaves(house: House) -> None:
    await house.use()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"x-api-key": "no"}):
        for path in (
            "/v1/chat/completions",
            "/anthropic/v1/messages",
            "/gemini/models/m:generateContent",
            "/v1/models",
        ):
            async with house.client.post(f"{house.url}{path}", json={}, headers=headers) as answer:
                assert answer.status == 401
                assert "token" in await answer.text()
    assert house.provider.requests == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
async def test_web_pages_are_strangers(house: House, headers: dict[str, str]) -> None:
    await house.use()
    async with house.post("/v1/chat/completions", {}, {"Authorization": f"Bearer {TOKEN}", **headers}) as answer:
        assert answer.status == 403
    assert house.provider.requests == []


async def test_a_change_of_model_counts_from_the_next_request(house: House) -> None:
    first = await house.use(model="first")
    house.provider.replay(OK)
    await house.ask()
    await house.use(model="second")
    await house.ask()
    house.chosen = first.id
    await house.profiles.update(first.id, {"model": "third"})
    await house.ask()
    assert [body["model"] for _, _, body in house.provider.requests] == ["first", "second", "third"]


async def test_a_new_key_counts_from_the_next_request(house: House) -> None:
    profile = await house.use()
    house.provider.replay(OK)
    await house.ask()
    await house.profiles.update(profile.id, {"key": "sk-second-key-0123456789"})
    await house.ask()
    assert [headers["authorization"][-6:] for _, headers, _ in house.provider.requests] == [KEY[-6:], "456789"]


async def test_the_keyring_is_asked_once_until_the_key_is_refused(house: House) -> None:
    await house.use("openai")
    house.provider.replay(OK)
    await house.ask()
    await house.ask()
    assert house.keys.asked == 1
    house.provider.replay(fixture("openai")["cases"]["bad-key"])
    await house.ask()
    await house.ask()
    assert house.keys.asked == 2


async def test_usage_is_asked_for(house: House) -> None:
    await house.use()
    house.provider.replay(OK)
    await house.ask(stream_options={"x": 1})
    assert house.provider.requests[0][2]["stream_options"] == {"x": 1, "include_usage": True}
    await house.ask(stream=False)
    assert "stream_options" not in house.provider.requests[1][2]


async def test_over_budget_nothing_is_asked(house: House) -> None:
    await house.use()
    house.over = OVER
    for protocol in ("openai", "responses"):
        status, body = await house.ask(protocol)
        assert status == 402
        assert json.loads(body)["error"]["message"] == "The task has used its $1.00. Raise it."
    await house.use("anthropic", "anthropic")
    assert (await house.ask("anthropic"))[0] == 400
    assert house.provider.requests == []


async def test_the_budget_is_looked_at_again_after_an_answer(house: House) -> None:
    await house.use(price_in=1.0, price_out=2.0)
    house.provider.replay(OK)
    await house.ask()
    assert house.asked_for_budget == 2
    assert house.used[0].cost_usd == pytest.approx((5 * 1 + 1 * 2) / 1e6)


async def test_the_next_request_waits_until_the_last_is_counted(house: House) -> None:
    await house.use()
    house.provider.replay(OK)
    recorded = asyncio.Event()
    order: list[str] = []

    async def slowly(task_id: str, usage: Any) -> None:
        await recorded.wait()
        order.append("recorded")

    async def over(task_id: str) -> Problem | None:
        order.append("asked")
        return None

    house.gateway._on_usage, house.gateway._over_budget = slowly, over
    async with house.post("/v1/chat/completions", {"messages": [], "stream": True}) as answer:
        await answer.read()
    second = asyncio.create_task(house.ask())
    await asyncio.sleep(0.1)
    assert order == ["asked"]
    recorded.set()
    await second
    assert order[:2] == ["asked", "recorded"]


async def test_first_bytes_do_not_wait_for_the_rest(house: House) -> None:
    await house.use()
    go_on = asyncio.Event()

    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b'data: {"choices": []}\n\n')
        await go_on.wait()
        await response.write(b"data: [DONE]\n\n")
        return response

    house.provider.answer = answer
    async with house.post("/v1/chat/completions", {"messages": [], "stream": True}) as got:
        assert await got.content.readany() == b'data: {"choices": []}\n\n'
        go_on.set()
        assert await got.read() == b"data: [DONE]\n\n"


async def test_hanging_up_is_passed_on_and_still_counted(house: House) -> None:
    await house.use()
    gone = asyncio.Event()

    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            while True:
                await response.write(b'data: {"choices": [{"delta": {"content": "word "}}]}\n\n')
                await asyncio.sleep(0.01)
        except (ConnectionResetError, asyncio.CancelledError):
            gone.set()
            raise

    house.provider.answer = answer
    async with house.post("/v1/chat/completions", {"messages": [], "stream": True}) as got:
        await got.content.readany()
        got.close()
    await asyncio.wait_for(gone.wait(), 10)
    await asyncio.wait_for(house.metered.wait(), 10)
    assert house.used[0].estimated
    assert house.used[0].completion_tokens > 0


async def test_hanging_up_before_the_answer_began(house: House) -> None:
    await house.use()
    asked, gone = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        asked.set()
        try:
            await asyncio.sleep(60)
        finally:
            gone.set()
        return web.Response()

    house.provider.answer = answer
    asking = asyncio.create_task(house.ask())
    await asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(gone.wait(), 10)


async def test_a_dropped_connection_is_tried_once_more(house: House) -> None:
    await house.use()
    dropped: list[int] = []

    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        if len(dropped) < 1:
            dropped.append(1)
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return await streamed(request, OK["stream"])

    house.provider.answer = answer
    assert (await house.ask())[0] == 200
    assert len(house.provider.requests) == 2


async def test_an_error_is_not_repeated_by_the_gateway(house: House) -> None:
    await house.use()
    house.provider.replay(fixture("openai")["cases"]["server-error"])
    assert (await house.ask())[0] == 500
    assert len(house.provider.requests) == 1


@pytest.mark.parametrize(
    ("address", "code", "status"),
    [
        ("http://127.0.0.1:1/v1", "refused", 502),
        ("http://no-such-host.invalid/v1", "dns", 502),
        ("https://127.0.0.1:{port}/v1", "tls", 502),
    ],
)
async def test_unreachable_in_words(house: House, address: str, code: str, status: int) -> None:
    port = house.provider.url.rpartition(":")[2]
    await house.use(base_url=address.format(port=port))
    got, body = await house.ask()
    problem = house.gateway.problem(TASK)
    assert problem is not None
    assert (got, problem.code) == (status, code)
    assert "Can't reach the model at" in json.loads(body)["error"]["message"]


async def test_redirects_are_not_followed_with_the_key(house: House) -> None:
    await house.use()

    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/elsewhere"})

    house.provider.answer = answer
    status, _ = await house.ask()
    assert status >= 400
    assert len(house.provider.requests) == 1


async def test_a_key_in_an_answer_is_blanked(house: House) -> None:
    await house.use()
    said = {"choices": [{"index": 0, "message": {"role": "assistant", "content": f"your key is {KEY}"}}]}

    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        if json.loads(raw).get("stream"):
            return await streamed(request, [f"data: {json.dumps(said)}\n\n", "data: [DONE]\n\n"])
        return plain({"body": said})

    house.provider.answer = answer
    for stream in (True, False):
        status, body = await house.ask(stream=stream)
        assert status == 200
        assert KEY.encode() not in body


async def test_no_model_no_key_other_protocol(house: House) -> None:
    async def code() -> str:
        await house.ask()
        problem = house.gateway.problem(TASK)
        assert problem is not None
        return problem.code

    assert await code() == "no-model"
    await house.use("openai", key=None)
    assert await code() == "model-no-key"
    await house.use("anthropic", "anthropic")
    assert await code() == "model-other-protocol"
    house.chosen = "gone"
    assert await code() == "not-found"
    assert house.provider.requests == []


async def test_refused_without_a_key_says_that_it_is_missing(house: House) -> None:
    """Where there is no keyring, a key is gone after a restart: "incorrect" would send the user to the wrong place."""
    await house.use("custom", key=None)
    house.provider.replay(fixture("openai")["cases"]["bad-key"])
    await house.ask()
    problem = house.gateway.problem(TASK)
    assert problem is not None
    assert problem.code == "model-no-key"


async def test_a_problem_is_forgotten_when_it_works_again(house: House) -> None:
    await house.use()
    house.provider.replay(fixture("openai")["cases"]["overloaded"])
    await house.ask()
    assert house.gateway.problem(TASK) == house.problems[-1]
    house.provider.replay(OK)
    await house.ask()
    assert house.gateway.problem(TASK) is None


async def test_models_lists_the_task_s_own(house: House) -> None:
    await house.use(model="only-one")
    async with house.client.get(f"{house.url}/v1/models", headers={"x-api-key": TOKEN}) as answer:
        assert [entry["id"] for entry in (await answer.json())["data"]] == ["only-one"]


@pytest.mark.parametrize(
    "path", ["/", "/v1/chat", "/gemini/models/x:delete", "/anthropic/v1/files", "/v1/../v1/models"]
)
async def test_nothing_else_is_served(house: House, path: str) -> None:
    await house.use()
    async with house.post(path, {}) as answer:
        assert answer.status == 404
        assert "error" in await answer.json()
    assert house.provider.requests == []


async def test_rubbish_from_the_agent(house: House) -> None:
    await house.use()
    for rubbish in (b"", b"{", b"[]", b"\xff\xfe", b"null"):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with house.client.post(f"{house.url}/v1/chat/completions", data=rubbish, headers=headers) as answer:
            assert answer.status == 400
    assert house.provider.requests == []


async def test_half_a_surrogate_is_no_error(house: House) -> None:
    await house.use()
    house.provider.replay(OK)
    raw = b'{"model": "x", "messages": [{"role": "user", "content": "\\ud83d"}], "stream": true}'
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with house.client.post(f"{house.url}/v1/chat/completions", data=raw, headers=headers) as answer:
        assert answer.status == 200


async def test_the_demo_runs_when_it_is_asked_for(house: House) -> None:
    house.chosen = "demo"
    tool = {"type": "function", "function": {"name": "terminal", "parameters": {"properties": {"command": {}}}}}
    status, body = await house.ask(tools=[tool])
    assert status == 200
    assert b"scripted" in body
    assert house.used[0].cost_usd == 0
    assert house.used[0].priced


async def test_the_scripted_faults_arrive_as_sentences(house: House) -> None:
    running = await demo_model.start(pace=0)
    try:
        for name, code in [
            ("fault-401", "model-key-refused"),
            ("fault-402", "model-no-credit"),
            ("fault-404", "model-not-found"),
            ("fault-429", "model-rate-limit"),
            ("fault-500", "model-failed"),
            ("fault-midstream", "model-cut-off"),
            ("fault-garbage", "model-garbage"),
            ("fault-html", "not-a-model-endpoint"),
        ]:
            await house.use(base_url=running.url, model=name)
            await house.ask()
            problem = house.gateway.problem(TASK)
            assert problem is not None
            assert problem.code == code
    finally:
        await running.stop()


async def test_bridge_is_handed_to_its_handler(house: House) -> None:
    async def bridge(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope["path"]})
        await send({"type": "websocket.close"})

    async with served(build(house.gateway, bridge=bridge)) as url:
        async with house.client.ws_connect(f"{url}/bridge") as socket:
            assert (await socket.receive_str()) == "/bridge"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await house.client.ws_connect(f"{url}/other")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await house.client.ws_connect(f"{house.url}/bridge")
