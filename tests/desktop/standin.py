"""A stand-in backend: the few routes the window asks for, a chat page and an editor page that tests can drive.

Each page fetches what to do next from `/test/next`, so a test can give either pane an order and read what it answers.
"""

import hashlib
import hmac
import itertools
import json
import os
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.paths import Paths
from app.server.endpoint import Lock

WORKSPACE = "w1"

PAGE = """<!doctype html><meta charset=utf-8><title>PANE</title>
<style>:root{color-scheme:light dark} body{margin:0;font:13px system-ui;background:BACK;color:FRONT}
a,button{display:block;margin:8px;height:40px;width:200px}</style>
<h1 id=head>PANE</h1><a id=link href="https://example.com/from-PANE">link</a>
<a id=file href="/file" download="report.txt">download</a>
<button id=pop>open</button><textarea id=text rows=4></textarea><script src="/PANE.js"></script>"""

SCRIPT = """
const say = (what) => fetch("/test/said", {method: "POST", body: JSON.stringify(what)});
document.getElementById("pop").onclick = () => window.open("https://example.com/popup-PANE", "_blank", "noopener");
sessionStorage.visits = Number(sessionStorage.visits || 0) + 1;
localStorage.visits = Number(localStorage.visits || 0) + 1;
const drive = async () => {
  say({loaded: location.pathname, visits: sessionStorage.visits, ever: localStorage.visits});
  for (;;) {
    const order = await (await fetch("/test/next?page=PAGE")).json();
    if (!order.name) continue;
    try { say({done: order.id, value: await ORDERS[order.name](...order.values)}); }
    catch (error) { say({done: order.id, error: String(error)}); }
  }
};
const ORDERS = {
  call: (name, ...values) => window.pywebview.api[name](...values),
  bridge: () => [early, typeof window.qt, typeof (window.webkit || {}).messageHandlers],
  text: (id) => document.getElementById(id).value,
  focused: () => document.hasFocus(),
  at: () => document.hasFocus() && document.activeElement.id,
  size: () => [innerWidth, innerHeight, devicePixelRatio],
  where: (id) => { const r = document.getElementById(id).getBoundingClientRect();
    return [r.x + Math.min(r.width, 30) / 2, r.y + Math.min(r.height, 20) / 2]; },
  go: (url) => { setTimeout(() => { location.href = url }, 50); },
  focus: (id) => document.getElementById(id).focus(),
  popup: (url) => window.open(url) === null,
  notices: () => notices,
  dark: () => matchMedia("(prefers-color-scheme: dark)").matches,
};
const notices = [];
window.addEventListener("twinseat:notice", (event) => { event.preventDefault(); notices.push(event.detail.text); });
const early = typeof window.pywebview; // the bridge is there before the page's own scripts
drive();
"""


class PageError(Exception):
    pass


