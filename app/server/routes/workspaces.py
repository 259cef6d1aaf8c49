"""Workspaces: folders of code, where they run, what is in them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse

from app.schemas import (
    Changes,
    DiffInEditor,
    FileEntry,
    GitDecision,
    NewWorkspace,
    OpenInEditor,
    RuntimeStatus,
    Shape,
    TrustDecision,
    Workspace,
)
from app.server.parts import Has

router = APIRouter(prefix="/api", tags=["workspaces"])

Inside = Annotated[str, Query(max_length=4096, description="Relative to the workspace; empty for its root.")]


class Retry(Shape):
    part: Literal["agent", "editor"]


@router.get("/workspaces")
async def list_workspaces(parts: Has) -> list[Workspace]:
    """All workspaces, the last opened first."""
    return parts.workspaces.known()


@router.post("/workspaces")
async def new_workspace(parts: Has, body: NewWorkspace) -> Workspace:
    """Take a folder in, or clone a repository. A folder that is known already gives the workspace that it is."""
    return await parts.workspaces.create(body)


@router.get("/workspaces/{workspace_id}")
async def get_workspace(parts: Has, workspace_id: str) -> Workspace:
    return parts.workspaces.get(workspace_id)


@router.delete("/workspaces/{workspace_id}", status_code=204)
async def forget_workspace(parts: Has, workspace_id: str) -> None:
    """Stop its tasks and servers and forget it. The folder, and the tasks' history, stay."""
    parts.workspaces.get(workspace_id)
    await parts.tasks.leave(workspace_id)
    await parts.workspaces.delete(workspace_id)


@router.post("/workspaces/{workspace_id}/open")
async def open_workspace(parts: Has, workspace_id: str) -> Workspace:
    """Start its servers in the background; `/ws/agent` tells how they come up."""
    return await parts.workspaces.open(workspace_id)


@router.post("/workspaces/{workspace_id}/trust")
async def decide_trust(parts: Has, workspace_id: str, body: TrustDecision) -> Workspace:
    """Whether the project's own settings, tasks, hooks and tools may act."""
    return await parts.workspaces.decide_trust(workspace_id, body.trusted)


@router.post("/workspaces/{workspace_id}/git")
async def decide_git(parts: Has, workspace_id: str, body: GitDecision) -> Workspace:
    """Whether a folder that is no repository becomes one."""
    return await parts.workspaces.decide_git(workspace_id, body.init)


@router.post("/workspaces/{workspace_id}/retry")
async def retry_part(parts: Has, workspace_id: str, body: Retry) -> Workspace:
    """Start a failed server again."""
    return await parts.workspaces.retry(workspace_id, body.part)


@router.get("/workspaces/{workspace_id}/status")
async def get_status(parts: Has, workspace_id: str) -> RuntimeStatus:
    return parts.workspaces.status(workspace_id)


@router.get("/workspaces/{workspace_id}/files")
async def list_files(parts: Has, workspace_id: str, path: Inside = "") -> list[FileEntry]:
    return await parts.workspaces.files(workspace_id, path)


@router.get("/workspaces/{workspace_id}/file", response_class=PlainTextResponse)
async def read_file(parts: Has, workspace_id: str, path: Inside) -> str:
    """A file's text, up to 2 MB."""
    return await parts.workspaces.text(workspace_id, path)


@router.get("/workspaces/{workspace_id}/changes")
async def list_changes(parts: Has, workspace_id: str) -> Changes:
    """What differs from the last commit, new files included."""
    return await parts.workspaces.changes(workspace_id)


@router.get("/workspaces/{workspace_id}/diff", response_class=PlainTextResponse)
async def show_diff(parts: Has, workspace_id: str, path: Inside) -> str:
    """One file's unified diff against the last commit."""
    return await parts.workspaces.diff(workspace_id, path)


@router.post("/workspaces/{workspace_id}/editor/open", status_code=204)
async def open_in_editor(parts: Has, workspace_id: str, body: OpenInEditor) -> None:
    """Show a file, or lines of it, in the editor pane."""
    await parts.workspaces.show(workspace_id, body)


@router.post("/workspaces/{workspace_id}/editor/diff", status_code=204)
async def diff_in_editor(parts: Has, workspace_id: str, body: DiffInEditor) -> None:
    """Show a difference in the editor pane."""
    await parts.workspaces.show_diff(workspace_id, body)


@router.get("/folders")
async def list_folders(
    parts: Has, path: Annotated[str | None, Query(max_length=4096, description="A full path; home if absent.")] = None
) -> list[FileEntry]:
    """Folders of this machine, for choosing one to open in a browser. Paths are full ones here."""
    return await parts.workspaces.folders(path)
