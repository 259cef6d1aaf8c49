"""What the routes work with. The composition root (app.server.backend) fills it in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from app.agent.hub import Hub
from app.config import Config
from app.editor.bridge import Bridge
from app.gateway.probe import Prober
from app.gateway.profiles import Profiles
from app.schemas import Demo
from app.secrets import SecretStore
from app.server.clients import Clients
from app.server.sessions import Identity, Sessions
from app.settings import SettingsFile
from app.storage.journal import Journal
from app.tasks import TaskService
from app.workspaces import Workspaces


@dataclass
class Parts:
    """One backend. `url` is known once it listens."""

    config: Config
    secret: str
    sessions: Sessions
    clients: Clients
    settings: SettingsFile
    secrets: SecretStore
    journal: Journal
    hub: Hub
    tasks: TaskService
    workspaces: Workspaces
    profiles: Profiles
    prober: Prober
    bridge: Bridge
    demo: Callable[[], Awaitable[Demo]]
    url: str = ""


def _parts(connection: HTTPConnection) -> Parts:
    return connection.app.state.parts


def _caller(connection: HTTPConnection) -> Identity:
    return connection.scope["state"]["identity"]


Has = Annotated[Parts, Depends(_parts)]
Caller = Annotated[Identity, Depends(_caller)]
