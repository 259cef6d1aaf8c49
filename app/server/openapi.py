"""The OpenAPI document: what FastAPI derives, made complete.

Adds the bearer token, the one error form, the `Idempotency-Key` of every POST, and an example for every shape.
"""

from typing import Any

from fastapi import FastAPI

DESCRIPTION = """The API of one Twinseat backend.

Everything but `/api/health` and `POST /api/session` needs a bearer token. Errors are problem details (RFC 9457) with a
stable `code`, a sentence and what to do next. A POST that carries an `Idempotency-Key` is done once, however often it
is sent. What happens meanwhile is told on the socket `/ws/agent` (docs/api.md)."""

OPEN = {("/api/health", "get"), ("/api/session", "post")}
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

_ERRORS = {
    "400": "The request can't be understood.",
    "401": "Not signed in.",
    "403": "Not permitted.",
    "404": "There is no such thing.",
    "409": "It does not fit the present state, or the idempotency key was used for something else.",
    "413": "Too large.",
    "415": "Not JSON, or not text.",
    "421": "Not a host of this server.",
    "422": "The request is not valid. What was sent is never repeated in the answer.",
    "429": "Too many attempts.",
    "500": "A defect of Twinseat's.",
    "502": "Something behind the backend can't be reached, or refused.",
    "503": "Not ready yet, or a part is missing.",
    "504": "Something behind the backend did not answer in time.",
    "507": "The disk is full.",
}

