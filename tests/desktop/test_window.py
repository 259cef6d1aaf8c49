"""The real window on a virtual display, with Qt and with GTK."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.desktop.conftest import Desk, becomes, eventually
from tests.desktop.standin import PageError

both = pytest.mark.parametrize("desk", ["qt", "gtk"], indirect=True)


@both
def test_a_day_in_both_panes(desk: Desk) -> None:
    """One window, many looks: starting one is the expensive part."""
    window, stage = desk.launch(), desk.stage
    stage.hear("chat", "loaded")
    stage.hear("editor", "loaded")

    # Two panes share the width, the bridge is the chat's alone.
    _, _, width, _ = desk.frame()
    chat, editor = stage.order("chat", "size")[0], stage.order("editor", "size")[0]
    assert chat + editor == pytest.approx(width, abs=8)
    assert editor / width == pytest.approx(0.62, abs=0.02)
    assert stage.order("chat", "bridge")[0] == "object"
    assert stage.order("editor", "bridge") == ["undefined"] * 3
    assert "POST /api/workspaces/w1/open" in stage.asked

    assert stage.order("chat", "dark") is True  # the window remembered the theme
    assert stage.order("editor", "dark") is True

    # The bridge works under the page's policy and refuses what is not on its list.
    assert stage.order("chat", "call", "focus_editor") is None
    eventually(lambda: stage.order("editor", "focused"))
    for name, values, words in (
        ("show_workspace", ["../x"], "no workspace"),
        ("theme", ["pink"], "one of system"),
        ("open_external", [7], "must be text"),
        ("save_file", ["a", "b", "c", "d"], "no such function"),
    ):
        with pytest.raises(PageError, match=words):
            stage.order("chat", "call", name, *values)
    assert stage.order("chat", "call", "open_external", "file:///etc/passwd") is False

    # The chord moves the focus, and typing follows it.
    desk.keys("ctrl+F6")
    eventually(lambda: stage.order("chat", "focused"))
    for pane in ("chat", "editor"):
        desk.click(pane, "text")
        eventually(lambda pane=pane: stage.order(pane, "at") == "text")
        desk.tool("type", "hello")
        becomes(lambda pane=pane: stage.order(pane, "text", "text"), "hello")
    desk.keys("ctrl+a", "ctrl+c", "ctrl+F6")
    eventually(lambda: stage.order("chat", "focused"))
    stage.order("chat", "focus", "text")
    desk.keys("ctrl+v")
    eventually(lambda: "hellohello" in stage.order("chat", "text", "text"))

    # Zoom keys, which no page here uses.
    before = stage.order("chat", "size")
    desk.keys("ctrl+equal")
    eventually(lambda: stage.order("chat", "size")[0] < before[0])
    desk.keys("ctrl+0")
    eventually(lambda: stage.order("chat", "size") == before)

    # Links and new windows open outside; pages stay where they are.
    for pane in ("chat", "editor"):
        desk.click(pane, "link")
        eventually(lambda pane=pane: f"https://example.com/from-{pane}" in desk.outside())
        desk.click(pane, "pop")
        eventually(lambda pane=pane: f"https://example.com/popup-{pane}" in desk.outside())
    # A script that navigates without the user having done anything goes nowhere, inside or outside.
    time.sleep(5.2)  # Chromium's span of a user's activation
    for pane in ("chat", "editor"):
        for url in ("http://127.0.0.1:9/elsewhere", "file:///etc/passwd", "mailto:a@example.com"):
            stage.order(pane, "go", url)
            time.sleep(0.2)
        stage.order(pane, "popup", "https://example.com/unasked")
        assert stage.order(pane, "text", "text").startswith("hello")
    assert len(desk.outside()) == 4

    # Downloads land, never on top of another, with a notice in the chat.
    for pane, name in (("editor", "report.txt"), ("chat", "report (2).txt")):
        desk.click(pane, "file")
        saved = desk.home / "Downloads" / name
        eventually(lambda saved=saved: saved.exists() and saved.read_text() == "content")
        eventually(lambda name=name: any(name in one for one in stage.order("chat", "notices")))

    # A renderer that is killed is loaded again, and that is said; the session storage is still there.
    for pid in desk.renderers(window):
        os.kill(pid, signal.SIGKILL)
    for pane in ("chat", "editor"):
        assert stage.hear(pane, "loaded", patience=40)["visits"] == "2"
    eventually(lambda: any("loaded again" in one for one in stage.order("chat", "notices")))

    # A second launch raises the first window and ends.
    desk.tool("windowminimize", desk.main())
    eventually(lambda: desk.tool("search", "--onlyvisible", "--name", "Twinseat$") == "")
    assert desk.launch().wait(15) == 0
    eventually(lambda: desk.active() == desk.main())
    assert window.poll() is None


@both
def test_the_layout_is_remembered(desk: Desk) -> None:
    window, stage = desk.opened(), desk.stage
    x, y, width, height = desk.frame()
    handle = x + width - stage.order("chat", "size")[0] - 3
    desk.drag(handle, handle - 150, y + height / 2)
    eventually(lambda: desk.remembered().get("split", 1) < 0.52)
    desk.tool("windowmove", desk.main(), 40, 60, "windowsize", desk.main(), 1000, 640)
    eventually(lambda: desk.frame()[2:] == (1000, 640))
    moved = desk.frame()
    time.sleep(0.3)  # the toolkit hears of its move after the server made it
    desk.keys("alt+F4")
    assert window.wait(15) == 0
    assert (desk.remembered()["width"], desk.remembered()["height"]) == (1000, 640)
    split = desk.remembered()["split"]

    again = desk.opened()
    assert desk.frame() == pytest.approx(moved, abs=3)
    assert stage.order("editor", "size")[0] / 1000 == pytest.approx(split, abs=0.02)
    # What the editor stores is kept, what either stores for a session is not.
    x, y, width, height = desk.frame()
    handle = x + width - stage.order("chat", "size")[0] - 3
    desk.tool("mousemove", handle, y + 300, "click", "--repeat", 2, "--delay", 60, 1)
    eventually(lambda: desk.remembered()["split"] == pytest.approx(0.62, abs=0.01))
    # The panes have least widths.
    handle = x + width - stage.order("chat", "size")[0] - 3
    desk.drag(handle, x + width - 20, y + 300)
    eventually(lambda: stage.order("chat", "size")[0] in range(299, 304))
    desk.keys("alt+F4")
    assert again.wait(15) == 0


@both
def test_storage_of_both_panes_outlives_the_window(desk: Desk) -> None:
    window = desk.launch()
    assert desk.stage.hear("editor", "loaded")["ever"] == "1"
    desk.stage.hear("chat", "loaded")
    time.sleep(1)  # the engines write what pages store a moment later
    desk.keys("alt+F4")
    assert window.wait(15) == 0
    desk.launch()
    assert desk.stage.hear("editor", "loaded")["ever"] == "2"
    assert desk.stage.hear("chat", "loaded")["ever"] == "2"


@both
def test_closing_with_a_task_running_asks(desk: Desk) -> None:
    window, stage = desk.opened(), desk.stage
    stage.tasks = [{"id": "t1", "state": "running"}, {"id": "t2", "state": "finished"}]
    main = desk.main()

    def dialog() -> str:
        desk.keys("alt+F4")
        return eventually(lambda: found if (found := desk.active()) and found != main else "")

    for stay in ("Escape", "alt+c"):
        dialog()
        desk.keys(stay)
        eventually(lambda: desk.active() == main)
        assert window.poll() is None
    dialog()
    desk.keys("alt+s")
    assert window.wait(15) == 0
    assert [one for one in stage.asked if "interrupt" in one] == ["POST /api/tasks/t1/interrupt"]

    window = desk.opened()
    main = desk.main()
    dialog()
    desk.keys("Return")  # keeping it running is the default
    assert window.wait(15) == 0
    assert len([one for one in stage.asked if "interrupt" in one]) == 1


def retry_button(desk: Desk) -> tuple[int, int] | None:
    """Where a page of our own draws its Retry button, the lowest thing in the accent colour."""
    picture, accent = desk.picture().convert("RGB"), (0, 120, 212)
    spots = [(x, y) for x in range(0, 1400, 4) for y in range(0, 900, 4) if picture.getpixel((x, y)) == accent]
    return max(spots, key=lambda spot: spot[1]) if len(spots) > 20 else None


def test_a_failed_editor_says_why_and_retries(desk: Desk) -> None:
    desk.stage.editor = "failed"
    desk.launch()
    desk.stage.hear("chat", "loaded")
    spot = eventually(lambda: retry_button(desk))
    desk.tool("mousemove", *spot, "click", 1)
    desk.stage.hear("editor", "loaded")
    assert "POST /api/workspaces/w1/retry" in desk.stage.asked


def test_a_pane_that_keeps_dying_is_not_loaded_for_ever(desk: Desk) -> None:
    window = desk.opened()
    for again in (True, True, False):
        for pid in desk.renderers(window):
            os.kill(pid, signal.SIGKILL)
        if again:
            for pane in ("chat", "editor"):
                desk.stage.hear(pane, "loaded")
    spot = eventually(lambda: retry_button(desk))
    desk.tool("mousemove", *spot, "click", 1)
    eventually(lambda: any("loaded" in one for one in desk.stage.said))


def test_without_a_display_it_serves_to_a_browser(desk: Desk) -> None:
    del desk.environment["DISPLAY"]
    process = desk.launch("")
    assert process.stderr is not None
    lines = [process.stderr.readline().decode() for _ in range(3)]
    assert "no display" in lines[0]
    assert f"{desk.stage.url}/#code=1" in lines[1]
    assert "ssh -L" in lines[2]
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def test_a_squatter_never_hears_the_secret(desk: Desk) -> None:
    """Whoever answers at the remembered address without the proof is asked nothing and shown nowhere."""
    endpoint = json.loads((desk.data / "endpoint.json").read_text())
    (desk.data / "endpoint.json").write_text(json.dumps({**endpoint, "secret": "another"}))
    process = desk.launch("")
    time.sleep(3)
    assert desk.stage.asked == []
    assert desk.stage.said == []
    assert process.poll() is None


def test_the_window_s_memory_is_closed(desk: Desk) -> None:
    window = desk.opened()
    # An undumpable process's files in /proc belong to root: no other process of the user reads its memory.
    assert Path(f"/proc/{window.pid}/mem").stat().st_uid == 0
