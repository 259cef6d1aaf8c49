"""What the wizard asks of a provider before anything is stored: its list of models, and a real request of one token.

Every way to fail becomes a sentence that says what is wrong and what to do.
"""

import asyncio
import json
import re
import time
from typing import Any

import aiohttp

from app.gateway import failures, providers, usage, wire
from app.gateway.profiles import DEMO, Profiles
from app.gateway.upstream import Upstream
from app.problems import Fault
from app.redact import register
from app.schemas import ModelInfo, ModelList, ModelProfile, Probe, ProbeResult, Problem

CONNECT_SECONDS = 10.0
SECONDS = 25.0
SECONDS_LOCAL = 120.0
"""A local server may load the model first."""

LARGEST = 16 * 1024 * 1024

_NOT_FOR_CHAT = re.compile(
    r"embed|whisper|tts|dall-e|moderation|image|realtime|audio|transcribe|search|sora|davinci|babbage|guard|lyria|veo|"
    r"imagen|aqa|ocr|voxtral",
    re.I,
)


class Prober:
    """Asks providers, over connections of its own that end with the question."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    async def list_models(self, probe: Probe) -> ModelList:
        """The provider's models, suggested ones first; with a problem instead when they can't be had."""
        try:
            profile, key = await self._subject(probe)
            documents = await asyncio.wait_for(self._fetch(profile, key), SECONDS)
        except Fault as fault:
            return ModelList(models=[], problem=_here(fault.problem()))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return ModelList(models=[], problem=_here(failures.unreachable(error, _stand_in(probe))))
        models = [model for document in documents for model in _models(document)]
        known = [self._describe(profile, model) for model in models]
        suggested = providers.find(profile.provider).suggested_models
        chat = [info for info in known if not _NOT_FOR_CHAT.search(info.id)]
        chat.sort(key=lambda info: (info.id not in suggested, info.tools is not True, info.id))
        if not chat:
            return ModelList(models=[], problem=_empty(profile))
        return ModelList(models=chat)

    async def test(self, probe: Probe) -> ProbeResult:
        """One real token. `took` is seconds."""
        began = time.monotonic()
        problem: Problem | None = None
        try:
            profile, key = await self._subject(probe)
            limit = SECONDS_LOCAL if providers.find(profile.provider).local else SECONDS
            await asyncio.wait_for(self._one_token(profile, key), limit)
        except Fault as fault:
            problem = _here(fault.problem())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = _here(failures.unreachable(error, _stand_in(probe)))
        return ProbeResult(ok=problem is None, took=round(time.monotonic() - began, 3), problem=problem)

    async def _subject(self, probe: Probe) -> tuple[ModelProfile, str | None]:
        """Whom to ask, with which key. A stored key is sent only to the address that it was stored for."""
        key = probe.key.strip() if probe.key else None
        if key:
            register(key)
        profile = _stand_in(probe)
        if probe.profile_id:
            stored = self._profiles.stored(probe.profile_id)
            if stored is DEMO:
                raise Fault(
                    code="demo-needs-no-test",
                    status=409,
                    title="Nothing to test",
                    detail="The scripted demo is a part of Twinseat; it needs no test.",
                )
            same = probe.base_url is None or providers.clean_address(probe.base_url, stored.protocol) == stored.base_url
            if same:
                profile = stored.model_copy(update={"model": probe.model or stored.model})
                key = key or await self._profiles.key(probe.profile_id)
        if not profile.base_url.startswith(("http://", "https://")):
            raise Fault(
                code="invalid-model",
                status=422,
                title="The address is missing",
                detail="There is no address to ask.",
                remedy="Give the base address, like https://api.example.com/v1.",
            )
        if not key and providers.find(profile.provider).needs_key:
            raise Fault(
                code="model-no-key",
                status=401,
                title="The key is missing",
                detail=f"{providers.find(profile.provider).name} needs a key.",
                remedy="Paste the key; it goes into the system's keyring and to the provider, nowhere else.",
            )
        if key and not key.isascii():
            raise Fault(
                code="model-key-refused",
                status=401,
                title="This is no key",
                detail="The key has characters that no key has; perhaps it was cut short or shown masked.",
                remedy="Copy it again from the provider.",
            )
        return profile, key

    async def _fetch(self, profile: ModelProfile, key: str | None) -> list[dict[str, Any]]:
        query = {"anthropic": "limit=1000", "gemini": "pageSize=1000"}.get(profile.protocol, "")
        url = wire.address(profile, profile.protocol, "models", query)
        async with (
            Upstream(connect=CONNECT_SECONDS) as upstream,
            await upstream.request("GET", url, wire.credentials(profile.protocol, key)) as answer,
        ):
            body = await _read(answer)
            kind = answer.headers.get("Content-Type", "").lower()
        if answer.status >= 300:
            raise _fault(failures.refused(answer.status, kind, body, profile))
        documents = usage.document(body)
        if not documents or (not {"data", "models"} & set(documents[0]) and "id" not in documents[0]):
            raise _fault(failures.not_an_endpoint(profile, answer.status))
        return documents

    async def _one_token(self, profile: ModelProfile, key: str | None) -> None:
        if not profile.model:
            raise Fault(
                code="no-model-chosen",
                status=422,
                title="No model is chosen",
                detail="There is no model to test.",
                remedy="Choose one from the list, or type its name.",
            )
        operation, body = _smallest_request(profile)
        refused: frozenset[str] = frozenset()
        while True:
            call = wire.call(profile, profile.protocol, operation, {}, json.dumps(body).encode(), key, refused=refused)
            async with (
                Upstream(connect=CONNECT_SECONDS) as upstream,
                await upstream.request("POST", call.url, call.headers, call.body) as answer,
            ):
                text = await _read(answer)
                kind = answer.headers.get("Content-Type", "").lower()
            if answer.status < 300:
                return _check(text, kind, answer.status, profile)
            if answer.status == 400 and b"output limit was reached" in text:
                return None  # OpenAI's reasoning models: it worked, one token was not enough to say anything
            more = wire.refused_parameters(call.body, text.decode("utf-8", "replace")) - refused
            if answer.status not in {400, 422} or not more:
                raise _fault(failures.refused(answer.status, kind, text, profile))
            refused |= more

    def _describe(self, profile: ModelProfile, model: ModelInfo) -> ModelInfo:
        """What the provider says of a model, filled up from the table."""
        known = self._profiles.prices.info(profile.provider, model.id)
        return known.model_copy(update=model.model_dump(exclude_none=True))


def _stand_in(probe: Probe) -> ModelProfile:
    """A profile for what is not stored yet."""
    provider = providers.find(probe.provider)
    model = (probe.model or "").strip()
    protocol = probe.protocol or providers.protocol_for(provider, model)
    return ModelProfile(
        id="probe",
        name=provider.name,
        provider=probe.provider,
        protocol=protocol,
        base_url=providers.clean_address(probe.base_url or provider.base_url, protocol),
        model=model,
    )


def _smallest_request(profile: ModelProfile) -> tuple[str, dict[str, Any]]:
    hello = [{"role": "user", "content": "Say OK."}]
    match profile.protocol:
        case "anthropic":
            return "messages", {"model": profile.model, "max_tokens": 1, "messages": hello}
        case "gemini":
            contents = [{"role": "user", "parts": [{"text": "Say OK."}]}]
            return "generateContent", {"contents": contents, "generationConfig": {"maxOutputTokens": 1}}
        case "responses":
            return "responses", {"model": profile.model, "input": "Say OK.", "max_output_tokens": 16}
        case _:
            return "chat/completions", {"model": profile.model, "max_tokens": 1, "messages": hello}


def _check(text: bytes, kind: str, status: int, profile: ModelProfile) -> None:
    """Whether an answer of status 200 is a model's. Raises Fault."""
    documents = usage.document(text)
    if "html" in kind or not documents:
        raise _fault(failures.not_an_endpoint(profile, status))
    document = documents[0]
    if document.get("error") and "choices" not in document:
        raise _fault(failures.refused(400, kind, text, profile))
    if not {"choices", "content", "candidates", "output"} & set(document):
        raise _fault(failures.not_an_endpoint(profile, status))


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The body, up to `LARGEST` bytes."""
    parts: list[bytes] = []
    while sum(map(len, parts)) < LARGEST and (chunk := await answer.content.read(LARGEST)):
        parts.append(chunk)
    return b"".join(parts)


def _models(document: dict[str, Any]) -> list[ModelInfo]:
    """The entries of a list, in the form of any provider."""
    entries = document.get("data") or document.get("models") or ([document] if "id" in document else [])
    return [info for entry in entries if isinstance(entry, dict) and (info := _model(entry)) is not None]


def _model(entry: dict[str, Any]) -> ModelInfo | None:
    """OpenRouter tells prices per token as text, context and abilities; vLLM the context; Gemini limits and methods."""
    name = str(entry.get("id") or entry.get("name") or "").removeprefix("models/")
    methods = entry.get("supportedGenerationMethods")
    if not name or (isinstance(methods, list) and "generateContent" not in methods):
        return None
    pricing = entry.get("pricing") if isinstance(entry.get("pricing"), dict) else {}
    abilities = entry.get("supported_parameters")
    modalities = (entry.get("architecture") or {}).get("input_modalities") if entry.get("architecture") else None
    context = entry.get("context_length") or entry.get("max_model_len") or entry.get("inputTokenLimit")
    context = context or entry.get("max_context_length") or entry.get("context_window")
    return ModelInfo(
        id=name,
        context_window=context if isinstance(context, int) else None,
        max_output=entry.get("outputTokenLimit") if isinstance(entry.get("outputTokenLimit"), int) else None,
        price_in=_per_million((pricing or {}).get("prompt")),
        price_out=_per_million((pricing or {}).get("completion")),
        vision="image" in modalities if isinstance(modalities, list) else None,
        tools="tools" in abilities if isinstance(abilities, list) else None,
        reasoning="reasoning" in abilities if isinstance(abilities, list) else None,
    )


def _per_million(value: object) -> float | None:
    try:
        price = float(value) * 1e6 if isinstance(value, str | int | float) else None
    except ValueError:
        return None
    return round(price, 6) if price is not None and price >= 0 else None


def _empty(profile: ModelProfile) -> Problem:
    local = providers.find(profile.provider).local
    return Problem(
        code="no-models",
        status=404,
        title="No models there",
        detail=f"{failures.subject(profile)} answers, but has no model for chat.",
        remedy="Download a model there first." if local else "Type the model's name by hand.",
    )


def _here(problem: Problem) -> Problem:
    """The remedy without the way to the settings: who tries a model has its fields in front of them."""
    remedy = problem.remedy and problem.remedy.replace(" in Settings → Models", "").replace(" in Settings", "")
    return problem.model_copy(update={"remedy": remedy})


def _fault(problem: Problem) -> Fault:
    return Fault(
        code=problem.code, status=problem.status, title=problem.title, detail=problem.detail, remedy=problem.remedy
    )
