"""A hostile page in one workspace's editor origin tries to reach another workspace's editor, in real Chromium.

It is even told the other's whole secret address, which it could not know: Origin, Sec-Fetch-Site and frame-ancestors
have to hold by themselves.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp import WSMsgType, web
from playwright.async_api import Page

from app.editor.origin import Origin, Origins
from app.runtimes.contract import Endpoint

from .parts import chromium

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = "<!doctype html><title>hostile</title><body>hostile</body>"
VICTIM = "<!doctype html><title>victim</title><body>victim <script>window.loaded = true</script></body>"


@dataclass
class Stage:
    page: Page
    hostile: Origin
    victim: Origin
    reached: list[str] = field(default_factory=list[str])
    cookies: list[str] = field(default_factory=list[str])


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stage]:
    reached: list[str] = []
    cookies: list[str] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        if "Cookie" in request.headers:
            cookies.append(request.headers["Cookie"])
        if request.headers["X-Workspace"] == "hostile":
            return web.Response(text=HOSTILE, content_type="text/html", headers={"Set-Cookie": "planted=1; Path=/"})
        reached.append(f"{request.method} {request.path}")
        if request.headers.get("Upgrade") == "websocket":
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    await ws.send_str("a terminal")
            return ws
        return web.Response(text=VICTIM, content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    socket = Path(f"/tmp/ts-{id(app)}")
    await web.UnixSite(runner, str(socket)).start()
    origins = Origins(lambda workspace: Endpoint("http://x", {"X-Workspace": workspace}, socket))
    hostile, victim = await origins.start("hostile"), await origins.start("victim")
    async with chromium() as browser:
        page = await browser.new_page()
        await page.goto(hostile.url)
        yield Stage(page, hostile, victim, reached, cookies)
    await origins.close()
    await runner.cleanup()
    socket.unlink(missing_ok=True)


ATTEMPTS = {
    "read": "fetch(URL).then(r => r.text())",
    "read blindly": "fetch(URL, {mode: 'no-cors'}).then(r => r.text())",
    "write": "fetch(URL, {method: 'POST', body: 'x'}).then(r => r.text())",
    "write blindly": "fetch(URL, {method: 'POST', mode: 'no-cors', body: 'x'}).then(r => r.text())",
    "with cookies": "fetch(URL, {credentials: 'include', mode: 'no-cors'}).then(r => r.text())",
    "beacon": "new Promise(done => { navigator.sendBeacon(URL, 'x'); setTimeout(done, 300); })",
    "script": "new Promise(done => { const s = document.createElement('script'); s.src = URL;"
    " s.onload = () => done('victim'); s.onerror = () => done(''); document.head.append(s); })",
    "image": "new Promise(done => { const i = new Image(); i.src = URL; i.onload = i.onerror = () => done(''); })",
    "form": "new Promise(done => { const f = document.createElement('form'); f.action = URL; f.method = 'POST';"
    " const i = document.createElement('iframe'); i.name = 'hidden'; f.target = 'hidden'; document.body.append(i, f);"
    " f.submit(); setTimeout(done, 500); })",
    "socket": "new Promise(done => { const s = new WebSocket(URL.replace('http', 'ws'));"
    " s.onopen = () => s.send('ls'); s.onmessage = m => done('victim ' + m.data); s.onerror = () => done(''); })",
    "worker": "fetch(URL, {mode: 'same-origin'}).then(r => r.text())",
    "service worker": "navigator.serviceWorker.register(URL).then(() => 'victim')",
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_nothing_reaches_the_other_editor(stage: Stage, attempt: str) -> None:
    stage.reached.clear()
    code = f"(URL) => ({ATTEMPTS[attempt]}).then(text => text ?? '', () => '')"
    result = await asyncio.wait_for(stage.page.evaluate(code, stage.victim.url), 20)
    assert "victim" not in result
    assert stage.reached == []


async def test_a_frame_around_the_other_editor_stays_empty(stage: Stage) -> None:
    await stage.page.evaluate(
        "url => new Promise(done => { const i = document.createElement('iframe'); i.id = 'around'; i.src = url;"
        " i.onload = () => done(); document.body.append(i); })",
        stage.victim.url,
    )
    frame = await (await stage.page.wait_for_selector("#around")).content_frame()
    assert frame is not None
    assert "victim" not in await frame.content()


async def test_an_opened_window_can_not_be_read_or_led(stage: Stage) -> None:
    await stage.page.evaluate("url => { window.other = window.open(url) }", stage.victim.url)
    with pytest.raises(Exception, match="cross-origin"):
        await stage.page.evaluate("() => new Promise(d => setTimeout(d, 300)).then(() => window.other.document.title)")
    await stage.page.evaluate("() => window.other.close()")


async def test_no_cookie_and_no_referrer_leads_anywhere(stage: Stage) -> None:
    assert await stage.page.context.cookies() == []
    await stage.page.evaluate("() => { document.cookie = 'planted=2; path=/' }")  # ports share cookies
    response = await stage.page.goto(stage.victim.url)
    assert response is not None
    assert response.status == 200
    assert stage.cookies == []
    await stage.page.goto(stage.hostile.url)
    assert await stage.page.evaluate("() => document.referrer") == ""


async def test_guessing_the_path_is_answered_like_nothing(stage: Stage) -> None:
    stage.reached.clear()
    port = urlsplit(stage.victim.url).port
    statuses = await stage.page.evaluate(
        "port => Promise.all(['/', '/?folder=/', '/static/', '/vscode-remote-resource?path=/etc/passwd'].map("
        "path => fetch(`http://127.0.0.1:${port}${path}`).then(r => r.status, () => 'refused')))",
        port,
    )
    assert set(statuses) == {"refused"}
    assert stage.reached == []
