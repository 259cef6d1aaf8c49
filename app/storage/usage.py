"""What the models of a task used: one row a request, summed for the task."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import func, insert, select

from app.schemas import Usage
from app.storage.database import Database
from app.storage.tables import usage


class UsageLedger:
    """Totals of the tasks asked for are kept in memory, so that a list or a budget check costs nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._totals: dict[str, Usage] = {}

    async def record(self, task_id: str, used: Usage, model: str | None = None) -> Usage:
        """Commit what a request used and return the task's new total."""
        total = await self.total(task_id)
        statement = insert(usage).values(
            task_id=task_id,
            at=datetime.now(UTC).isoformat(),
            model=model,
            prompt_tokens=used.prompt_tokens,
            completion_tokens=used.completion_tokens,
            cached_tokens=used.cached_tokens,
            reasoning_tokens=used.reasoning_tokens,
            cost_usd=used.cost_usd,
            estimated=int(used.estimated),
            priced=int(used.priced),
            requests=used.requests,
        )

        def count(_: object) -> None:
            self._totals[task_id] = _sum(self._totals.get(task_id, total), used)

        await self._database.write(lambda connection: connection.execute(statement), count)
        return self._totals[task_id]

    async def total(self, task_id: str) -> Usage:
        return (await self.totals([task_id]))[task_id]

    async def totals(self, task_ids: Sequence[str]) -> dict[str, Usage]:
        """The total of each task, zero where nothing was used."""
        missing = [one for one in task_ids if one not in self._totals]
        if missing:
            query = (
                select(
                    usage.c.task_id,
                    func.sum(usage.c.prompt_tokens),
                    func.sum(usage.c.completion_tokens),
                    func.sum(usage.c.cached_tokens),
                    func.sum(usage.c.reasoning_tokens),
                    func.sum(usage.c.cost_usd),
                    func.max(usage.c.estimated),
                    func.min(usage.c.priced),
                    func.sum(usage.c.requests),
                )
                .where(usage.c.task_id.in_(missing))
                .group_by(usage.c.task_id)
            )
            rows = await self._database.all(query)
            for row in rows:
                task_id, prompt, completion, cached, reasoning, cost, estimated, priced, requests = tuple(row)
                self._totals.setdefault(
                    task_id,
                    Usage(
                        prompt_tokens=prompt,
                        completion_tokens=completion,
                        cached_tokens=cached,
                        reasoning_tokens=reasoning,
                        cost_usd=cost,
                        estimated=bool(estimated),
                        priced=bool(priced),
                        requests=requests,
                    ),
                )
            for task_id in missing:
                self._totals.setdefault(task_id, Usage())
        return {one: self._totals[one] for one in task_ids}

    def forget(self, task_id: str) -> None:
        self._totals.pop(task_id, None)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        reasoning_tokens=one.reasoning_tokens + other.reasoning_tokens,
        cost_usd=one.cost_usd + other.cost_usd,
        estimated=one.estimated or other.estimated,
        priced=one.priced and other.priced,
        requests=one.requests + other.requests,
    )