@dataclass
class Stage:
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    codes: int = 0
    asked: list[str] = field(default_factory=list)
    editor: str = "ready"
    tasks: list[dict[str, str]] = field(default_factory=list)
    orders: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"chat": [], "editor": []})
    pages: dict[str, int] = field(default_factory=lambda: {"chat": 0, "editor": 0})
    said: list[dict[str, Any]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    url: str = ""
    lock: Lock | None = None
    editor_url: str = ""

    def heard(self, pane: str, what: dict[str, Any]) -> None:
        with self.changed:
            self.said.append({"pane": pane, **what})
            self.changed.notify_all()

    def next_order(self, pane: str, page: int) -> dict[str, Any]:
        """What the pane should do, or nothing for now. A page that was replaced gets nothing any more."""
        with self.changed:
            self.changed.wait_for(lambda: self.orders[pane] or page != self.pages[pane], 5)
            return self.orders[pane].pop(0) if page == self.pages[pane] and self.orders[pane] else {}

    def new_page(self, pane: str) -> int:
        with self.changed:
            self.pages[pane] += 1
            self.changed.notify_all()
            return self.pages[pane]

    def hear(self, pane: str, key: str, value: object = None, patience: float = 60) -> dict[str, Any]:
        """Wait for the first message of a pane that has `key` (with that value) and take it."""

        def index() -> int | None:
            return next(
                (
                    i
                    for i, one in enumerate(self.said)
                    if one["pane"] == pane and key in one and value in (None, one[key])
                ),
                None,
            )

        with self.changed:
            assert self.changed.wait_for(lambda: index() is not None, patience), f"{pane} said no {key}: {self.said}"
            found = index()
            assert found is not None
            return self.said.pop(found)

    def order(self, pane: str, name: str, *values: object) -> Any:
        """Run one of the page's orders and return its value. A page's error is raised."""
        number = next(self.numbers)
        with self.changed:
            self.orders[pane].append({"id": number, "name": name, "values": values})
            self.changed.notify_all()
        answer = self.hear(pane, "done", number)
        if "error" in answer:
            raise PageError(answer["error"])
        return answer.get("value")

    def status(self) -> dict[str, Any]:
        problem = None
        if self.editor == "failed":
            problem = {"title": "VS Code stopped", "detail": "code-server ended with code 1.", "remedy": "Press Retry."}
        return {
            "state": "ready",
            "phases": [{"name": "Starting the editor", "took": None}],
            "editor": {"state": self.editor, "problem": problem, "log_tail": "line one\nline two"},
            "editor_url": self.editor_url if self.editor == "ready" else None,
        }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self.handle_any()

    def do_POST(self) -> None:
        self.handle_any()

    def handle_any(self) -> None:
        stage, url = self.server.stage, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = parse_qs(url.query)
        pane = "editor" if self.server.is_editor else "chat"
        match url.path:
            case "/":
                back, front = ("#1f1f1f", "#ccc") if pane == "editor" else ("#181818", "#ccc")
                page = PAGE.replace("PANE", pane).replace("BACK", back).replace("FRONT", front)
                # The real backend's policy: pywebview's own bridge fails under it.
                self.answer(
                    200,
                    page,
                    "text/html",
                    {"Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'"},
                )
            case "/chat.js" | "/editor.js":
                script = SCRIPT.replace("PANE", pane).replace("PAGE", str(stage.new_page(pane)))
                self.answer(200, script, "text/javascript")
            case "/file":
                self.answer(
                    200,
                    "content",
                    "application/octet-stream",
                    {"Content-Disposition": 'attachment; filename="report.txt"'},
                )
            case "/test/next":
                self.answer(200, stage.next_order(pane, int(query["page"][0])))
            case "/test/said":
                stage.heard(pane, json.loads(body))
                self.answer(200, {})
            case "/favicon.ico":
                self.answer(404, {})
            case "/api/health":
                nonce = query.get("nonce", [""])[0]
                proof = hmac.new(stage.secret.encode(), nonce.encode(), hashlib.sha256).hexdigest()
                self.answer(200, {"ok": True, "version": "0", "proof": proof})
            case _:
                self.api(url.path)

    def api(self, path: str) -> None:
        stage = self.server.stage
        if self.headers.get("Authorization") != f"Bearer {stage.secret}":
            self.answer(401, {})
            return
        stage.asked.append(f"{self.command} {path}")
        match self.command, path.split("/")[2:]:
            case "POST", ["session", "codes"]:
                stage.codes += 1
                self.answer(200, {"code": str(stage.codes), "url": f"{stage.url}/#code={stage.codes}"})
            case "GET", ["workspaces"]:
                self.answer(200, [])
            case "GET", ["workspaces", "w1"]:
                self.answer(
                    200, {"id": WORKSPACE, "name": "demo", "path": "/demo", "exists": True, "status": stage.status()}
                )
            case "POST", ["workspaces", "w1", "open"] | ["tasks", _, "interrupt"]:
                self.answer(200, {})
            case "POST", ["workspaces", "w1", "retry"]:
                stage.editor = "ready"
                self.answer(200, {})
            case "GET", ["tasks"]:
                self.answer(200, {"tasks": stage.tasks, "more": False})
            case _:
                self.answer(404, {})

    def answer(
        self, status: int, body: object, kind: str = "application/json", extra: dict[str, str] | None = None
    ) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A page that went away while it was being answered is what some tests are about."""

    def __init__(self, stage: Stage, is_editor: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stage, self.is_editor = stage, is_editor
        threading.Thread(target=self.serve_forever, daemon=True).start()


def raise_curtain(data: Path) -> tuple[Stage, list[Server]]:
    """Both servers, and the endpoint file that leads to them."""
    stage = Stage()
    app, editor = Server(stage, False), Server(stage, True)
    stage.url = f"http://127.0.0.1:{app.server_port}"
    stage.editor_url = f"http://127.0.0.1:{editor.server_port}/"
    stage.lock = Lock(Paths(data, data))
    assert stage.lock.acquire()
    endpoint = {"url": stage.url, "pid": os.getpid(), "secret": stage.secret, "version": "0", "started_at": ""}
    (data / "endpoint.json").write_text(json.dumps(endpoint))
    (data / "endpoint.json").chmod(0o600)
    return stage, [app, editor]
