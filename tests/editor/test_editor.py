"""The real VS Code in a real browser, through our proxy, led by the bridge."""

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Locator, Page, expect

from app.editor.bridge import Bridge, Selection
from app.editor.code_server import page as page_of
from app.editor.origin import Origin, Origins
from app.problems import Fault
from app.schemas import Part, Problem

from .parts import CodeServer, Listener, chromium, explorer, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKSPACE = "ws1"
LINES = "".join(f"line_{number} = {number}\n" for number in range(1, 201))


@dataclass
class Seat:
    """Everything between a workspace's folder and the browser."""

    folder: Path
    server: CodeServer
    origins: Origins
    origin: Origin
    bridge: Bridge
    context: BrowserContext
    page: Page
    asked: list[Selection] = field(default_factory=list[Selection])
    requests: list[str] = field(default_factory=list[str])

    @property
    def url(self) -> str:
        return self.origin.url + page_of(str(self.folder))

    async def connected(self) -> None:
        await until(lambda: self.bridge.is_open(WORKSPACE))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def seat(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Seat]:
    root = tmp_path_factory.mktemp("editor")
    folder = root / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "main.py").write_text(LINES)
    (folder / "src" / "other.py").write_text("OTHER = 1\n")
    asked: list[Selection] = []

    async def ask(selection: Selection) -> None:
        asked.append(selection)

    bridge = Bridge("bridge-token", lambda: {WORKSPACE: str(folder)}, asked=ask)
    listener = Listener(bridge)
    server = CodeServer(
        root, bridge_url=f"ws://127.0.0.1:{listener.port}/bridge", bridge_token="bridge-token", theme="dark"
    )
    await server.start()
    origins = Origins(lambda _: server.endpoint, lambda _: _state(server), ["http://127.0.0.1:9"])
    origin = await origins.start(WORKSPACE)
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1200, "height": 800})
        page = await context.new_page()
        seat = Seat(folder, server, origins, origin, bridge, context, page, asked)
        context.on("request", lambda request: seat.requests.append(request.url))
        await page.goto(seat.url)
        await explorer(page, "main.py")
        await seat.connected()
        yield seat
    await origins.close()
    await listener.close()
    await server.close()


def _state(server: CodeServer) -> Part:
    if server.process is not None:
        return Part(state="ready")
    problem = Problem(title="Stopped", status=503, detail="VS Code's server ended with signal 9.", code="editor-died")
    return Part(state="failed", problem=problem, log_tail="the last line of its log")


def editor_line(page: Page, text: str) -> Locator:
    words = r"\s".join(re.escape(word) for word in text.split())  # the editor's spaces do not break
    return page.locator(".editor-group-container .view-line", has_text=re.compile(rf"^{words}$"))


async def test_it_loads_from_its_own_origin_only_and_leaves_no_cookie(seat: Seat) -> None:
    outside = [url for url in seat.requests if not url.startswith((seat.origin.url, "data:", "blob:"))]
    assert outside == []
    assert len(seat.requests) > 5
    assert [one for one in await seat.context.cookies() if one.get("httpOnly")] == []
    # No panel of somebody else's agent, no welcome page.
    assert await seat.page.locator(".part.auxiliarybar:visible").count() == 0
    assert await seat.page.locator(".editor-group-container .tab").count() == 0


async def test_open_shows_the_file_at_the_line(seat: Seat) -> None:
    assert await seat.bridge.open(WORKSPACE, "main.py", line=150, end_line=152)
    await editor_line(seat.page, "line_150 = 150").wait_for()
    await expect(seat.page.locator("#status\\.editor\\.selection")).to_contain_text("Ln 152")
    assert await seat.bridge.open(WORKSPACE, str(seat.folder / "src/other.py"))
    await editor_line(seat.page, "OTHER = 1").wait_for()


async def test_follow_marks_the_lines(seat: Seat) -> None:
    # A click of another test may still count as the user's hands on the editor.
    await until(lambda: seat.bridge.open(WORKSPACE, "main.py", line=40, end_line=42, follow=True))
    await editor_line(seat.page, "line_40 = 40").wait_for()
    await expect(seat.page.locator(".view-overlays [class*=TextEditorDecorationType]").first).to_be_attached()


async def test_follow_leaves_the_view_to_a_user_who_types(seat: Seat) -> None:
    await seat.bridge.open(WORKSPACE, "main.py", line=1)
    await editor_line(seat.page, "line_1 = 1").click()
    await seat.page.keyboard.press("ArrowDown")
    async with asyncio.timeout(20):  # until the key has reached the extension
        while await seat.bridge.open(WORKSPACE, "src/other.py", follow=True):
            await seat.page.keyboard.press("ArrowDown")


