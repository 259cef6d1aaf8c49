"""How a task gets its model: injected, because profiles and the gateway's address are not the tasks' business."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A profile as the agent-server gets it: `llm` holds the gateway's address and the task's token, never a key."""

    id: str
    name: str
    llm: dict[str, Any]


Models = Callable[[str | None, str], Awaitable[ModelChoice]]
"""Profile id (None: the default one) and task token → the choice. Raises Fault when there is no such profile."""
