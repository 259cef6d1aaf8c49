"""Each provider's ways, replayed through the real gateway: what the agent gets, what is counted, what is said."""

import json

import pytest

from tests.gateway.parts import KEY, TASK, House, cases, fixture


@pytest.mark.parametrize(("file", "name"), cases(), ids=lambda part: part)
async def test_case(house: House, file: str, name: str) -> None:
    whole = fixture(file)
    case, protocol = whole["cases"][name], whole["protocol"]
    expect = case["expect"]
    assert whole["source"]
    model = {"deepseek": "deepseek-chat", "openai": "gpt-5.1"}.get(whole["provider"], "m")
    await house.use(whole["provider"], protocol, model)
    house.provider.replay(case)

    status, body = await house.ask(protocol, stream=not case.get("whole", False))

    assert status == expect["status"], body
    assert KEY.encode() not in body
    problem = house.gateway.problem(TASK)
    assert (problem.code if problem else None) == expect.get("code")
    if problem is not None:
        assert problem.detail.endswith((".", "!"))
        assert problem.remedy
        said = json.dumps(problem.detail)[1:-1].encode()
        assert (said in body) is not expect.get("said_upstream", False)
    if status >= 400:
        assert house.used == []
        assert "error" in json.loads(body)
    elif not expect.get("code") and "stream" in case:
        assert body == "".join(case["stream"]).encode()
    if "usage" in expect:
        (used,) = house.used
        got = used.model_dump()
        assert {field: got[field] for field in expect["usage"]} == expect["usage"]
        assert used.requests == 1


async def test_retry_after_is_passed_on(house: House) -> None:
    await house.use("openai")
    house.provider.replay(fixture("openai")["cases"]["rate-limit"])
    async with house.post("/v1/chat/completions", {"messages": []}) as answer:
        assert answer.status == 429
        assert answer.headers["Retry-After"] == "3"
        assert answer.headers["x-ratelimit-reset-tokens"] == "2.4s"


async def test_a_refused_parameter_is_left_out_from_then_on(house: House) -> None:
    await house.use("mistral")
    house.provider.replay(fixture("mistral")["cases"]["refuses-stream-options"])
    await house.ask()
    await house.ask()
    sent = ["stream_options" in body for _, _, body in house.provider.requests]
    assert sent == [True, False, False]
