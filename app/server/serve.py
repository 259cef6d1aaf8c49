"""`twinseat serve`: run the backend until it is told to stop."""

import asyncio
import contextlib
import json
import sys

from app import config, paths
from app.problems import Fault, describe
from app.redact import redact
from app.runtimes import process
from app.schemas import Problem
from app.server import endpoint, logs

COULD_NOT_START = 3


def serve(*, port: int | None = None, stay: bool = True) -> int:
    """Returns the exit code: 0 when it was told to stop, 3 when it could not start."""
    process.hide()  # this process holds every key: code run by the agent, as the same user, must not read its memory
    settings = config.load(app_port=port)
    try:
        settings.paths.create()
        logs.start(settings.paths.logs, settings.level)
    except OSError as error:
        return _could_not_start(settings.paths, _no_folder(settings.paths, error))
    return asyncio.run(_serve(settings, stay=stay))


async def _serve(settings: config.Config, *, stay: bool) -> int:
    from app.server.backend import Backend

    backend = Backend(settings, stay=stay)
    try:
        await backend.open()
    except Fault as fault:
        return _could_not_start(settings.paths, fault.problem())
    except Exception as error:
        from app.server.errors import failure

        known = describe(error, "a part of the backend")
        return _could_not_start(settings.paths, known if known.code != "unexpected" else failure(error, at="start"))
    backend.stop_on_signals()
    if stay:
        for warning in backend.parts.settings.value.warnings:
            _say(warning)
        signed = f"{backend.url}/#code={backend.parts.sessions.new_code()}"
        _say(f"Twinseat listens at {backend.url}. To sign a browser in, open {signed} within a minute.")
        _say("`twinseat` opens the window. Ctrl+C ends it.")
    await backend.run()
    return 0


def _could_not_start(where: paths.Paths, problem: Problem) -> int:
    """Say why, here and to whoever started us."""
    _say(f"Twinseat could not start: {problem.detail} {problem.remedy or ''}".rstrip())
    if problem.code != "already-running":
        with contextlib.suppress(OSError):
            paths.write_private(where.data / endpoint.START_PROBLEM, json.dumps(problem.model_dump(exclude_none=True)))
    return COULD_NOT_START


def _no_folder(where: paths.Paths, error: OSError) -> Problem:
    return Problem(
        code="data-folder",
        status=503,
        title="The data folder can't be used",
        detail=f"The data folder {where.data} can't be written: {error.strerror or error}.",
        remedy="Free some space or correct its permissions, or name another folder in TWINSEAT_DATA_DIR.",
    )


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{redact(text) if 'code=' not in text else text}\n")
        sys.stderr.flush()
