"""The app's ASGI application: guard, then idempotency, then the routes; everything else is the page."""

from fastapi import FastAPI

import app
from app.server import errors, openapi, socket
from app.server.guard import App, Guard, Message, Receive, Scope, Send, refuse
from app.server.idempotency import Idempotency
from app.server.page import Page
from app.server.parts import Parts
from app.server.routes import aliases, demo, models, session, settings, tasks, workspaces
from app.storage.idempotency import Idempotency as Answers

ROUTERS = (session, workspaces, tasks, settings, models, demo, aliases)


def routes() -> FastAPI:
    """The routes alone, without anything behind them: for the OpenAPI document and for walking the table."""
    api = FastAPI(
        title="Twinseat",
        version=app.__version__,
        description=openapi.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    for module in ROUTERS:
        api.include_router(module.router)
    api.include_router(socket.router)
    errors.install(api)
    openapi.install(api)
    return api


def build(parts: Parts, answers: Answers) -> Guard:
    """The whole application. The guard is told its port once that is known."""
    api = routes()
    api.state.parts = parts
    return Guard(_Split(Idempotency(api, answers), Page()), parts.sessions, parts.config.origins, parts.clients.seen)


class _Split:
    """The API and the socket, or the page; and the last catch, so that no defect ends as a bare 500."""

    def __init__(self, api: App, page: App) -> None:
        self._api = api
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        chosen = self._api if scope["path"].startswith(("/api", "/ws")) else self._page
        try:
            await chosen(scope, receive, watched)
        except Exception as error:
            # The routes' own handler has answered already, and Starlette raises the error once more.
            if not started:
                await refuse(scope, receive, send, errors.failure(error, path=scope["path"]))
