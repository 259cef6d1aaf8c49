"""The backend's side of the bridge to VS Code: a WebSocket that our extension dials, one for each editor window.

Learned by measuring (shared with the extension in `extension/`): 2 ms there and back, a file is visible 80 ms after
`open`. Several windows may show the same folder, and after a reload the former one lingers for hours, so the one that
was focused last, or else came last, is the one that is asked; when it fails to answer, the next one is.

The token opens nothing but this: it lets its holder say which folder it shows, be told what to show, and put a
selection before the user. It never leads to the API.
"""

import asyncio
import contextlib
import hmac
import itertools
import json
import logging
import posixpath
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from app.editor.proxy import Receive, Scope, Send
from app.editor.window import Answer, Gone, Window
from app.problems import Fault

PROTOCOL = "twinseat.bridge.v1"
Theme = Literal["dark", "light", "system"]

_LONGEST_SELECTION = 200_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Selection:
    """What the user asks the agent about: lines `start` to `end` (from 1) of a file of a workspace."""

    workspace_id: str
    path: str
    start: int
    end: int
    text: str

    def frame(self) -> dict[str, str | int]:
        """As the socket's `ask` frame names its parts."""
        return {
            "workspace": self.workspace_id,
            "path": self.path,
            "from": self.start,
            "to": self.end,
            "text": self.text,
        }


