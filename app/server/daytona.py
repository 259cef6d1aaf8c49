"""Checking a Daytona key: one request, no SDK (which would cost the backend 60 MB for it).

`GET /api-keys/current` names the key's permissions, as the SDK's generated client has it (daytona 0.226,
ApiKeysApi.get_current_api_key). A redirect is not followed: it leads to a page for people.
"""

import time

import aiohttp

from app.problems import describe
from app.redact import redact
from app.schemas import ProbeResult, Problem

NEEDED = ("write:sandboxes", "delete:sandboxes")
SECONDS = 15.0


async def check(key: str, api_url: str) -> ProbeResult:
    """Whether the key works and may make and delete sandboxes."""
    began = time.monotonic()
    problem = await _problem(key, api_url)
    return ProbeResult(ok=problem is None, took=round(time.monotonic() - began, 3), problem=problem)


async def _problem(key: str, api_url: str) -> Problem | None:
    address = f"{api_url.rstrip('/')}/api-keys/current"
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS), trust_env=True) as session,
            session.get(address, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status in (401, 403) or 300 <= answer.status < 400:
                return Problem(
                    code="bad-key",
                    status=401,
                    title="The key was not accepted",
                    detail="Daytona does not know this key, or it has expired.",
                    remedy="Make a new one at app.daytona.io under Keys.",
                )
            if answer.status != 200:
                return _odd(f"it answered with HTTP {answer.status}")
            found = await answer.json(content_type=None)
    except ValueError:
        return _odd("its answer is not what the Daytona API gives")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        problem = describe(error, f"Daytona at {redact(api_url)}")
        return problem.model_copy(update={"remedy": "Check your network, and DAYTONA_API_URL if it is set."})
    permissions = found.get("permissions") if isinstance(found, dict) else None
    if not isinstance(permissions, list):
        return _odd("its answer is not what the Daytona API gives")
    missing = [one for one in NEEDED if one not in permissions]
    if missing:
        return Problem(
            code="key-permissions",
            status=403,
            title="The key may not do enough",
            detail=f"The key works, but lacks the permission {' and '.join(missing)}.",
            remedy="Make a key that may write and delete sandboxes.",
        )
    return None


def _odd(reason: str) -> Problem:
    return Problem(
        code="daytona",
        status=502,
        title="Daytona did not answer as it should",
        detail=f"The key could not be checked: {reason}.",
        remedy="Check DAYTONA_API_URL, or try again later.",
    )
