"""One editor window's connection to the bridge: a request, its answer, and what is said when there is none."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from app.editor.proxy import Send
from app.problems import Fault

Answer = dict[str, Any]

# The extension reads a file, VS Code lays an editor out: seconds on a machine that is busy starting everything else.
_PATIENCE = 15.0


class Gone(Exception):
    """The window closed, or is silent."""


@dataclass(eq=False)
class Window:
    """One editor window's connection. `rank` grows with each focus: the highest is the one in front of the user."""

    send: Send
    rank: int
    folder: str | None = None
    trusted: bool = True
    waiting: dict[int, asyncio.Future[Answer]] = field(default_factory=dict[int, asyncio.Future[Answer]])

    async def ask(self, number: int, request: Answer) -> Answer:
        """The answer to a request. Raises `Gone`, or `Fault` with the extension's own words."""
        future = self.waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.send({"type": "websocket.send", "text": json.dumps({"id": number, **request})})
                answer = await future
        except (TimeoutError, RuntimeError, OSError) as error:
            raise Gone from error
        finally:
            self.waiting.pop(number, None)
        if answer.get("ok") is True:
            result = answer.get("result")
            return result if isinstance(result, dict) else {}
        raise _refused(answer)

    def close(self) -> None:
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(Gone())


def _refused(answer: Answer) -> Fault:
    message = str(answer.get("message") or "it gave no reason")[:500]
    if answer.get("code") == "not-found":
        return Fault(
            code="file-not-found",
            status=404,
            title="The file does not exist",
            detail=f"The editor can't show the file: {message}",
            remedy="It may have been moved or deleted meanwhile.",
        )
    return Fault(
        code="path-outside" if answer.get("code") == "path-outside" else "editor-failed",
        status=400 if answer.get("code") == "path-outside" else 502,
        title="The editor could not do it",
        detail=f"VS Code refused: {message}",
        remedy="Try again; if it happens again, reload the editor.",
    )
