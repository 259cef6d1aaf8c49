"""The agent-server's REST interface, as thin as it gets: no openhands import, every error a sentence.

Routes and bodies are those of openhands-agent-server 1.58 (conversation_router.py, event_router.py).
"""

import json
from typing import Any, Self

import aiohttp

from app.problems import Fault, describe
from app.runtimes.contract import Endpoint

Json = dict[str, Any]

_QUICK = aiohttp.ClientTimeout(total=30, sock_connect=5)
_PATIENT = aiohttp.ClientTimeout(total=None, sock_connect=5)
"""For requests that wait for the conversation's lock: while a tool runs, that is as long as the tool runs."""


class Unanswered(Fault):
    """The request may or may not have been carried out: the connection broke before the answer."""


class NoSuchConversation(Fault):
    """The agent-server does not have (any longer) what was asked for."""


class Refused(Fault):
    """The agent-server answered with an error: the request was not carried out. `status` is its status."""


class AgentClient:
    """A client of one agent-server. Every method raises Unanswered, NoSuchConversation or Refused."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        connector = aiohttp.UnixConnector(str(endpoint.socket)) if endpoint.socket else aiohttp.TCPConnector()
        self._http = aiohttp.ClientSession(
            base_url=endpoint.url.rstrip("/") + "/", headers=dict(endpoint.headers), connector=connector
        )

    async def close(self) -> None:
        await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def create(self, request: Json) -> Json:
        """Make the conversation of `request["conversation_id"]`, or find it made already."""
        return await self._call("POST", "api/conversations", request)

    async def conversation(self, conversation_id: str) -> Json:
        return await self._call("GET", f"api/conversations/{conversation_id}")

    async def send(self, conversation_id: str, content: list[Json]) -> None:
        """Put a user message and run. Returns when it is in the conversation."""
        body: Json = {"role": "user", "content": content, "run": True}
        await self._call("POST", f"api/conversations/{conversation_id}/events", body, _PATIENT)

    async def run(self, conversation_id: str) -> None:
        """Go on; running already is fine."""
        try:
            await self._call("POST", f"api/conversations/{conversation_id}/run", {})
        except Refused as exc:
            if exc.status != 409:
                raise

    async def pause(self, conversation_id: str) -> None:
        await self._call("POST", f"api/conversations/{conversation_id}/pause", {}, _PATIENT)

    async def interrupt(self, conversation_id: str) -> None:
        await self._call("POST", f"api/conversations/{conversation_id}/interrupt", {})

    async def respond(self, conversation_id: str, accept: bool, reason: str = "") -> None:
        """Accept or reject everything that the conversation waits with."""
        body: Json = {"accept": accept, "reason": reason or "The user rejected the action."}
        await self._call("POST", f"api/conversations/{conversation_id}/events/respond_to_confirmation", body)

    async def set_policy(self, conversation_id: str, policy: Json) -> None:
        path = f"api/conversations/{conversation_id}/confirmation_policy"
        await self._call("POST", path, {"policy": policy}, _PATIENT)

    async def set_analyzer(self, conversation_id: str, analyzer: Json) -> None:
        path = f"api/conversations/{conversation_id}/security_analyzer"
        await self._call("POST", path, {"security_analyzer": analyzer}, _PATIENT)

    async def switch_llm(self, conversation_id: str, llm: Json) -> None:
        await self._call("POST", f"api/conversations/{conversation_id}/switch_llm", {"llm": llm}, _PATIENT)

    async def delete(self, conversation_id: str) -> None:
        await self._call("DELETE", f"api/conversations/{conversation_id}")

    async def socket(self, path: str) -> aiohttp.ClientWebSocketResponse:
        """Open a websocket, without authenticating: the first frame does that. Raises aiohttp's errors."""
        closing = aiohttp.ClientWSTimeout(ws_close=2)  # pyright: ignore[reportCallIssue]  # an attrs class
        return await self._http.ws_connect(path, heartbeat=20, max_msg_size=0, timeout=closing)

    async def _call(
        self, method: str, path: str, body: Json | None = None, timeout: aiohttp.ClientTimeout = _QUICK
    ) -> Json:
        try:
            async with self._http.request(method, path, json=body, timeout=timeout) as response:
                if response.status < 300:
                    return await response.json()
                text = await response.text()
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            problem = describe(exc, "the agent's server")
            raise Unanswered(
                code=problem.code,
                status=problem.status,
                title=problem.title,
                detail=problem.detail,
                remedy="It is started again by itself; if it is not, look at the runtime's status.",
            ) from exc
        if status == 404:
            raise NoSuchConversation(
                code="no-such-conversation",
                status=404,
                title="The agent has forgotten this conversation",
                detail="The agent's server does not have this conversation any more.",
                remedy="Send a message: the agent begins anew, and the history here stays.",
            )
        if status == 429:
            raise Refused(
                code="too-many-tasks",
                status=429,
                title="Too many tasks at once",
                detail="As many tasks as the agent's server takes are at work already.",
                remedy="Wait until one of them ends, or stop one; then try again.",
            )
        raise Refused(
            code="agent-refused",
            status=status,
            title="The agent's server refused",
            detail=f"The agent's server answered {status} to {method} /{path.partition('?')[0]}: {_short(text)}",
            remedy="Try again; if it happens again, `twinseat doctor` checks every part.",
        )


def _short(text: str) -> str:
    """What an error body says, without the input that a 422 echoes (tokens included)."""
    try:
        detail = json.loads(text)["detail"]
    except (ValueError, KeyError, TypeError):
        return "no reason given."
    if isinstance(detail, list):
        detail = "; ".join(f"{'.'.join(map(str, one.get('loc', [])))}: {one.get('msg')}" for one in detail)
    return str(detail)[:300]
