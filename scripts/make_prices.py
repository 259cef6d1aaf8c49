"""Make `app/gateway/prices.json` from litellm's table and print the SHA-256 that `app/gateway/prices.py` pins.

Run it when litellm was updated: `.venv/bin/python scripts/make_prices.py`. The table is litellm's
(https://github.com/BerriAI/litellm, MIT License, Copyright (c) 2023 Berri AI); only the providers that the wizard
offers and the better known compatible ones are kept, and of each model only what the gateway uses.
"""

import hashlib
import importlib.util
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "openrouter": "openrouter",
    "deepseek": "deepseek",
    "mistral": "mistral",
    "groq": "groq",
    "xai": "xai",
    "together_ai": "together_ai",
    "fireworks_ai": "fireworks_ai",
    "deepinfra": "deepinfra",
    "cerebras": "cerebras",
    "moonshot": "moonshot",
    "zai": "zai",
    "minimax": "minimax",
    "dashscope": "dashscope",
    "azure": "azure",
    "perplexity": "perplexity",
    "sambanova": "sambanova",
    "nebius": "nebius",
    "novita": "novita",
}
TARGET = Path(__file__).parent.parent / "app/gateway/prices.json"
FLAGS = ("supports_function_calling", "supports_vision", "supports_reasoning", "supports_prompt_caching")


def per_million(value: object) -> float | None:
    return round(float(value) * 1e6, 6) if isinstance(value, int | float) else None


def row(entry: dict[str, Any]) -> list[Any]:
    """In the order of `prices.Price`, without trailing nulls."""
    flags = sum(1 << bit for bit, name in enumerate(FLAGS) if entry.get(name))
    values: list[Any] = [
        entry.get("max_input_tokens"),
        entry.get("max_output_tokens") or entry.get("max_tokens"),
        flags,
        per_million(entry.get("input_cost_per_token")),
        per_million(entry.get("output_cost_per_token")),
        per_million(entry.get("cache_read_input_token_cost")),
        per_million(entry.get("cache_creation_input_token_cost")),
    ]
    for tier in (128_000, 200_000, 256_000, 272_000):
        above = f"above_{tier // 1000}k_tokens"
        if f"input_cost_per_token_{above}" in entry:
            values += [
                tier,
                per_million(entry.get(f"input_cost_per_token_{above}")),
                per_million(entry.get(f"output_cost_per_token_{above}")),
                per_million(entry.get(f"cache_read_input_token_cost_{above}")),
            ]
            break
    while values and values[-1] is None:
        values.pop()
    return [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]


def main() -> None:
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        raise SystemExit("litellm is not installed")
    table = json.loads((Path(spec.origin).parent / "model_prices_and_context_window_backup.json").read_text())
    models: dict[str, list[Any]] = {}
    for name, entry in table.items():
        provider = PROVIDERS.get(str(entry.get("litellm_provider")))
        if provider is None or entry.get("mode") not in {"chat", "responses"} or name == "sample_spec":
            continue
        if name.startswith("ft:") or "/us/" in name or "/eu/" in name or "-audio" in name or "-realtime" in name:
            continue
        key = name if name.startswith(f"{provider}/") else f"{provider}/{name}"
        models[key] = row(entry)
    head = {
        "source": f"litellm {version('litellm')}, https://github.com/BerriAI/litellm, MIT License, (c) 2023 Berri AI",
        "fields": "context, max output, flags (1 tools, 2 vision, 4 reasoning, 8 caching), then dollars per million "
        "tokens: in, out, cache read, cache write; then above how many tokens: in, out, cache read",
    }
    rows = ",\n".join(
        f"{json.dumps(name)}:{json.dumps(models[name], separators=(',', ':'))}" for name in sorted(models)
    )
    text = f'{json.dumps(head)[:-1]}, "models": {{\n{rows}\n}}}}\n'
    json.loads(text)
    TARGET.write_text(text, encoding="utf-8")
    print(f"{len(models)} models, {len(text)} bytes, sha256 {hashlib.sha256(text.encode()).hexdigest()}")  # noqa: T201


if __name__ == "__main__":
    main()