class Bridge:
    """All editor windows of one backend.

    `folders` gives the folder of each workspace, as its runtime names it; looked up each time. `asked` is called with
    what the user selected and wants to ask about, `trust_wanted` with a workspace's id when the user presses VS Code's
    own button for trusting the folder, `greeted` with one that an editor window has just opened.
    """

    def __init__(
        self,
        token: str,
        folders: Callable[[], Mapping[str, str]],
        asked: Callable[[Selection], Awaitable[None]] | None = None,
        trust_wanted: Callable[[str], Awaitable[None]] | None = None,
        greeted: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._token = token
        self._folders = folders
        self._asked = asked
        self._trust_wanted = trust_wanted
        self._greeted = greeted
        self._windows: list[Window] = []
        self._theme: Theme | None = None
        self._numbers = itertools.count(1)

    def is_open(self, workspace_id: str) -> bool:
        """Whether an editor window shows this workspace."""
        return bool(self._showing(workspace_id))

    async def open(
        self,
        workspace_id: str,
        path: str,
        line: int | None = None,
        end_line: int | None = None,
        follow: bool = False,
    ) -> bool:
        """Show a file, a folder or lines of a file. `path` is relative to the workspace, or absolute inside it.

        With `follow` the focus stays in the chat and the lines are marked for a moment; False is returned when the
        user was typing in the editor, whose view is then left alone. Raises `Fault`: `editor-not-open`,
        `path-outside`, `file-not-found`, `editor-failed`.
        """
        request = {"op": "open", "path": self._inside(workspace_id, path), "follow": follow}
        if line is not None:
            request |= {"line": line, "endLine": end_line}
        answer = await self._ask(workspace_id, request)
        return answer.get("shown") is True

    async def diff(
        self, workspace_id: str, path: str, before: str, after: str | None = None, title: str | None = None
    ) -> None:
        """Show what changed: `before` against `after`, or against the file as it is now. Raises as `open` does."""
        request = {
            "op": "diff",
            "path": self._inside(workspace_id, path),
            "before": before,
            "after": after,
            "title": title,
        }
        await self._ask(workspace_id, request)

    async def theme(self, name: Theme) -> None:
        """Make the editor dark or light, or let it follow the system; now and whenever one opens."""
        self._theme = name
        # The windows share one settings file, so the one in front tells all of them.
        for window in sorted(self._windows, key=lambda window: -window.rank):
            with contextlib.suppress(Gone, Fault):
                await window.ask(next(self._numbers), {"op": "theme", "kind": name})
                return

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI endpoint that the extension dials. A browser, which always names an Origin, is turned away."""
        if scope["type"] != "websocket":
            await send({"type": "http.response.start", "status": 426, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await receive()
        if not self._may_enter(scope):
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        window = Window(send, rank=next(self._numbers))
        self._windows.append(window)
        tasks: set[asyncio.Task[None]] = set()
        try:
            while (message := await receive())["type"] == "websocket.receive":
                # What an event leads to may ask this very window, so it must not keep its answers from being read.
                if (reaction := self._take(window, message.get("text") or "")) is not None:
                    task = asyncio.create_task(_logged(reaction))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
        finally:
            self._windows.remove(window)
            window.close()
            for task in tasks:
                task.cancel()

    def _may_enter(self, scope: Scope) -> bool:
        offered: list[str] = list(scope.get("subprotocols") or ())
        token = next((one.removeprefix("token.") for one in offered if one.startswith("token.")), "")
        from_browser = any(name == b"origin" for name, _ in scope["headers"])
        known = hmac.compare_digest(token.encode(), self._token.encode())
        return known and PROTOCOL in offered and not from_browser

    def _take(self, window: Window, text: str) -> Awaitable[None] | None:
        """An answer is handed to whoever waits for it; an event may need something to be done. Rubbish is dropped."""
        try:
            message = json.loads(text)
        except ValueError:
            return None
        if not isinstance(message, dict):
            return None
        event = message.get("event")
        if event is None:
            number = message.get("id")
            future = window.waiting.get(number) if isinstance(number, int) else None
            if future is not None and not future.done():
                future.set_result(message)
            return None
        return self._event(window, event, message)

    def _event(self, window: Window, event: object, message: Answer) -> Awaitable[None] | None:
        match event:
            case "hello":
                folder = message.get("folder")
                window.folder = folder if isinstance(folder, str) else None
                window.trusted = message.get("trusted") is True
                window.rank = next(self._numbers)
                return self._welcome(window)
            case "focus":
                window.rank = next(self._numbers)
                return None
            case "ask":
                return self._forward(window, message)
            case "trusted":
                window.trusted = True
                workspace_id = self._workspace(window)
                return self._trust_wanted(workspace_id) if self._trust_wanted and workspace_id else None
            case _:
                return None

    async def _welcome(self, window: Window) -> None:
        if self._theme is not None:
            with contextlib.suppress(Gone, Fault):
                await window.ask(next(self._numbers), {"op": "theme", "kind": self._theme})
        workspace_id = self._workspace(window)
        if self._greeted is not None and workspace_id is not None:
            await self._greeted(workspace_id)

    async def _forward(self, window: Window, message: Answer) -> None:
        workspace_id = self._workspace(window)
        path, start, end, text = (message.get(name) for name in ("path", "from", "to", "text"))
        if workspace_id is None or self._asked is None:
            return
        if isinstance(path, str) and isinstance(start, int) and isinstance(end, int) and isinstance(text, str):
            inside = self._inside(workspace_id, path)
            await self._asked(Selection(workspace_id, inside, start, end, text[:_LONGEST_SELECTION]))

    async def _ask(self, workspace_id: str, request: Answer) -> Answer:
        for window in self._showing(workspace_id):
            with contextlib.suppress(Gone):  # closed, or left over from before a reload
                return await window.ask(next(self._numbers), request)
        raise Fault(
            code="editor-not-open",
            status=409,
            title="No editor is open",
            detail="The editor can't show this, because no editor window of this workspace is open.",
            remedy="Wait until the editor has loaded, or open its pane, then try again.",
        )

    def _showing(self, workspace_id: str) -> list[Window]:
        folder = self._folders().get(workspace_id)
        if folder is None:
            return []
        matching = [window for window in self._windows if window.folder and _same(window.folder, folder)]
        return sorted(matching, key=lambda window: -window.rank)

    def _workspace(self, window: Window) -> str | None:
        if window.folder is None:
            return None
        folders = self._folders()
        return next((key for key, folder in folders.items() if _same(folder, window.folder)), None)

    def _inside(self, workspace_id: str, path: str) -> str:
        """`path` relative to the workspace, with forward slashes. Outside it nothing is shown."""
        folder = posixpath.normpath(self._folders().get(workspace_id, "/"))
        target = posixpath.normpath(posixpath.join(folder, path))
        if "\0" in path or (target != folder and not target.startswith(folder.rstrip("/") + "/")):
            raise Fault(
                code="path-outside",
                status=400,
                title="Outside the workspace",
                detail=f"{path[:200]!r} is outside the workspace's folder, and the editor only shows what is inside.",
                remedy="Name a file of the workspace, relative to its folder.",
            )
        return posixpath.relpath(target, folder)


async def _logged(reaction: Awaitable[None]) -> None:
    try:
        await reaction
    except Exception:
        log.exception("An event of the editor could not be handled")


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")
