"""The bridge's own rules: who may connect, which of several windows is asked, what rubbish and silence do."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editor import window as window_module
from app.editor.bridge import PROTOCOL, Bridge, Selection
from app.problems import Fault

from .parts import Listener, until

FOLDERS = {"a": "/home/me/a", "b": "/home/me/b/"}


@dataclass
class Wire:
    """A bridge, and windows that dial it as the extension does."""

    bridge: Bridge
    url: str
    client: aiohttp.ClientSession
    asked: list[Selection] = field(default_factory=list[Selection])
    trusted: list[str] = field(default_factory=list[str])

    async def window(self, folder: str | None, **hello: Any) -> aiohttp.ClientWebSocketResponse:
        before = len(self.bridge._windows)
        ws = await self.client.ws_connect(self.url, protocols=(PROTOCOL, "token.right"))
        await ws.send_json({"event": "hello", "folder": folder, "trusted": True, **hello})
        await until(lambda: len(self.bridge._windows) > before and self.bridge._windows[-1].folder == folder)
        return ws


@pytest.fixture
async def wire() -> AsyncGenerator[Wire]:
    asked: list[Selection] = []
    trusted: list[str] = []

    async def on_ask(selection: Selection) -> None:
        asked.append(selection)

    async def on_trust(workspace_id: str) -> None:
        trusted.append(workspace_id)

    bridge = Bridge("right", lambda: FOLDERS, on_ask, on_trust)
    listener = Listener(bridge)
    async with aiohttp.ClientSession() as client:
        yield Wire(bridge, f"ws://127.0.0.1:{listener.port}/bridge", client, asked, trusted)
    await listener.close()


async def serve(ws: aiohttp.ClientWebSocketResponse, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> list[str]:
    """Answer one request as a window would."""
    request = await ws.receive_json(timeout=10)
    await ws.send_json({"id": request["id"], **answer(request)})
    return [request["op"], request.get("path", "")]


def shown(_: dict[str, Any]) -> dict[str, Any]:
    return {"ok": True, "result": {"shown": True}}


async def answered(work: Awaitable[Any], *windows: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(work, *windows)


@pytest.mark.parametrize(
    ("protocols", "headers"),
    [
        ((PROTOCOL,), {}),
        ((PROTOCOL, "token.wrong"), {}),
        ((PROTOCOL, "token."), {}),
        (("token.right",), {}),
        ((), {}),
        ((PROTOCOL, "token.right"), {"Origin": "http://127.0.0.1:8000"}),
        ((PROTOCOL, "token.right"), {"Origin": "null"}),
    ],
)
async def test_who_may_connect(wire: Wire, protocols: tuple[str, ...], headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await wire.client.ws_connect(wire.url, protocols=protocols, headers=headers)
    assert refused.value.status == 403


async def test_it_is_no_page(wire: Wire) -> None:
    async with wire.client.get(wire.url.replace("ws", "http", 1)) as answer:
        assert answer.status == 426


async def test_the_window_of_the_folder_is_asked(wire: Wire) -> None:
    a, b = await wire.window("/home/me/a"), await wire.window("/home/me/b")
    assert await answered(wire.bridge.open("b", "x/y.py", line=3), serve(b, shown)) == [True, ["open", "x/y.py"]]
    assert await answered(wire.bridge.diff("a", "/home/me/a/z", "before"), serve(a, shown)) == [None, ["diff", "z"]]


async def test_the_newest_then_the_last_focused_window_is_asked(wire: Wire) -> None:
    first, second = await wire.window("/home/me/a"), await wire.window("/home/me/a")
    assert (await answered(wire.bridge.open("a", "one"), serve(second, shown)))[1] == ["open", "one"]
    await first.send_json({"event": "focus"})
    await until(lambda: wire.bridge._windows[0].rank > wire.bridge._windows[1].rank)
    assert (await answered(wire.bridge.open("a", "two"), serve(first, shown)))[1] == ["open", "two"]
    await first.close()
    await until(lambda: len(wire.bridge._windows) == 1)
    assert (await answered(wire.bridge.open("a", "three"), serve(second, shown)))[1] == ["open", "three"]


async def test_a_silent_or_closing_window_is_passed_over(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_module, "_PATIENCE", 0.3)
    older, silent = await wire.window("/home/me/a"), await wire.window("/home/me/a")
    opening = asyncio.create_task(wire.bridge.open("a", "f"))
    assert (await serve(older, shown))[0] == "open"
    assert await opening
    assert (await silent.receive_json())["op"] == "open"

    async def leave() -> None:
        await silent.receive_json(timeout=10)
        await silent.close()

    assert (await answered(wire.bridge.open("a", "g"), leave(), serve(older, shown)))[0] is True


async def test_nothing_open_is_a_sentence(wire: Wire) -> None:
    await wire.window("/home/me/b")
    for workspace in ("a", "unknown"):
        assert not wire.bridge.is_open(workspace)
        with pytest.raises(Fault) as none:
            await wire.bridge.open(workspace, "f")
        assert none.value.code == "editor-not-open"
        assert none.value.detail.endswith(".")


@pytest.mark.parametrize(("code", "expected"), [("not-found", "file-not-found"), ("failed", "editor-failed")])
async def test_a_refusal_keeps_its_words(wire: Wire, code: str, expected: str) -> None:
    window = await wire.window("/home/me/a")
    refusal = {"ok": False, "code": code, "message": "f is a directory."}
    with pytest.raises(Fault) as refused:
        await answered(wire.bridge.open("a", "f"), serve(window, lambda _: refusal))
    assert refused.value.code == expected
    assert "f is a directory." in refused.value.detail


async def test_the_theme_goes_to_the_window_in_front_and_to_every_new_one(wire: Wire) -> None:
    await wire.bridge.theme("light")
    first = await wire.window("/home/me/a")
    assert (await serve(first, shown))[0] == "theme"
    second = await wire.window("/home/me/b")
    assert (await second.receive_json())["kind"] == "light"
    seen: list[Any] = []
    await answered(wire.bridge.theme("dark"), serve(second, lambda request: seen.append(request["kind"]) or shown({})))
    assert seen == ["dark"]


async def test_ask_and_trust_reach_the_backend(wire: Wire) -> None:
    window = await wire.window("/home/me/b")
    question = {"event": "ask", "path": "src/x.py", "from": 2, "to": 4, "text": "code"}
    await window.send_json(question | {"path": "../../etc/passwd"})
    await window.send_json(question | {"from": "2"})
    await window.send_json(question)
    await window.send_json({"event": "trusted"})
    await until(lambda: wire.trusted)
    assert wire.asked == [Selection("b", "src/x.py", 2, 4, "code")]
    assert wire.trusted == ["b"]


@pytest.mark.parametrize(
    "rubbish",
    [
        "{",
        "[]",
        "null",
        "7",
        '{"id": 1}',
        '{"id": [1]}',
        '{"id": {"a": 1}, "ok": true}',
        '{"event": 5}',
        '{"event": ["hello"]}',
        '{"event": "hello", "folder": 5}',
        '{"event": "hello"}',
        b"\0\xff",
    ],
)
async def test_rubbish_changes_nothing(wire: Wire, rubbish: str | bytes) -> None:
    other = await wire.window("/home/me/b")
    await (other.send_bytes(rubbish) if isinstance(rubbish, bytes) else other.send_str(rubbish))
    window = await wire.window("/home/me/a")
    await (window.send_bytes(rubbish) if isinstance(rubbish, bytes) else window.send_str(rubbish))
    await window.send_json({"event": "hello", "folder": "/home/me/a"})
    assert (await answered(wire.bridge.open("a", "f"), serve(window, shown)))[0] is True


@given(
    st.lists(st.sampled_from(["..", ".", "a", "b", "", "home", "me", "x y", "\0", "..."]), max_size=8), st.booleans()
)
def test_no_path_leads_outside(parts: list[str], absolute: bool) -> None:
    bridge = Bridge("t", lambda: FOLDERS)
    path = ("/" if absolute else "") + "/".join(parts)
    try:
        inside = bridge._inside("a", path)
    except Fault as fault:
        assert fault.code == "path-outside"
        return
    assert not inside.startswith(("/", "../"))
    assert inside != ".."
    assert "\0" not in inside


def test_frames_are_json() -> None:
    frame = Selection("w", "p", 1, 2, "t").frame()
    assert json.loads(json.dumps(frame)) == {"workspace": "w", "path": "p", "from": 1, "to": 2, "text": "t"}
