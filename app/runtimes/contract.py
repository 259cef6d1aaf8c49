"""What a runtime is: two servers and a life cycle. Nothing else differs between the places work can run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.schemas import RuntimeStatus


@dataclass(frozen=True)
class Endpoint:
    """How the backend reaches a server inside a runtime. With `socket` set, `url`'s host is only a name."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    socket: Path | None = None


@dataclass(frozen=True)
class Place:
    """A workspace as a runtime sees it."""

    workspace_id: str
    folder: str
    trusted: bool


class Runtime(Protocol):
    """`start` returns when both servers are ready or have failed for good; `status` is cheap and never blocks.

    `agent` and `editor` raise `RuntimeNotReady` before they can be used.
    """

    async def start(self, place: Place) -> None: ...
    async def stop(self, place: Place) -> None: ...
    async def delete(self, place: Place) -> None: ...
    def status(self, place: Place) -> RuntimeStatus: ...
    def agent(self, place: Place) -> Endpoint: ...
    def editor(self, place: Place) -> Endpoint: ...
    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` after every change of status; returns the way to stop."""
        ...


class RuntimeNotReady(Exception):
    """The runtime can't be used yet, or no longer. The message is a sentence for the user."""
