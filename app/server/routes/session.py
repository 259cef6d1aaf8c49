"""Health and signing in."""

from typing import Annotated

from fastapi import APIRouter, Query

import app
from app.problems import Fault
from app.schemas import Health, Session, Shape, SignIn
from app.server import endpoint
from app.server.parts import Caller, Has

router = APIRouter(prefix="/api", tags=["session"])


class SignInCode(Shape):
    """A single-use code, and the page's address with it in the fragment."""

    code: str
    url: str


@router.get("/health")
async def health(
    parts: Has, nonce: Annotated[str | None, Query(max_length=128, pattern="^[0-9a-f]*$")] = None
) -> Health:
    """Whether the backend answers. With a nonce, also the proof that it knows the launch secret."""
    proof = endpoint.proof(parts.secret, nonce) if nonce else None
    return Health(ok=True, version=app.__version__, proof=proof)


@router.post("/session")
async def sign_in(parts: Has, body: SignIn) -> Session:
    """Trade a single-use code for a session."""
    return parts.sessions.sign_in(body.code)


@router.post("/session/codes")
async def new_code(parts: Has, caller: Caller) -> SignInCode:
    """A code for one browser, good for a minute. Only the owner of the account may ask."""
    if not caller.is_owner:
        raise Fault(
            code="owner-only",
            status=403,
            title="Only for the owner",
            detail="Sign-in links are given out by `twinseat` on the machine itself, not by a page.",
            remedy="Run `twinseat` there.",
        )
    code = parts.sessions.new_code()
    return SignInCode(code=code, url=f"{parts.url}/#code={code}")


@router.delete("/session", status_code=204)
async def sign_out(parts: Has, caller: Caller) -> None:
    """End this session, its sockets included."""
    parts.sessions.sign_out(caller)
