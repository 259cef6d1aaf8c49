"""Workspaces: folders of code that the user took in, and the runtime each runs in.

The rows are few, so they are kept in memory besides the database: a lookup never waits.
"""

import asyncio
import contextlib
import re
import secrets
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import structlog

from app import changes, files, git
from app.editor.bridge import Bridge
from app.editor.code_server import page
from app.editor.origin import Origins
from app.problems import Fault, not_found
from app.runtimes.contract import Place
from app.runtimes.local import LocalRuntime
from app.schemas import (
    Changes,
    DiffInEditor,
    FileEntry,
    NewWorkspace,
    OpenInEditor,
    RuntimeStatus,
    Workspace,
)
from app.settings import SettingsFile
from app.storage.workspaces import GitChoice, WorkspaceRow
from app.storage.workspaces import Workspaces as Rows

log = structlog.get_logger()


class Workspaces:
    """`publish` gets a frame for every connection when a runtime's status changed.

    `first_port` is the port asked for the first workspace's editor (CODE_SERVER_PORT).
    """

    def __init__(
        self,
        rows: Rows,
        settings: SettingsFile,
        runtime: LocalRuntime,
        origins: Origins,
        bridge: Bridge,
        publish: Callable[[dict[str, Any]], None],
        first_port: int | None = None,
    ) -> None:
        self._rows = rows
        self._settings = settings
        self._runtime = runtime
        self._origins = origins
        self._bridge = bridge
        self._publish = publish
        self._first_port = first_port
        self._all: dict[str, WorkspaceRow] = {}
        self._shown: dict[str, RuntimeStatus] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._unwatch: Callable[[], None] = lambda: None

    async def load(self) -> None:
        """Read the rows and follow the runtime from now on."""
        self._all = {row.id: row for row in await self._rows.list()}
        self._unwatch = self._runtime.watch(self._changed)

    async def reopen(self, since: datetime) -> None:
        """Open again what a backend that crashed had open: editors find their port, servers that live are adopted."""
        for row in [row for row in self._all.values() if row.last_opened_at >= since]:
            with contextlib.suppress(Fault):
                await self._listen(row.id)
                self._start(row.id)

    async def close(self) -> None:
        """Stop following. The servers are the runtime's to stop."""
        self._unwatch()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    # ── Looking ───────────────────────────────────────────────────────────────────────────────────

    def known(self) -> list[Workspace]:
        """All, the last opened first."""
        rows = sorted(self._all.values(), key=lambda row: row.last_opened_at, reverse=True)
        return [self._workspace(row) for row in rows]

    def get(self, workspace_id: str) -> Workspace:
        return self._workspace(self._row(workspace_id))

    def place(self, workspace_id: str) -> tuple[LocalRuntime, Place]:
        """Where its work runs. Raises Fault `not-found`."""
        return self._runtime, _place(self._row(workspace_id))

    def status(self, workspace_id: str) -> RuntimeStatus:
        return self._status(self._row(workspace_id))

    def paths(self) -> dict[str, str]:
        """Each workspace's folder by its id."""
        return {row.id: row.path for row in self._all.values()}

    async def files(self, workspace_id: str, path: str) -> list[FileEntry]:
        return await asyncio.to_thread(files.listing, self._folder(workspace_id), path)

    async def text(self, workspace_id: str, path: str) -> str:
        return await asyncio.to_thread(files.text, self._folder(workspace_id), path)

    async def folders(self, path: str | None) -> list[FileEntry]:
        return await asyncio.to_thread(files.folders, path)

    async def changes(self, workspace_id: str) -> Changes:
        return await changes.changes(self._folder(workspace_id), self._runtime.behind_shield)

    async def diff(self, workspace_id: str, path: str) -> str:
        folder = self._folder(workspace_id)
        return await changes.diff(folder, self._relative(workspace_id, path), self._runtime.behind_shield)

    # ── Making and forgetting ─────────────────────────────────────────────────────────────────────

    async def create(self, new: NewWorkspace, *, trusted: bool = False) -> Workspace:
        """Take a folder in, or clone one. The same folder gives the workspace it is already. Raises Fault."""
        if (new.path is None) == (new.clone is None):
            raise Fault(
                code="path-or-clone",
                status=422,
                title="A folder or a repository",
                detail="A workspace is made from either an existing folder or a repository to clone.",
                remedy="Give `path` or `clone`, one of the two.",
            )
        if new.clone is not None:
            folder = await self._clone(new.clone.url.strip(), new.clone.into)
        else:
            folder = await asyncio.to_thread(_existing, str(new.path), new.create)
        for row in self._all.values():
            if Path(row.path) == folder:
                return self._workspace(row)
        row = await self._rows.add(
            workspace_id=secrets.token_hex(8),
            name=(new.name or "").strip()[:200] or folder.name or str(folder),
            path=str(folder),
            editor_secret=secrets.token_urlsafe(32),
            trust="trusted" if trusted else "undecided",
            editor_port=self._first_port if not self._all else None,
        )
        self._all[row.id] = row
        if not git.is_repository(folder):
            choice = self._settings.value.git_scratch
            if choice == "ask":
                await self._update(row.id, git_decision="undecided")
            else:
                await self.decide_git(row.id, choice == "always")
        return self.get(row.id)

    async def delete(self, workspace_id: str) -> None:
        """Stop its servers and forget it. Nothing on disk is touched."""
        row = self._row(workspace_id)
        await self._origins.stop(workspace_id)
        await self._runtime.delete(_place(row))
        await self._rows.delete(workspace_id)
        self._all.pop(workspace_id, None)
        self._shown.pop(workspace_id, None)

    # ── Opening and deciding ──────────────────────────────────────────────────────────────────────

    async def open(self, workspace_id: str) -> Workspace:
        """Give its editor an origin and start its servers in the background. Raises Fault if the folder is gone."""
        self._folder(workspace_id)
        await self._update(workspace_id, last_opened_at=datetime.now(UTC))
        await self._listen(workspace_id)
        self._start(workspace_id)
        return self.get(workspace_id)

    async def decide_trust(self, workspace_id: str, trusted: bool) -> Workspace:
        """One decision a project; what runs for it is started anew where that changes anything."""
        before = self._row(workspace_id)
        after = await self._update(workspace_id, trust="trusted" if trusted else "restricted")
        if _place(before) != _place(after) and self.status(workspace_id).state != "off":
            self._start(workspace_id)
        return self.get(workspace_id)

    async def decide_git(self, workspace_id: str, init: bool) -> Workspace:
        """Make the folder a repository, or leave it alone for good. Raises Fault."""
        folder = self._folder(workspace_id)
        choice: GitChoice = "init" if init else "scratch"
        if init and not git.is_repository(folder):
            await git.init(folder)
        await self._update(workspace_id, git_decision=choice)
        return self.get(workspace_id)

    async def retry(self, workspace_id: str, part: Literal["agent", "editor"]) -> Workspace:
        """Start a part that failed again, in the background."""
        self._folder(workspace_id)
        await self._listen(workspace_id)
        self._background(self._runtime.retry(_place(self._row(workspace_id)), part), workspace_id)
        return self.get(workspace_id)

    # ── The editor pane ───────────────────────────────────────────────────────────────────────────

    async def show(self, workspace_id: str, what: OpenInEditor) -> None:
        """Show a file or lines of it. Raises Fault if it is outside, or no editor is connected."""
        path = self._relative(workspace_id, what.path)
        await self._bridge.open(workspace_id, path, line=what.line, end_line=what.end_line, follow=what.follow)

    async def show_diff(self, workspace_id: str, what: DiffInEditor) -> None:
        path = self._relative(workspace_id, what.path)
        await self._bridge.diff(workspace_id, path, before=what.before, after=what.after, title=what.title)

    # ── Within ────────────────────────────────────────────────────────────────────────────────────

    def _row(self, workspace_id: str) -> WorkspaceRow:
        row = self._all.get(workspace_id)
        if row is None:
            raise not_found("workspace", workspace_id)
        return row

    def _folder(self, workspace_id: str) -> Path:
        folder = Path(self._row(workspace_id).path)
        if not folder.is_dir():
            raise Fault(
                code="folder-gone",
                status=409,
                title="The folder is gone",
                detail=f"{folder} does not exist any more, or is no folder.",
                remedy="If it was moved, open it from its new place; the history of its tasks stays.",
            )
        return folder

    def _relative(self, workspace_id: str, path: str) -> str:
        folder = self._folder(workspace_id)
        if Path(path).is_absolute() and Path(path).is_relative_to(folder):
            path = Path(path).relative_to(folder).as_posix()
        return files.inside(folder, path).relative_to(folder.resolve()).as_posix()

    async def _update(self, workspace_id: str, **fields: Any) -> WorkspaceRow:
        row = self._all[workspace_id] = await self._rows.update(workspace_id, **fields)
        return row

    async def _clone(self, url: str, into: str | None) -> Path:
        name = re.sub(r"\.git$", "", re.split(r"[/:\\]", url.rstrip("/"))[-1])
        if not re.fullmatch(r"[\w][\w.+-]{0,99}", name):
            raise Fault(
                code="clone-address",
                status=422,
                title="Not an address to clone from",
                detail="The address does not end with a repository's name.",
                remedy="Copy the address from the repository's page.",
            )
        parent = Path(into).expanduser() if into else self._settings.base
        if not parent.is_absolute():
            raise _not_absolute()
        try:
            await git.clone(url, parent / name)
        except OSError as error:
            raise Fault.of(error, "the folder") from error
        return (parent / name).resolve()

    async def _listen(self, workspace_id: str) -> None:
        row = self._row(workspace_id)
        origin = await self._origins.start(workspace_id, row.editor_port, row.editor_secret)
        if row.editor_port is None:  # a port that is taken for the moment stays the remembered one
            await self._update(workspace_id, editor_port=origin.port)

    def _start(self, workspace_id: str) -> None:
        self._background(self._runtime.start(_place(self._row(workspace_id))), workspace_id)

    def _background(self, work: Coroutine[Any, Any, None], workspace_id: str) -> None:
        """What fails shows in the status, which the runtime keeps."""

        async def run() -> None:
            try:
                await work
            except Exception:
                log.exception("start failed", workspace=workspace_id)
            self._changed()

        task = asyncio.create_task(run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _changed(self) -> None:
        """Tell every connection about the statuses that are not as they were."""
        for row in list(self._all.values()):
            status = self._status(row)
            if self._shown.get(row.id) != status:
                self._shown[row.id] = status
                self._publish({"type": "status", "workspace": row.id, "state": status.model_dump(mode="json")})

    def _status(self, row: WorkspaceRow) -> RuntimeStatus:
        status = self._runtime.status(_place(row))
        origin = self._origins.get(row.id)
        if origin is None or status.editor.state != "ready":
            return status
        return status.model_copy(update={"editor_url": origin.url + page(row.path)})

    def _workspace(self, row: WorkspaceRow) -> Workspace:
        folder = Path(row.path)
        is_git = git.is_repository(folder)
        return Workspace(
            id=row.id,
            name=row.name,
            path=row.path,
            runtime=row.runtime,
            trust=row.trust,
            is_git=is_git,
            git_decision=row.git_decision if not is_git or row.git_decision == "init" else None,
            exists=folder.is_dir(),
            created_at=row.created_at,
            last_opened_at=row.last_opened_at,
            status=self._status(row),
        )


def _place(row: WorkspaceRow) -> Place:
    return Place(row.id, row.path, row.trust == "trusted")


def _existing(path: str, create: bool) -> Path:
    folder = Path(path).expanduser()
    if "\0" in path or not folder.is_absolute():
        raise _not_absolute()
    try:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        next(folder.iterdir(), None)  # says by its error whether it is missing, a file, or not ours to read
        return folder.resolve()
    except FileNotFoundError:
        raise Fault(
            code="no-such-folder",
            status=404,
            title="There is no such folder",
            detail=f"{folder} does not exist.",
            remedy="Check the path, or choose to make it.",
        ) from None
    except OSError as error:
        raise Fault.of(error, "the folder") from error


def _not_absolute() -> Fault:
    return Fault(
        code="not-absolute",
        status=422,
        title="Not a full path",
        detail="A folder must be named by its full path.",
        remedy="Begin with / or ~ (on Windows with the drive).",
    )
