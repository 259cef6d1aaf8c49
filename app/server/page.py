"""The UI's static files, as Vite built them: hashed assets for ever, the page itself never from a cache."""

import mimetypes
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from app.schemas import Problem
from app.server.errors import ProblemResponse

FOLDER = Path(__file__).with_name("static")

_MISSING = """<!doctype html><meta charset="utf-8"><title>Twinseat</title>
<p>The page was not built yet. Run <code>make ui</code>, then load this again.</p>
"""
_NO_FILE = Problem(code="not-found", status=404, title="Not found", detail="There is no such file.")
_NO_CHANGES = Problem(
    code="method-not-allowed", status=405, title="Method not allowed", detail="The page's files can only be read."
)
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


class Page:
    """Serves `folder`. An address without a file name in it is the page, whose script reads the rest."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._answer(scope["method"], scope["path"], Headers(scope=scope))
        await response(scope, receive, send)

    def _answer(self, method: str, path: str, headers: Headers) -> Response:
        if method not in ("GET", "HEAD"):
            return ProblemResponse(_NO_CHANGES, {"Allow": "GET, HEAD"})
        file = self._file(path)
        if file is None:
            if "." in path.rpartition("/")[2]:
                return ProblemResponse(_NO_FILE)
            file = self._folder / "index.html"
        if not file.is_file():
            return HTMLResponse(_MISSING, 503)
        hashed = "assets" in file.relative_to(self._folder).parts[:-1]
        extra = {
            "Cache-Control": "public, max-age=31536000, immutable" if hashed else "no-cache",
            "Vary": "Accept-Encoding",
        }
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        accepted = {one.partition(";")[0].strip() for one in headers.get("accept-encoding", "").split(",")}
        for encoding, suffix in _ENCODINGS:
            packed = file.with_name(file.name + suffix)
            if encoding in accepted and packed.is_file():
                return FileResponse(packed, media_type=kind, headers={**extra, "Content-Encoding": encoding})
        return FileResponse(file, media_type=kind, headers=extra)

    def _file(self, path: str) -> Path | None:
        """The file meant, if it exists inside the folder."""
        if "\0" in path:
            return None
        try:
            file = (self._folder / path.lstrip("/")).resolve()
            return file if file.is_relative_to(self._folder) and file.is_file() else None
        except OSError:
            return None
