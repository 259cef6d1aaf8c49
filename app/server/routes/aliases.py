"""The names that the original request for this product used. `workspace` is needed when there is more than one."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.problems import Fault
from app.schemas import FileEntry, Part, RuntimeStatus
from app.server.parts import Has, Parts

router = APIRouter(prefix="/api", tags=["aliases"])

Which = Annotated[str | None, Query(description="A workspace's id; needed when there is more than one.")]


def _only(parts: Parts, workspace: str | None) -> str:
    if workspace is not None:
        return workspace
    known = parts.workspaces.known()
    if len(known) == 1:
        return known[0].id
    raise Fault(
        code="which-workspace",
        status=422 if known else 404,
        title="Which workspace?" if known else "No workspace yet",
        detail="There is more than one workspace." if known else "There is no workspace yet.",
        remedy="Name one: ?workspace=<id>." if known else "Make one with POST /api/workspaces.",
    )


@router.get("/sandbox/status")
async def sandbox_status(parts: Has, workspace: Which = None) -> RuntimeStatus:
    """The same as /api/workspaces/{id}/status."""
    return parts.workspaces.status(_only(parts, workspace))


@router.get("/agent/status")
async def agent_status(parts: Has, workspace: Which = None) -> Part:
    """The `agent` of /api/workspaces/{id}/status."""
    return parts.workspaces.status(_only(parts, workspace)).agent


@router.get("/files")
@router.get("/workspace/files", operation_id="list_workspace_files")
async def files(
    parts: Has, workspace: Which = None, path: Annotated[str, Query(max_length=4096)] = ""
) -> list[FileEntry]:
    """The same as /api/workspaces/{id}/files."""
    return await parts.workspaces.files(_only(parts, workspace), path)
