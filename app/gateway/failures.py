"""From what a provider says when it refuses, in whatever form, to a sentence with a remedy.

Forms, with where they were learned: OpenAI {"error": {message, type, param, code}}
(https://platform.openai.com/docs/guides/error-codes); Anthropic {"type": "error", "error": {type, message}}
(https://docs.anthropic.com/en/api/errors); Google {"error": {code, message, status}}, in a stream as an array
(https://ai.google.dev/gemini-api/docs/troubleshooting); Mistral {"object": "error", "message": {"detail": […]}}
(https://github.com/nomtek/mistralai_client_dart/issues/44); LM Studio {"error": "…"}; FastAPI servers {"detail": …}.
"""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from app.gateway import providers, usage
from app.problems import describe
from app.redact import redact
from app.schemas import ModelProfile, Problem, Protocol

LONGEST = 600
"""Characters of a provider's own words that are repeated."""

_CREDIT = re.compile(
    r"insufficient[_ ](?:quota|balance|credit|fund)|exceeded your current quota|billing|credit balance", re.I
)
_CONTEXT = re.compile(
    r"context[_ ]length|context window|context size|maximum context|prompt is too long|input is too long|"
    r"too many tokens|exceeds the maximum number of tokens|reduce the length",
    re.I,
)
_KEY = re.compile(r"api[_ -]?key|authenticat|unauthori[sz]ed|invalid x-api-key|token is (?:invalid|expired)", re.I)
_MODEL = re.compile(r"model", re.I)
_POLICY = re.compile(r"content[_ ](?:policy|filter)|safety system|prohibited", re.I)
_NO_MODEL_LOADED = re.compile(r"no models? (?:is )?loaded|failed to load model", re.I)


def subject(profile: ModelProfile) -> str:
    """The other side in words: "OpenAI at api.openai.com"."""
    host = urlsplit(profile.base_url).netloc.rpartition("@")[2] or profile.base_url
    known = providers.find(profile.provider)
    if known.id == "demo":
        return "the scripted demo"
    if known.id == "custom":
        return f"the model at {host}"
    return f"{known.name} at {host}"


def unreachable(error: BaseException, profile: ModelProfile) -> Problem:
    """No answer came: DNS, TLS, proxy, refused, time-out, cut off."""
    problem = describe(error, subject(profile))
    local = providers.find(profile.provider)
    if problem.code == "refused" and local.local:
        remedy = f"Start {local.name} on this machine, then try again."
        return problem.model_copy(update={"remedy": remedy})
    return problem


def refused(status: int, content_type: str, body: bytes, profile: ModelProfile) -> Problem:
    """The problem behind an answer that is an error. `status` of the problem is the provider's, where it means it."""
    who = subject(profile)
    if _is_page(content_type, body):
        return not_an_endpoint(profile, status)
    said, codes = words(body)
    quote = f": {said}" if said else f" (status {status})."
    if said and not said.endswith((".", "!", "?")):
        quote += "."
    signs = " ".join((*codes, said))

    def problem(name: str, status: int, title: str, sentence: str, remedy: str) -> Problem:
        return Problem(
            code=name, status=status, title=title, detail=f"{_capital(who)} {sentence}{quote}", remedy=remedy
        )

    if status == 402 or (status in {400, 403, 429} and _CREDIT.search(signs)):
        where = providers.find(profile.provider).key_url
        remedy = f"Add credit with the provider ({urlsplit(where).netloc})" if where else "Add credit with the provider"
        return problem(
            "model-no-credit",
            402,
            "No credit left",
            "says there is no credit left",
            f"{remedy}, or choose another model.",
        )
    if status == 401 or (status == 403 and not _MODEL.search(signs)) or (status == 400 and _KEY.search(signs)):
        remedy = "Check the key in Settings → Models."
        return problem("model-key-refused", 401, "The key was refused", "did not accept the key", remedy)
    if status == 403:
        remedy = "Ask the provider for access, or choose another model."
        return problem("model-not-permitted", 403, "Not permitted", "does not let this key use the model", remedy)
    if status in {400, 413, 422, 500} and _CONTEXT.search(signs):
        remedy = "Start a new task, or choose a model with a larger context window."
        sentence = "says the conversation is too long (context length exceeded)"
        return problem("context-full", 400, "The conversation is too long for the model", sentence, remedy)
    if _NO_MODEL_LOADED.search(signs):
        remedy = "Load the model there, then try again."
        return problem("model-not-loaded", 404, "No model is loaded", "has no model loaded", remedy)
    if status == 404 and _MODEL.search(signs):
        remedy = "Choose another model in Settings → Models; the list is the provider's own."
        sentence = f"does not know the model {profile.model!r}"
        return problem("model-not-found", 404, "No such model", sentence, remedy)
    if status in {404, 405}:
        return not_an_endpoint(profile, status)
    if status == 429:
        remedy = "Wait a minute and try again, or choose another model."
        return problem(
            "model-rate-limit",
            429,
            "The model asks to slow down",
            "refused because too much was asked in a short time",
            remedy,
        )
    if status in {503, 529}:
        remedy = "Try again in a while, or choose another model."
        return problem("model-overloaded", 503, "The model is overloaded", "is overloaded", remedy)
    if status in {408, 504}:
        return problem("time-out", 504, "No answer in time", "did not answer in time", "Try again.")
    if status >= 500:
        remedy = "Try again; if it goes on, look at the provider's status page."
        return problem("model-failed", 502 if status == 502 else 500, "The model failed", "failed", remedy)
    if _POLICY.search(signs):
        remedy = "Say it differently, or choose another model."
        return problem(
            "model-policy", 400, "Refused by the provider's policy", "refused the content (content_policy)", remedy
        )
    remedy = "Check the model's settings; if they are right, the model may not support what the agent needs."
    return problem("model-refused", 400, "The model refused the request", "refused the request", remedy)