async def test_diff_shows_before_and_now(seat: Seat) -> None:
    before = LINES.replace("line_3 = 3\n", "line_3 = 'three'\n")
    await seat.bridge.diff(WORKSPACE, "main.py", before, title="main.py: the agent's change")
    await expect(seat.page.locator(".tab.active")).to_contain_text("the agent's change")
    original = seat.page.locator(".diff-editor-gutter, .monaco-diff-editor")
    await original.first.wait_for()
    await seat.page.locator(".monaco-diff-editor .view-line", has_text="'three'").first.wait_for()


async def test_a_deleted_file_has_a_diff_too(seat: Seat) -> None:
    await seat.bridge.diff(WORKSPACE, "gone.py", "it = 'was here'\n")
    await seat.page.locator(".monaco-diff-editor .view-line", has_text="was here").first.wait_for()


async def test_theme(seat: Seat) -> None:
    body = seat.page.locator(".monaco-workbench")
    await expect(body).to_have_class(re.compile(r"\bvs-dark\b"))
    await seat.bridge.theme("light")
    await expect(body).to_have_class(re.compile(r"light_modern-json"))
    await seat.bridge.theme("dark")
    await expect(body).to_have_class(re.compile(r"dark_modern-json"))
    await seat.bridge.theme("system")
    await seat.page.emulate_media(color_scheme="light")
    await expect(body).to_have_class(re.compile(r"light_modern-json"))
    await seat.page.emulate_media(color_scheme="dark")
    await expect(body).to_have_class(re.compile(r"dark_modern-json"))
    await seat.bridge.theme("light")
    await expect(body).to_have_class(re.compile(r"light_modern-json"))
    await seat.bridge.theme("dark")
    await expect(body).to_have_class(re.compile(r"dark_modern-json"))


async def test_paths_outside_are_refused_and_missing_files_named(seat: Seat) -> None:
    for path in ("../secret", "/etc/passwd", "src/../../x", "a\0b"):
        with pytest.raises(Fault) as refused:
            await seat.bridge.open(WORKSPACE, path)
        assert refused.value.code == "path-outside"
    with pytest.raises(Fault) as missing:
        await seat.bridge.open(WORKSPACE, "no/such.py")
    assert missing.value.code == "file-not-found"


async def test_ask_about_a_selection(seat: Seat) -> None:
    await seat.bridge.open(WORKSPACE, "main.py", line=5, end_line=6)
    await editor_line(seat.page, "line_5 = 5").wait_for()
    await expect(seat.page.locator("#status\\.editor\\.selection")).to_contain_text("selected")
    await seat.page.keyboard.press("Control+k")
    await seat.page.keyboard.press("Control+g")
    await until(lambda: seat.asked)
    assert seat.asked[0].frame() == {
        "workspace": WORKSPACE,
        "path": "main.py",
        "from": 5,
        "to": 6,
        "text": "line_5 = 5\nline_6 = 6",
    }


async def test_a_terminal_works_and_does_not_know_the_bridges_token(seat: Seat) -> None:
    await seat.page.keyboard.press("Control+Shift+Backquote")
    await seat.page.locator(".terminal-wrapper.active .xterm-screen").wait_for()
    await seat.page.locator(".terminal-wrapper.active .xterm-screen").click()
    await seat.page.keyboard.type("env > seen.env; code-server --version > version.txt; echo done > finished.txt\n")
    await until((seat.folder / "finished.txt").exists)
    seen = (seat.folder / "seen.env").read_text()
    assert "bridge-token" not in seen
    assert "TWINSEAT" not in seen
    assert (seat.folder / "version.txt").read_text().startswith("1.")


async def test_it_reconnects_after_the_proxy_was_restarted(seat: Seat) -> None:
    await seat.origins.stop(WORKSPACE)
    again = await seat.origins.start(WORKSPACE, seat.origin.port, seat.origin.secret)
    assert again == seat.origin
    (seat.folder / "after-restart.txt").write_text("x")
    await explorer(seat.page, "after-restart.txt")


async def test_a_dead_server_has_a_page_with_the_reason_and_a_retry(seat: Seat) -> None:
    await seat.server.stop()
    answer = await seat.page.goto(seat.url)
    assert answer is not None
    assert answer.status == 503
    await expect(seat.page.get_by_role("status")).to_have_text("VS Code's server ended with signal 9.")
    await expect(seat.page.locator("pre")).to_have_text("the last line of its log")
    await seat.page.get_by_role("button", name="Retry").click()
    await expect(seat.page.get_by_role("status")).to_be_visible()
    with pytest.raises(Fault) as closed:
        await seat.bridge.open(WORKSPACE, "main.py")
    assert closed.value.code == "editor-not-open"
    await seat.server.start()  # the page looks by itself
    await explorer(seat.page, "main.py")
    await seat.connected()
    assert await seat.bridge.open(WORKSPACE, "main.py", line=7)
