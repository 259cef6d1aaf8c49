"""The providers the wizard offers, and finding those that run on this machine."""

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

import aiohttp

from app.schemas import Protocol, Provider

DISCOVERY_SECONDS = 0.8

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        id="openai",
        name="OpenAI",
        base_url="https://api.openai.com/v1",
        key_url="https://platform.openai.com/api-keys",
        key_hint="sk-…",
        suggested_models=["gpt-6-sol", "gpt-5.6", "gpt-5.4-mini"],
    ),
    Provider(
        id="anthropic",
        name="Anthropic",
        base_url="https://api.anthropic.com",
        protocol="anthropic",
        key_url="https://console.anthropic.com/settings/keys",
        key_hint="sk-ant-…",
        suggested_models=["claude-sonnet-5", "claude-opus-5-5", "claude-haiku-5-5"],
    ),
    Provider(
        id="gemini",
        name="Google Gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        protocol="gemini",
        key_url="https://aistudio.google.com/apikey",
        key_hint="AIza…",
        suggested_models=["gemini-pro-latest", "gemini-flash-latest"],
    ),
    Provider(
        id="openrouter",
        name="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        key_url="https://openrouter.ai/keys",
        key_hint="sk-or-…",
        suggested_models=["anthropic/claude-sonnet-5", "openai/gpt-5.6", "qwen/qwen3-coder"],
    ),
    Provider(
        id="deepseek",
        name="DeepSeek",
        base_url="https://api.deepseek.com/v1",
        key_url="https://platform.deepseek.com/api_keys",
        key_hint="sk-…",
        suggested_models=["deepseek-v4-pro", "deepseek-v4-flash"],
    ),
    Provider(
        id="mistral",
        name="Mistral",
        base_url="https://api.mistral.ai/v1",
        key_url="https://console.mistral.ai/api-keys",
        suggested_models=["devstral-latest", "mistral-large-latest"],
    ),
    Provider(
        id="groq",
        name="Groq",
        base_url="https://api.groq.com/openai/v1",
        key_url="https://console.groq.com/keys",
        key_hint="gsk_…",
        suggested_models=["openai/gpt-oss-120b", "openai/gpt-oss-20b"],
    ),
    Provider(
        id="ollama",
        name="Ollama",
        base_url="http://127.0.0.1:11434/v1",
        needs_key=False,
        local=True,
        suggested_models=["qwen3-coder", "gpt-oss:20b", "devstral"],
    ),
    Provider(id="lmstudio", name="LM Studio", base_url="http://127.0.0.1:1234/v1", needs_key=False, local=True),
    Provider(id="vllm", name="vLLM", base_url="http://127.0.0.1:8000/v1", needs_key=False, local=True),
    Provider(id="custom", name="Any other (OpenAI-compatible)", base_url="", needs_key=False),
)

DEMO = Provider(id="demo", name="Scripted demo", base_url="demo:", needs_key=False, local=True)
"""Not in the list: the scripted model of `twinseat demo`, which runs inside the backend."""

_BY_ID = {provider.id: provider for provider in (*PROVIDERS, DEMO)}

# OpenAI's newer families take tools together with reasoning only through /responses.
_RESPONSES = ("gpt-5", "gpt-6", "codex", "o1", "o3", "o4")


def find(provider_id: str) -> Provider:
    """The preset; an unknown id is treated as any other OpenAI-compatible endpoint."""
    return _BY_ID.get(provider_id) or _BY_ID["custom"]


def by_address(base_url: str) -> Provider:
    """The preset whose host the address has."""
    host = urlsplit(base_url).netloc
    for provider in PROVIDERS:
        if provider.base_url and urlsplit(provider.base_url).netloc == host:
            return provider
    return _BY_ID["custom"]


def protocol_for(provider: Provider, model: str) -> Protocol:
    """The protocol that serves an agent best with this model."""
    if provider.id == "openai" and model.startswith(_RESPONSES) and not model.startswith("gpt-5-chat"):
        return "responses"
    return provider.protocol


def clean_address(base_url: str, protocol: Protocol) -> str:
    """The base address as the gateway wants it, from what people paste: without the operation's path at its end."""
    address = base_url.strip()
    if address and "://" not in address:
        local = address.startswith(("localhost", "127.", "[::1]"))
        address = f"{'http' if local else 'https'}://{address}"
    address = address.rstrip("/")
    for tail in ("/chat/completions", "/responses", "/messages", "/models"):
        address = address.removesuffix(tail)
    if protocol == "anthropic":
        address = address.removesuffix("/v1")
    return address.rstrip("/")


async def discover(providers: Iterable[Provider] = PROVIDERS) -> list[Provider]:
    """The presets, each local one with whether it answers now. Takes at most `DISCOVERY_SECONDS`."""
    presets = list(providers)
    timeout = aiohttp.ClientTimeout(total=DISCOVERY_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
        found = await asyncio.gather(*(_answers(session, preset) for preset in presets))
    return [preset.model_copy(update={"found": one}) for preset, one in zip(presets, found, strict=True)]


async def _answers(session: aiohttp.ClientSession, provider: Provider) -> bool | None:
    """Whether a model list is served there: another program on the same port is not it."""
    if not provider.local:
        return None
    try:
        async with session.get(f"{provider.base_url}/models") as answer:
            body = await answer.json(content_type=None)
            return answer.status == 200 and isinstance(body, dict) and "data" in body
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
        return False
