"""What the agent is told about its model: the gateway's address, its task's token, and what the model can do.

The result is the `llm` object of the agent-server's API (openhands.sdk.llm.LLM, 1.58); no provider's key is in it.
"""

from typing import Any

from app.gateway import providers
from app.gateway.prices import Prices
from app.schemas import ModelProfile

SMALLEST_CONTEXT = 16384
"""OpenHands refuses to work with less, so a smaller window is not told; the provider then says when it is full."""

_PREFIX = {"deepseek": "deepseek", "mistral": "mistral", "groq": "groq"}
"""Providers whose small differences litellm evens out when it knows who they are; the wire is OpenAI's all the same."""

RETRIES = {"num_retries": 6, "retry_min_wait": 3, "retry_max_wait": 60, "retry_multiplier": 3.0}
"""Waits 3, 6, 12, 24 and 48 s: long enough for a limit per minute, short enough not to look dead."""


def llm_config(profile: ModelProfile, token: str, base_url: str, prices: Prices | None = None) -> dict[str, Any]:
    """The `llm` object for a task. `base_url` is the gateway's origin, `http://127.0.0.1:PORT`, without a path."""
    origin = base_url.rstrip("/")
    info = (prices or Prices()).info(profile.provider, profile.model)
    match profile.protocol:
        case "anthropic":
            model, address = f"anthropic/{profile.model}", f"{origin}/anthropic"
        case "gemini":
            model, address = f"gemini/{profile.model.removeprefix('models/')}", f"{origin}/gemini"
        case _:
            model, address = f"{_PREFIX.get(profile.provider, 'openai')}/{profile.model}", f"{origin}/v1"
    reasoning = bool(info.reasoning)
    capabilities: dict[str, bool] = {"supports_reasoning_effort": reasoning}
    if profile.protocol in {"openai", "responses"}:
        # Without this every unknown model would be taken for OpenAI's own, and sent what only OpenAI accepts.
        ours = providers.find(profile.provider).id == "openai"
        capabilities |= {"supports_prompt_cache_key": ours, "supports_prompt_cache_retention": ours}
        capabilities["supports_prompt_cache"] = False
    if info.vision is not None:
        capabilities["supports_vision"] = info.vision
    config: dict[str, Any] = {
        "model": model,
        "base_url": address,
        "api_key": token,
        "api_mode": "responses" if profile.protocol == "responses" else "chat",
        "stream": True,
        "usage_id": "agent",
        "capability_overrides": capabilities,
        "temperature": profile.temperature,
        "max_output_tokens": profile.max_tokens,
        "input_cost_per_token": _per_token(profile.price_in, info.price_in),
        "output_cost_per_token": _per_token(profile.price_out, info.price_out),
        **RETRIES,
    }
    context = profile.context_window or info.context_window
    if context and context >= SMALLEST_CONTEXT:
        config["max_input_tokens"] = context
    return {name: value for name, value in config.items() if value is not None}


def _per_token(own: float | None, known: float | None) -> float:
    """Dollars; zero where nobody knows, so that litellm does not guess by the name. What is shown is our own count."""
    price = own if own is not None else known
    return (price or 0.0) / 1_000_000
