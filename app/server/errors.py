"""Every error leaves the API as RFC 9457 problem details, and none carries a stack trace or what was sent."""

import http
import secrets

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.problems import Fault, describe
from app.redact import redact
from app.runtimes.contract import RuntimeNotReady
from app.schemas import Problem

log = structlog.get_logger()


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"

    def __init__(self, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.model_dump(exclude_none=True), problem.status, headers)


def install(app: FastAPI) -> None:
    """Register the handlers."""
    for family, handler in (
        (Fault, _fault),
        (RequestValidationError, _invalid),
        (HTTPException, _plain),
        (RuntimeNotReady, _not_ready),
        (OSError, _unexpected),
        (Exception, _unexpected),
    ):
        app.add_exception_handler(family, handler)


async def _fault(_request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, Fault)  # noqa: S101  the handler's registration says so
    headers = {"Retry-After": "60"} if error.status == 429 else None
    return ProblemResponse(error.problem(), headers)


async def _invalid(_request: Request, error: Exception) -> ProblemResponse:
    """Says which field and why, never the value: it may be a key."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    places = [
        {"field": redact(".".join(str(step) for step in one["loc"])), "message": redact(str(one["msg"]))}
        for one in error.errors()
    ]
    first = places[0] if places else {"field": "the body", "message": "is not valid"}
    return ProblemResponse(
        Problem(
            code="invalid-input",
            status=422,
            title="The request is not valid",
            detail=f"{first['field']}: {first['message']}.",
            remedy="The fields and their meaning are in /api/openapi.json.",
            errors=list(places),
        )
    )


async def _plain(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    sentences = {
        404: ("not-found", "There is nothing at this address."),
        405: ("method-not-allowed", f"{request.method} is not possible here."),
    }
    fallback = (f"http-{error.status_code}", redact(str(error.detail)))
    code, detail = sentences.get(error.status_code, fallback)
    title = http.HTTPStatus(error.status_code).phrase
    headers = dict(error.headers) if error.headers else None
    return ProblemResponse(
        Problem(
            code=code,
            status=error.status_code,
            title=title,
            detail=detail,
            remedy="The routes are listed in /api/openapi.json.",
        ),
        headers,
    )


async def _not_ready(_request: Request, error: Exception) -> ProblemResponse:
    return ProblemResponse(
        Problem(
            code="runtime-not-ready",
            status=503,
            title="Not ready yet",
            detail=redact(str(error)),
            remedy="It is shown as soon as it is ready; then try again.",
        ),
        {"Retry-After": "2"},
    )


async def _unexpected(request: Request, error: Exception) -> ProblemResponse:
    problem = describe(error, "a part of Twinseat")
    if problem.code != "unexpected":
        log.warning("request failed", path=request.url.path, code=problem.code, error=type(error).__name__)
        return ProblemResponse(problem)
    return ProblemResponse(failure(error, path=request.url.path))


def failure(error: BaseException, **where: object) -> Problem:
    """Write the error to the log and give back what a client may know of it."""
    number = secrets.token_hex(4)
    log.error("unexpected error", id=number, exc_info=error, **where)
    return Problem(
        code="internal",
        status=500,
        title="Something went wrong inside Twinseat",
        detail=f"This is a defect of Twinseat's; the log has it under {number}.",
        remedy="Try again. If it stays, report it with that part of the log.",
    )
