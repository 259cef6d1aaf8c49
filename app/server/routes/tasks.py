"""Tasks: pieces of work given to the agent."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.schemas import Event, Events, NewMessage, NewTask, Rejection, Task, TaskPatch, Tasks
from app.server.parts import Has

router = APIRouter(prefix="/api/tasks", tags=["tasks"])

Position = Annotated[int | None, Query(ge=0, le=2**53)]


@router.get("")
async def list_tasks(
    parts: Has,
    q: Annotated[str | None, Query(max_length=500, description="Words of the title or the text.")] = None,
    workspace: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(description="A task's id: older ones than it.")] = None,
) -> Tasks:
    """Tasks, the newest first."""
    return await parts.tasks.list(q, workspace, limit, before)


@router.post("")
async def new_task(parts: Has, body: NewTask) -> Task:
    """Give the agent a piece of work. Without a message only the runtime warms up."""
    return await parts.tasks.create(body)


@router.get("/{task_id}")
async def get_task(parts: Has, task_id: str) -> Task:
    return await parts.tasks.get(task_id)


@router.patch("/{task_id}")
async def change_task(parts: Has, task_id: str, body: TaskPatch) -> Task:
    """Rename it, or change its mode, model or budget."""
    return await parts.tasks.patch(task_id, body)


@router.delete("/{task_id}", status_code=204)
async def delete_task(parts: Has, task_id: str) -> None:
    """End it and delete its history. Files it made stay."""
    await parts.tasks.delete(task_id)


@router.get("/{task_id}/events")
async def list_events(
    parts: Has,
    task_id: str,
    after: Position = None,
    before: Position = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Events:
    """A window of the history, ascending. Without a cursor it is the last `limit` events."""
    await parts.tasks.get(task_id)
    return await parts.journal.events(task_id, after, before, limit)


@router.post("/{task_id}/messages")
async def send_message(parts: Has, task_id: str, body: NewMessage) -> Event:
    """Say something to the agent. It is stored before it is passed on, and waits in line while the agent works."""
    return await parts.tasks.send(task_id, body)


@router.post("/{task_id}/pause")
async def pause_task(parts: Has, task_id: str) -> Task:
    """Stop after the step under way."""
    return await parts.tasks.pause(task_id)


@router.post("/{task_id}/interrupt")
async def interrupt_task(parts: Has, task_id: str) -> Task:
    """Stop at once."""
    return await parts.tasks.interrupt(task_id)


@router.post("/{task_id}/resume")
async def resume_task(parts: Has, task_id: str) -> Task:
    """Go on from where it stopped."""
    return await parts.tasks.resume(task_id)


@router.post("/{task_id}/actions/{action_id}/approve")
async def approve_action(parts: Has, task_id: str, action_id: str) -> Task:
    """Let the agent do it. 409 `not-pending` when it no longer waits."""
    return await parts.tasks.approve(task_id, action_id)


@router.post("/{task_id}/actions/{action_id}/reject")
async def reject_action(parts: Has, task_id: str, action_id: str, body: Rejection | None = None) -> Task:
    """Refuse it, with a reason that the agent gets to read. 409 `not-pending` when it no longer waits."""
    return await parts.tasks.reject(task_id, action_id, body.reason if body else "")