def in_stream(body: bytes, profile: ModelProfile) -> Problem:
    """The problem behind an error that came as an event of a stream, where the status was 200 already."""
    said, codes = words(body)
    signs = " ".join((*codes, said))
    numbers = [int(code) for code in codes if code.isdigit() and 400 <= int(code) < 600]
    status = numbers[0] if numbers else 529 if "overloaded" in signs else 429 if "rate_limit" in signs else 500
    return refused(status, "application/json", body, profile)


def not_an_endpoint(profile: ModelProfile, status: int) -> Problem:
    """Something answers there, but not a model API."""
    return Problem(
        code="not-a-model-endpoint",
        status=404,
        title="Not a model's address",
        detail=f"{profile.base_url} answers (status {status}), but not as a model's API does.",
        remedy="Check the base address in Settings → Models: it usually ends in /v1.",
    )


def garbage(profile: ModelProfile, sample: str) -> Problem:
    """The answer is not in the form it should have."""
    return Problem(
        code="model-garbage",
        status=502,
        title="The model answers rubbish",
        detail=f"{_capital(subject(profile))} sent something that is no model's answer: {redact(sample)!r}.",
        remedy="Check the base address in Settings → Models, or choose another model.",
    )


def cut_off(profile: ModelProfile) -> Problem:
    """The stream broke off before its end."""
    return Problem(
        code="model-cut-off",
        status=502,
        title="The answer broke off",
        detail=f"{_capital(subject(profile))} closed the connection in the middle of its answer.",
        remedy="Try again; if it goes on, look at the provider's status page or your network.",
    )


def words(body: bytes) -> tuple[str, tuple[str, ...]]:
    """What an error body says, redacted, and the provider's own codes for it."""
    documents = usage.document(body)
    if not documents:
        return _clean(body.decode("utf-8", "replace")), ()
    document: Any = documents[0]
    inner = document.get("error") or document.get("message") or document.get("detail") or document
    codes = [document.get("type"), document.get("code")]
    if isinstance(inner, dict):
        codes += [inner.get(name) for name in ("type", "code", "status")]
        # OpenRouter wraps what the provider underneath said: https://openrouter.ai/docs/api-reference/errors
        raw = (inner.get("metadata") or {}).get("raw") if isinstance(inner.get("metadata"), dict) else None
        text = inner.get("message") or inner.get("detail") or inner
        if isinstance(raw, str):
            text = f"{text} ({words(raw.encode())[0]})"
    else:
        text = inner
    if isinstance(text, list):
        text = "; ".join(_detail(one) for one in text)
    said = text if isinstance(text, str) else json.dumps(text)
    return _clean(said), tuple(str(code) for code in codes if code)


def answer(problem: Problem, protocol: Protocol, upstream_code: str = "") -> tuple[int, bytes]:
    """Status and body of the error in the protocol's own form, so that the agent's library raises what it should.

    litellm maps by status; what it has no name for (402 for Anthropic and Gemini) it would take for a lost connection
    and repeat for minutes, so there it is sent as 400.
    """
    status = problem.status
    known = {400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504}
    if protocol not in {"openai", "responses"} and status not in known:
        status = 400 if status < 500 else 500
    return status, json.dumps(error_object(problem, protocol, upstream_code)).encode()


def error_object(problem: Problem, protocol: Protocol, upstream_code: str = "") -> dict[str, Any]:
    """The error's JSON in the protocol's form. The sentence and its remedy are the message."""
    message = f"{problem.detail} {problem.remedy}" if problem.remedy else problem.detail
    message = redact(message)
    match protocol:
        case "anthropic":
            kinds = {
                401: "authentication_error",
                403: "permission_error",
                404: "not_found_error",
                429: "rate_limit_error",
            }
            kind = kinds.get(problem.status) or ("invalid_request_error" if problem.status < 500 else "api_error")
            return {"type": "error", "error": {"type": kind, "message": message}}
        case "gemini":
            status = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
            name = status.get(problem.status) or ("INVALID_ARGUMENT" if problem.status < 500 else "UNAVAILABLE")
            return {"error": {"code": problem.status, "message": message, "status": name}}
        case _:
            code = upstream_code or problem.code
            return {"error": {"message": message, "type": problem.code, "param": None, "code": code}}


def event(problem: Problem, protocol: Protocol) -> bytes:
    """The error as an event of a stream that has begun."""
    body = error_object(problem, protocol)
    if protocol == "responses":
        inner = body["error"]
        body = {
            "type": "error",
            "code": inner["code"],
            "message": inner["message"],
            "param": None,
            "sequence_number": 0,
        }
    head = "event: error\n" if protocol in {"anthropic", "responses"} else ""
    return f"{head}data: {json.dumps(body)}\n\n".encode()


def _detail(entry: Any) -> str:
    """A validation error of FastAPI's kind: where and what."""
    if not isinstance(entry, dict):
        return str(entry)
    where = ".".join(str(part) for part in entry.get("loc") or [])
    return f"{where}: {entry.get('msg') or entry}" if where else str(entry.get("msg") or entry)


def _is_page(content_type: str, body: bytes) -> bool:
    return "html" in content_type or body.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))


def _clean(text: str) -> str:
    text = " ".join(redact(text).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
