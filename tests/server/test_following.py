"""The editor follows the agent: which lines, and to whom they are shown."""

from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editor.bridge import PROTOCOL, Bridge
from app.schemas import Event
from app.server.following import Following, Spot, spot
from tests.editor.parts import Listener

LINES = st.lists(st.text("ab", max_size=2), max_size=12).map("\n".join)


def wrote(new: str, old: str | None = None, **more: Any) -> Event:
    observation = {
        "kind": "FileEditorObservation",
        "command": "create" if old is None else "str_replace",
        "path": "/w/a.py",
        "old_content": old,
        "new_content": new,
        **more,
    }
    return Event(
        position=1,
        id="e",
        task_id="t",
        conversation_id="c",
        seq=1,
        kind="ObservationEvent",
        source="environment",
        at=datetime.now(UTC),
        data={"observation": observation},
    )


def test_a_new_file_is_shown_from_its_top():
    assert spot(wrote("one\ntwo")) == Spot("/w/a.py", 1, 1)


def test_an_edit_is_shown_where_it_changed_something():
    assert spot(wrote("a\nB\nC\nd", "a\nb\nd")) == Spot("/w/a.py", 2, 3)


@pytest.mark.parametrize(
    "event",
    [wrote("x", is_error=True), wrote("x", command="view"), wrote("x", path=None), wrote("x", "y", new_content=None)],
)
def test_what_wrote_nothing_leads_nowhere(event: Event):
    assert spot(event) is None


@given(LINES, LINES)
def test_the_lines_are_always_in_the_file(old: str, new: str):
    place = spot(wrote(new, old))
    assert place is not None
    assert 1 <= place.start <= place.end <= max(len(new.splitlines()), 1)


async def test_an_editor_that_opens_late_is_shown_where_the_agent_is_now():
    async def workspace_of(_: str) -> str:
        return "a"

    async def greet(workspace: str) -> None:
        await following.greet(workspace)

    bridge = Bridge("right", lambda: {"a": "/w"}, greeted=greet)
    following = Following(bridge, workspace_of, lambda: True)
    listener = Listener(bridge)
    try:
        following.saw(wrote("first"))
        following.saw(wrote("x\ny\nZ", "x\ny\nz"))
        async with aiohttp.ClientSession() as client:
            url = f"ws://127.0.0.1:{listener.port}/bridge"
            async with client.ws_connect(url, protocols=(PROTOCOL, "token.right")) as window:
                await window.send_json({"event": "hello", "folder": "/w", "trusted": True})
                request = await window.receive_json(timeout=10)
        assert (request["op"], request["path"], request["line"], request["follow"]) == ("open", "a.py", 3, True)
    finally:
        await following.close()
        await listener.close()
