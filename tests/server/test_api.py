"""What the API answers: problems in one form, POSTs done once, settings, secrets, workspaces."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp

from app.server.backend import Backend

PROBLEM = "application/problem+json"


async def _problem(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == PROBLEM
    found = await answer.json(content_type=PROBLEM)
    assert {"title", "status", "detail", "code"} <= set(found)
    assert found["status"] == answer.status
    return found


async def test_errors_have_one_form(owner: aiohttp.ClientSession) -> None:
    assert (await _problem(await owner.get("/api/nothing")))["status"] == 404
    refused = await owner.put("/api/settings", json={})
    assert (await _problem(refused))["status"] == 405
    assert "GET" in refused.headers["Allow"]
    assert (await _problem(await owner.get("/api/tasks/nothing")))["code"] == "not-found"
    assert (await _problem(await owner.get("/api/workspaces/nothing")))["code"] == "not-found"
    assert (await _problem(await owner.get("/nothing.js")))["status"] == 404
    assert (await _problem(await owner.post("/")))["status"] == 405


async def test_what_is_wrong_is_said_and_what_was_sent_is_not(owner: aiohttp.ClientSession) -> None:
    key = "sk-this-is-a-secret-value-1234567890"
    for path, body in (
        ("/api/models", {"provider": 1, "model": {"a": key}, "key": key, "nonsense": key}),
        ("/api/models/test", {"provider": "openai", "key": [key]}),
        ("/api/tasks", {"message": key}),
        ("/api/daytona/test", {"key": {"value": key}}),
    ):
        answer = await owner.post(path, json=body)
        assert answer.status == 422
        text = await answer.text()
        assert key not in text
        assert json.loads(text)["errors"]
    answer = await owner.put("/api/secrets/daytona", json={"value": [key]})
    assert answer.status == 422
    assert key not in await answer.text()
    broken = await owner.post("/api/tasks", data=b'{"a": ' + key.encode(), headers={"Content-Type": "application/json"})
    assert broken.status == 422
    assert key not in await broken.text()


async def test_a_defect_shows_a_number_and_no_trace(backend: Backend, owner: aiohttp.ClientSession) -> None:
    def boom() -> None:
        raise RuntimeError("sk-inside-the-error-1234567890")

    backend.parts.workspaces.known = boom  # type: ignore[method-assign]
    found = await _problem(await owner.get("/api/workspaces"))
    assert found["status"] == 500
    assert "RuntimeError" not in json.dumps(found)
    assert "sk-inside" not in json.dumps(found)
    number = found["detail"].split()[-1].rstrip(".")
    lines = [line for line in (backend.paths.logs / "backend.log").read_text().splitlines() if number in line]
    assert "RuntimeError" in json.loads(lines[0])["exception"]
    assert "sk-inside" not in lines[0]


async def test_a_post_is_done_once(backend: Backend, owner: aiohttp.ClientSession, tmp_path: Path) -> None:
    body = {"path": str(tmp_path / "once"), "create": True}
    key = {"Idempotency-Key": "first"}
    first, second = await asyncio.gather(
        owner.post("/api/workspaces", json=body, headers=key), owner.post("/api/workspaces", json=body, headers=key)
    )
    assert await first.json() == await second.json()
    assert sorted(one.headers.get("Idempotency-Replayed", "") for one in (first, second)) == ["", "true"]
    other = await owner.post("/api/workspaces", json={**body, "name": "x"}, headers=key)
    assert (await _problem(other))["code"] == "idempotency-mismatch"
    elsewhere = await owner.post("/api/tasks", json=body, headers=key)
    assert elsewhere.status == 409
    session = backend.parts.sessions.sign_in(backend.parts.sessions.new_code())
    mine = {"Authorization": f"Bearer {session.token}", **key}
    assert (await owner.post("/api/workspaces", json={**body, "name": "x"}, headers=mine)).status == 200
    assert (await owner.post("/api/workspaces", json=body, headers={"Idempotency-Key": "x" * 300})).status == 400


async def test_a_refusal_is_replayed_too(owner: aiohttp.ClientSession, tmp_path: Path) -> None:
    body = {"path": str(tmp_path / "later")}
    key = {"Idempotency-Key": "second"}
    assert (await owner.post("/api/workspaces", json=body, headers=key)).status == 404
    (tmp_path / "later").mkdir()
    again = await owner.post("/api/workspaces", json=body, headers=key)
    assert (await _problem(again))["code"] == "no-such-folder"
    assert (await owner.post("/api/workspaces", json=body)).status == 200


async def test_settings(backend: Backend, owner: aiohttp.ClientSession) -> None:
    line = await owner.ws_connect("/ws/agent", protocols=["twinseat.v1", f"bearer.{backend.parts.secret}"])
    changed = await (await owner.patch("/api/settings", json={"theme": "dark", "default_budget_usd": 2})).json()
    assert changed["theme"] == "dark"
    assert (await line.receive_json())["settings"]["theme"] == "dark"
    assert (await (await owner.patch("/api/settings", json={"default_budget_usd": None})).json())[
        "default_budget_usd"
    ] is None
    assert (await owner.patch("/api/settings", json={"default_budget_usd": -1})).status == 422
    assert (await owner.patch("/api/settings", json={"workspace_base": "relative"})).status == 422
    assert (await owner.patch("/api/settings", json={"warnings": ["x"]})).status == 422
    await line.close()


async def test_a_key_goes_in_and_never_comes_out(backend: Backend, owner: aiohttp.ClientSession) -> None:
    key = "a-planted-key-0123456789"
    assert (await owner.put("/api/secrets/daytona", json={"value": key})).status == 204
    made = await owner.post("/api/models", json={"provider": "openai", "model": "gpt-5", "key": key})
    assert made.status == 200
    assert (await made.json())["has_key"]
    listed = await (await owner.get("/api/secrets")).json()
    assert {one["name"] for one in listed["secrets"]} == {"daytona", f"model:{(await made.json())['id']}"}
    assert "memory" in listed["store"]
    assert listed["warning"]
    for path in ("/api/secrets", "/api/models", "/api/settings", "/api/openapi.json"):
        assert key not in await (await owner.get(path)).text()
    for file in backend.paths.data.rglob("*"):
        if file.is_file():
            assert key.encode() not in file.read_bytes(), file
    assert (await owner.put("/api/secrets/other", json={"value": key})).status == 422
    assert (await owner.delete("/api/secrets/daytona")).status == 204


async def test_rubbish_on_the_socket_is_answered(backend: Backend, owner: aiohttp.ClientSession) -> None:
    line = await owner.ws_connect("/ws/agent", protocols=["twinseat.v1", f"bearer.{backend.parts.secret}"])
    for rubbish in (
        "",
        "null",
        "[]",
        "{}",
        '{"type": "hack"}',
        '{"type":"subscribe","task":{"a":1}}',
        "\x00",
        "[" * 999,
    ):
        await line.send_str(rubbish)
        assert (await line.receive_json())["problem"]["code"] == "bad-frame"
    await line.send_bytes(b"\xff\xfe")
    assert (await line.receive_json())["problem"]["code"] == "bad-frame"
    await line.send_json({"type": "subscribe", "task": "nothing", "after": 0})
    missing = await line.receive_json()
    assert (missing["task"], missing["problem"]["code"]) == ("nothing", "not-found")
    await line.send_json({"type": "unsubscribe", "task": "nothing"})
    await line.send_json({"type": "ping"})
    assert await line.receive_json() == {"type": "pong"}
    for _ in range(60):
        await line.send_str("rubbish")
    while (await line.receive()).type is aiohttp.WSMsgType.TEXT:
        pass
    assert line.closed


async def test_aliases(owner: aiohttp.ClientSession, tmp_path: Path) -> None:
    paths = ("/api/sandbox/status", "/api/agent/status", "/api/files", "/api/workspace/files")
    for path in paths:
        assert (await owner.get(path)).status == 404
    (tmp_path / "one").mkdir()
    (tmp_path / "one/a.txt").write_text("a")
    first = await (await owner.post("/api/workspaces", json={"path": str(tmp_path / "one")})).json()
    for path in paths:
        assert (await owner.get(path)).status == 200
    assert (await (await owner.get("/api/files")).json())[0]["name"] == "a.txt"
    await owner.post("/api/workspaces", json={"path": str(tmp_path / "two"), "create": True})
    for path in paths:
        assert (await owner.get(path)).status == 422
        assert (await owner.get(path, params={"workspace": first["id"]})).status == 200
