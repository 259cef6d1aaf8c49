"""A hostile page in a workspace's editor, in real Chromium, against the whole program: it gets nowhere.

What a page there may do to its own editor and to its neighbours is in tests/editor; here it goes for the app.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page

from app.server.endpoint import sign_in_url
from tests.editor.parts import chromium
from tests.program import Json, Program, running

PROBES = """async (target) => {
  const outcome = {};
  const attempt = async (name, act) => {
    try { outcome[name] = await act(); } catch (error) { outcome[name] = "refused"; }
  };
  const url = target.app;
  await attempt("read", async () => (await fetch(url + "/api/tasks")).status);
  await attempt("read with a token", async () =>
    (await fetch(url + "/api/tasks", {headers: {Authorization: "Bearer " + target.guess}})).status);
  await attempt("health", async () => (await (await fetch(url + "/api/health")).text()).length);
  await attempt("page", async () => (await (await fetch(url + "/")).text()).length);
  await attempt("blind post", async () => {
    await fetch(url + "/api/demo", {method: "POST", mode: "no-cors", credentials: "include"});
    return "sent";
  });
  await attempt("beacon", async () => navigator.sendBeacon(url + "/api/demo", "{}") ? "sent" : "refused");
  await attempt("form", async () => {
    const frame = document.createElement("iframe");
    frame.name = "out";
    const form = document.createElement("form");
    form.action = url + "/api/demo"; form.method = "post"; form.target = "out";
    document.body.append(frame, form);
    form.submit();
    await new Promise((done) => setTimeout(done, 1000));
    return "sent";
  });
  const socket = (address, protocols) => new Promise((done) => {
    const opened = new WebSocket(address, protocols);
    opened.onopen = () => done("open");
    opened.onerror = () => done("refused");
    opened.onclose = () => done("refused");
  });
  const ws = url.replace("http", "ws");
  await attempt("socket", () => socket(ws + "/ws/agent", ["twinseat.v1", "bearer." + target.guess]));
  await attempt("bare socket", () => socket(ws + "/ws/agent"));
  await attempt("frame", async () => {
    const frame = document.createElement("iframe");
    frame.src = url + "/";
    document.body.append(frame);
    await new Promise((done) => { frame.onload = done; setTimeout(done, 3000); });
    return frame.contentDocument ? "read" : "refused";
  });
  await attempt("neighbour", async () => (await fetch(target.neighbour)).status);
  await attempt("opener", async () => window.opener ? "there" : "refused");
  await attempt("parent", async () => window.parent === window ? "refused" : String(window.parent.location.href));
  await attempt("storage", async () => JSON.stringify({...localStorage, ...sessionStorage}));
  await attempt("cookies", async () => document.cookie);
  return outcome;
}"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running(Program(tmp_path_factory.mktemp("origins"))) as program:
        program.ask("PATCH", "/api/settings", {"onboarded": True})
        yield program


@pytest.fixture(scope="module")
def editors(program: Program) -> list[Json]:
    """Two workspaces, both with their editors up."""
    both = [program.workspace(name, ready=False) for name in ("victim", "hostile")]
    return [{**one, "status": program.ready(one["id"], "editor")} for one in both]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def test_from_an_editors_origin_the_app_cannot_be_reached(
    program: Program, editors: list[Json], browser: Browser
):
    victim, hostile = (one["status"]["editor_url"] for one in editors)
    context = await browser.new_context()
    # The user is signed in, in the same browser, as in the one-page cockpit.
    cockpit = await context.new_page()
    await cockpit.goto(sign_in_url(program.backend))
    await cockpit.get_by_label("Message to the agent").or_(cockpit.get_by_role("button")).first.wait_for()

    page = await context.new_page()
    await page.goto(hostile, wait_until="commit")
    target = {"app": program.backend.url, "guess": "guess", "neighbour": without_secret(victim)}
    outcome = await attack(page, target)
    await asyncio.sleep(1)

    sent = {name: outcome.pop(name) for name in ("blind post", "beacon", "form")}
    assert set(sent.values()) <= {"sent", "refused"}, "what left was blind"
    assert not program.ask("GET", "/api/tasks")["tasks"], "and did nothing"
    secrets = json.dumps([outcome.pop("storage"), outcome.pop("cookies")])
    assert program.backend.secret not in secrets
    assert "twinseat.token" not in secrets
    assert set(outcome.values()) == {"refused"}, outcome


async def test_framed_in_the_cockpit_an_editor_sees_nothing_of_it(
    program: Program, editors: list[Json], browser: Browser
):
    context = await browser.new_context()
    cockpit = await context.new_page()
    url = sign_in_url(program.backend).replace("/#", f"/?workspace={editors[1]['id']}#")
    await cockpit.goto(url)
    origin = origin_of(editors[1]["status"]["editor_url"])
    frame = await framed(cockpit, origin)
    told = await frame.evaluate(
        """() => {
          const attempt = (act) => { try { return String(act()); } catch { return "refused"; } };
          return [
            attempt(() => window.parent.document.title),
            attempt(() => window.parent.sessionStorage.getItem("twinseat.token")),
            attempt(() => { window.top.location = "http://127.0.0.1:9/"; return "moved"; }),
          ];
        }"""
    )
    assert told[:2] == ["refused", "refused"]
    await asyncio.sleep(1)
    assert cockpit.url.startswith(program.backend.url), "the editor can't lead the cockpit away"


async def attack(page: Page, target: dict[str, str]) -> dict[str, object]:
    """Run as a script of the editor's page would, extension webviews included: that is its origin."""
    return await page.evaluate(PROBES, target)


async def framed(page: Page, origin: str):
    async with asyncio.timeout(60):
        while True:
            for frame in page.frames:
                if frame.url.startswith(origin):
                    return frame
            await page.wait_for_timeout(100)


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def without_secret(url: str) -> str:
    """The neighbour's origin, which a page can find by trying ports, without the path that it can't guess."""
    return f"{origin_of(url)}/"