_TIME = "2026-01-05T09:30:00Z"
_PART: dict[str, Any] = {"state": "ready", "problem": None, "log_tail": ""}
_STATUS: dict[str, Any] = {
    "state": "ready",
    "place": "Local, not contained",
    "contained": False,
    "phases": [{"name": "Starting the agent", "started_at": _TIME, "took": 6.8, "detail": None}],
    "agent": _PART,
    "editor": _PART,
    "editor_url": "http://127.0.0.1:23817/…/?folder=/home/ada/todo",
    "restarts": 0,
}
_WORKSPACE: dict[str, Any] = {
    "id": "5b3f0c9a7d21e684",
    "name": "todo",
    "path": "/home/ada/todo",
    "runtime": "local",
    "trust": "trusted",
    "is_git": True,
    "git_decision": None,
    "exists": True,
    "created_at": _TIME,
    "last_opened_at": _TIME,
    "status": _STATUS,
}
_TASK: dict[str, Any] = {
    "id": "0e5d7c1b-6f0a-4d0e-9c39-1f1d2b7a9e55",
    "workspace_id": "5b3f0c9a7d21e684",
    "title": "Make the tests pass",
    "state": "running",
    "activity": "Running pytest -q",
    "mode": "ask_risky",
    "model_id": "gpt",
    "model_name": "gpt-5",
    "budget_usd": 2.0,
    "usage": {"prompt_tokens": 8123, "completion_tokens": 411, "cost_usd": 0.014, "requests": 4},
    "position": 42,
    "created_at": _TIME,
    "updated_at": _TIME,
}
_PROFILE: dict[str, Any] = {
    "id": "gpt",
    "name": "GPT-5",
    "provider": "openai",
    "protocol": "openai",
    "base_url": "https://api.openai.com/v1",
    "model": "gpt-5",
    "has_key": True,
    "is_default": True,
}
EXAMPLES: dict[str, Any] = {
    "Problem": {
        "type": "about:blank",
        "title": "The name does not resolve",
        "status": 502,
        "detail": "Can't reach the model at api.example.com: the name does not resolve.",
        "remedy": "Check the address in Settings, or your network.",
        "code": "dns",
    },
    "SignIn": {"code": "q0h3vJ2v6bG8m1yXkz5R9w"},
    "Session": {"token": "kW3f…", "expires_at": _TIME},
    "SignInCode": {"code": "q0h3vJ2v6bG8m1yXkz5R9w", "url": "http://127.0.0.1:8765/#code=q0h3vJ2v6bG8m1yXkz5R9w"},
    "Health": {"ok": True, "version": "0.1.0", "proof": None},
    "RuntimeStatus": _STATUS,
    "Part": _PART,
    "Workspace": _WORKSPACE,
    "NewWorkspace": {"path": "/home/ada/todo"},
    "TrustDecision": {"trusted": True},
    "GitDecision": {"init": True},
    "Retry": {"part": "editor"},
    "FileEntry": {"name": "app.py", "path": "src/app.py", "kind": "file", "size": 1204},
    "Changes": {
        "files": [{"path": "src/app.py", "change": "modified", "added": 12, "removed": 3}],
        "added": 12,
        "removed": 3,
    },
    "OpenInEditor": {"path": "src/app.py", "line": 12},
    "DiffInEditor": {"path": "src/app.py", "before": "a = 1\n", "after": "a = 2\n"},
    "Task": _TASK,
    "Tasks": {"tasks": [_TASK], "more": False},
    "NewTask": {
        "workspace_id": "5b3f0c9a7d21e684",
        "message": {"text": "Make the tests pass"},
        "budget_usd": 2.0,
    },
    "TaskPatch": {"title": "Make the tests pass"},
    "NewMessage": {"text": "Use pytest, please", "attachments": [{"path": "src/app.py", "from_line": 3, "to_line": 9}]},
    "Rejection": {"reason": "Do not push; open a branch."},
    "Event": {
        "position": 1,
        "id": "5d0b0e0e-8a3f-4ad1-9d26-6a64f6cf3b1c",
        "task_id": _TASK["id"],
        "conversation_id": None,
        "seq": None,
        "kind": "UserMessage",
        "source": "user",
        "at": _TIME,
        "data": {"text": "Make the tests pass"},
    },
    "Events": {"events": [], "more_before": False, "more_after": False},
    "Settings": {"theme": "dark", "default_mode": "ask_risky", "workspace_base": "/home/ada/Twinseat"},
    "SettingsPatch": {"theme": "dark"},
    "Secrets": {
        "secrets": [{"name": "model:gpt", "stored": True, "where": "the system keyring"}],
        "store": "the system keyring",
        "warning": None,
    },
    "SecretValue": {"value": "sk-…"},
    "ModelProfile": _PROFILE,
    "NewModelProfile": {"provider": "openai", "model": "gpt-5", "key": "sk-…"},
    "ModelPatch": {"make_default": True},
    "Models": {"profiles": [_PROFILE]},
    "Provider": {
        "id": "ollama",
        "name": "Ollama",
        "base_url": "http://127.0.0.1:11434/v1",
        "local": True,
        "found": True,
    },
    "Probe": {"provider": "openai", "key": "sk-…", "model": "gpt-5"},
    "ModelList": {"models": [{"id": "gpt-5", "context_window": 400000}], "problem": None},
    "ProbeResult": {"ok": True, "took": 0.8, "problem": None},
    "DaytonaKey": {"key": "dtn_…"},
    "Demo": {"workspace_id": "5b3f0c9a7d21e684", "task_id": _TASK["id"]},
}


def install(api: FastAPI) -> None:
    """Make `api.openapi()` give the completed document."""
    derive = api.openapi

    def complete() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = _complete(derive())
        return api.openapi_schema

    api.openapi = complete


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    from app.schemas import Problem

    components = document.setdefault("components", {})
    shapes = components.setdefault("schemas", {})
    shapes["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    for unused in ("HTTPValidationError", "ValidationError"):
        shapes.pop(unused, None)
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for name, example in EXAMPLES.items():
        if name in shapes:
            shapes[name]["examples"] = [example]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _operation(path, method, operation)
    return document


def _operation(path: str, method: str, operation: dict[str, Any]) -> None:
    operation["security"] = [] if (path, method) in OPEN else [{"bearer": []}]
    for status, text in _ERRORS.items():
        operation["responses"][status] = {"description": text, "content": PROBLEM}
    if method == "post" and not path.startswith("/api/session"):
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Chosen by the client, such as a UUID; the same request with it is done once.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
            }
        )
