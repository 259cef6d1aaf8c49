"""The first run in a real browser: the real backend, a model that wants a key, a newcomer who changes their mind."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.program import Program, running, scripted

KEY = "sk-the-right-one-0123456789"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with running(Program(tmp_path / "seat")) as program:
        yield program


@pytest.fixture
def page(program: Program) -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 460, "height": 800}, reduced_motion="reduce")
        code = program.ask("POST", "/api/session/codes")["code"]
        page.goto(f"{program.backend.url.rstrip('/')}/?pane=chat#code={code}")
        expect(page.get_by_role("heading", name="Which model does the work?")).to_be_visible()
        yield page
        browser.close()


def test_from_a_wrong_address_and_key_to_a_folder_made_on_the_way(page: Page, program: Program, tmp_path: Path) -> None:
    def press(name: str) -> None:
        page.get_by_role("button", name=name, exact=True).click()

    problem = page.get_by_role("alert")
    with scripted(key=KEY) as url:
        page.get_by_text("Any other").click()
        page.get_by_label("Address").fill(url.removesuffix("/v1"))
        press("Next")
        page.get_by_label("Key", exact=False).first.fill(KEY)
        press("Check and continue")
        expect(problem).to_contain_text("not as a model's API does")
        expect(page.get_by_role("button", name="Type the model's name")).to_be_visible()

        press("Back")
        page.get_by_label("Address").fill(url)
        press("Next")
        page.get_by_label("Key", exact=False).first.fill("sk-wrong")
        press("Check and continue")
        expect(problem).to_contain_text("The key was refused")
        expect(problem).not_to_contain_text("Settings")
        page.get_by_label("Key", exact=False).first.fill(KEY)
        press("Check and continue")

        page.get_by_label("Model", exact=True).fill("fault-402")
        press("Test and continue")
        expect(problem).to_contain_text("No credit left")
        page.get_by_label("Model", exact=True).fill("echo")
        press("Test and continue")
        expect(page.get_by_role("heading", name="A Daytona key, for later")).to_be_visible()

        # Back after the model is stored: the key is still known, and another model takes the first one's place.
        press("Back")
        page.get_by_label("Model", exact=True).fill("ask")
        press("Test and continue")
        expect(page.get_by_role("heading", name="A Daytona key, for later")).to_be_visible()
        [profile] = program.ask("GET", "/api/models")["profiles"]
        assert (profile["model"], profile["has_key"], profile["is_default"]) == ("ask", True, True)
        press("Skip")

        (tmp_path / "file").write_text("")
        page.get_by_label("Folder", exact=True).fill(str(tmp_path / "file"))
        press("Open")
        expect(problem).to_contain_text("A file is where a folder should be")
        page.get_by_label("Folder", exact=True).fill(str(tmp_path / "new/project"))
        press("Open")
        expect(problem).to_contain_text("does not exist")
        press("Make the folder")
        expect(page.get_by_label("Message to the agent")).to_be_visible()
        assert (tmp_path / "new/project").is_dir()
        expect(page.get_by_text(re.compile("Do you trust this project"))).to_be_visible()
