"""A page of the real program in Chromium, signed in as a user's would be."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page

from app.server.endpoint import sign_in_url
from tests.program import Program

SIZE = {"width": 1280, "height": 860}


@asynccontextmanager
async def page(browser: Browser, scripts: tuple[str, ...] = ()) -> AsyncGenerator[Page]:
    """A page in a fresh profile; `scripts` run in it before any of its own."""
    context = await browser.new_context(viewport=SIZE)
    opened = await context.new_page()
    for script in scripts:
        await opened.add_init_script(script)
    try:
        yield opened
    finally:
        await context.close()


def address(program: Program, workspace: str = "", task: str = "") -> str:
    """The page showing this task, with a single-use code to sign in."""
    url = sign_in_url(program.backend)
    return url.replace("/#", f"/?workspace={workspace}&task={task}#", 1) if task else url


async def value(page: Page, name: str, seconds: float = 60) -> float:
    """What a script of ours puts into `window.<name>`. (Playwright's own wait needs `eval`, which the page forbids.)"""
    async with asyncio.timeout(seconds):
        while not (found := await page.evaluate(f"window.{name}")):
            await page.wait_for_timeout(50)
    return found
