"""What the gateway reports for a task: what its model calls used, where the budget ends, why a call failed."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.schemas import Problem, Usage
from app.storage.journal import Journal
from app.tasks.view import Announcer


class Meter:
    """`stop` is called once when a task's budget is used up, with the data of its `BudgetStop` event.

    `troubles` holds, by task, why the last model call failed.
    """

    def __init__(
        self,
        journal: Journal,
        announcer: Announcer,
        stop: Callable[[str, dict[str, Any]], Awaitable[None]],
        troubles: dict[str, Problem],
    ) -> None:
        self._journal = journal
        self._announcer = announcer
        self._stop = stop
        self._problems = troubles

    async def record_usage(self, task_id: str, usage: Usage, model: str | None = None) -> None:
        """What one model call used."""
        await self._journal.usage.record(task_id, usage, model)
        self._problems.pop(task_id, None)
        self._announcer.announce(task_id)

    async def over_budget(self, task_id: str) -> Problem | None:
        """Why the task may not call a model any more, or None. The first time, the task is stopped."""
        row = await self._journal.tasks.get(task_id)
        used = await self._journal.usage.total(task_id)
        if row.budget_usd is None or used.cost_usd < row.budget_usd:
            return None
        problem = Problem(
            code="budget-reached",
            status=402,
            title="The budget is used up",
            detail=f"This task has used ${used.cost_usd:.2f} of its budget of ${row.budget_usd:.2f}.",
            remedy="Raise the budget, then press Continue.",
        )
        if row.facts.stopped is None:
            await self._stop(task_id, {"problem": problem.model_dump(mode="json"), "used_usd": used.cost_usd})
        return problem

    def model_failed(self, task_id: str, problem: Problem) -> None:
        """The gateway's own words for a failed model call: shown while it is tried again, and if the task fails."""
        self._problems[task_id] = problem
        self._announcer.announce(task_id)

    def explain(self, task_id: str) -> dict[str, Any] | None:
        """The problem of the last model call, once, as JSON."""
        problem = self._problems.pop(task_id, None)
        return None if problem is None else problem.model_dump(mode="json")

    def forget(self, task_id: str) -> None:
        self._problems.pop(task_id, None)
