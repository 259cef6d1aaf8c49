"""What models cost and can do: a table that ships with the package, and the user's own on top of it.

`prices.json` is made by `scripts/make_prices.py` from litellm's table (MIT License, (c) 2023 Berri AI) and pinned by
its SHA-256: a table that was changed is not used. `<data>/prices.json` overrides it, with the same fields as
`ModelInfo`, by model name or `provider/model`:

    {"my-model": {"price_in": 0.5, "price_out": 1.5, "context_window": 32768}}
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from app.problems import Fault
from app.schemas import ModelInfo, ModelProfile

SHA256 = "5ba20902bae228cc85f005ca9256fbccfc43c952ececb0f144685a862f410383"

_TOOLS, _VISION, _REASONING = 1, 2, 4
_DATED = 11
"""Length of a date at the end of a model's name: `-2025-08-07`."""

type Row = list[float | int | None]


class Override(BaseModel):
    """An entry of the user's file. Prices are dollars per million tokens."""

    model_config = ConfigDict(extra="forbid")

    price_in: float | None = None
    price_out: float | None = None
    price_cached: float | None = None
    context_window: int | None = None
    max_output: int | None = None
    vision: bool | None = None
    tools: bool | None = None
    reasoning: bool | None = None


@dataclass(frozen=True)
class Counts:
    """Tokens of one request as the provider counts them; `prompt` includes the cached and cache-written ones.

    `cost` is what the provider itself says it charged, in dollars.
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cache_written: int = 0
    reasoning: int = 0
    cost: float | None = None
    estimated: bool = False


@dataclass(frozen=True)
class Price:
    """One model. Prices are dollars per million tokens; `above` is where the second tier begins."""

    context: int | None = None
    max_output: int | None = None
    flags: int | None = None
    into: float | None = None
    out: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    above: int | None = None
    into_above: float | None = None
    out_above: float | None = None
    cache_read_above: float | None = None

    def cost(self, counts: Counts) -> float | None:
        """Dollars, or None when the model has no price."""
        if self.into is None or self.out is None:
            return None
        high = self.above is not None and counts.prompt > self.above
        into = self.into_above if high and self.into_above is not None else self.into
        out = self.out_above if high and self.out_above is not None else self.out
        read = self.cache_read_above if high and self.cache_read_above is not None else self.cache_read
        write = self.cache_write
        plain = max(0, counts.prompt - counts.cached - counts.cache_written)
        total = plain * into + counts.completion * out
        total += counts.cached * (into if read is None else read)
        total += counts.cache_written * (into if write is None else write)
        return total / 1_000_000


class Prices:
    """Looks models up. `overrides` is the user's file; its absence is no error."""

    def __init__(self, overrides: Path | None = None) -> None:
        self._path = overrides
        self._read_at: float | None = None
        self._overrides: dict[str, Override] = {}
        self.warning: str | None = None
        """Why the user's file, or the table, was not used, as a sentence."""

    def info(self, provider: str, model: str) -> ModelInfo:
        """What is known of a model; unknown things are None."""
        price, override = self._price(provider, model), self._override(provider, model)
        flags = price.flags if price else None
        info = ModelInfo(
            id=model,
            context_window=price.context if price else None,
            max_output=price.max_output if price else None,
            price_in=price.into if price else None,
            price_out=price.out if price else None,
            vision=bool(flags & _VISION) if flags is not None else None,
            tools=bool(flags & _TOOLS) if flags is not None else None,
            reasoning=bool(flags & _REASONING) if flags is not None else None,
        )
        if override is None:
            return info
        known = override.model_dump(exclude_none=True, exclude={"price_cached"})
        return info.model_copy(update=known)

    def cost(self, profile: ModelProfile, counts: Counts) -> float | None:
        """Dollars of a request, or None when nobody knows the price. The profile's own price comes first."""
        override = self._override(profile.provider, profile.model)
        if profile.price_in is not None and profile.price_out is not None:
            cached = override.price_cached if override else None
            return Price(into=profile.price_in, out=profile.price_out, cache_read=cached).cost(counts)
        if override is not None and override.price_in is not None and override.price_out is not None:
            return Price(into=override.price_in, out=override.price_out, cache_read=override.price_cached).cost(counts)
        if counts.cost is not None:
            return counts.cost
        price = self._price(profile.provider, profile.model)
        return price.cost(counts) if price else None

    def _price(self, provider: str, model: str) -> Price | None:
        try:
            table = _table()
        except Fault as fault:
            self.warning = fault.detail
            return None
        for name in _names(provider, model):
            if (row := table.get(name)) is not None:
                return Price(*row)  # pyright: ignore[reportArgumentType]
        return None

    def _override(self, provider: str, model: str) -> Override | None:
        self._refresh()
        for name in (f"{provider}/{model}", model):
            if name in self._overrides:
                return self._overrides[name]
        return None

    def _refresh(self) -> None:
        """Read the user's file again when it was changed."""
        if self._path is None:
            return
        try:
            changed = self._path.stat().st_mtime
        except OSError:
            self._read_at, self._overrides = None, {}
            return
        if changed == self._read_at:
            return
        self._read_at = changed
        try:
            self._overrides = _OVERRIDES.validate_json(self._path.read_bytes())
            self.warning = None
        except (OSError, ValidationError) as error:
            self._overrides = {}
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            self.warning = f"Your price file {self._path.name} was ignored: {reason}."


_OVERRIDES: TypeAdapter[dict[str, Override]] = TypeAdapter(dict[str, Override])


@cache
def _table() -> dict[str, Row]:
    text = (files("app.gateway") / "prices.json").read_bytes()
    if hashlib.sha256(text).hexdigest() != SHA256:
        raise Fault(
            code="prices-changed",
            status=500,
            title="The price table was changed",
            detail="The table of model prices is not the one this version was made with, so it is not used.",
            remedy="Install Twinseat again; to set prices of your own, use prices.json in the data folder.",
        )
    return json.loads(text)["models"]


def _names(provider: str, model: str) -> list[str]:
    """Where to look, best first. OpenRouter's `anthropic/claude-sonnet-4.5:free` is Anthropic's model underneath."""
    plain = model.removeprefix("models/")
    names = [f"{provider}/{plain}", plain]
    undated = plain[:-_DATED] if plain[-_DATED:].count("-") == 3 and plain[-_DATED:].replace("-", "").isdigit() else ""
    if undated:
        names.append(f"{provider}/{undated}")
    if provider in {"custom", "openai", "litellm"}:
        names += [f"{vendor}/{plain}" for vendor in ("openai", "anthropic", "gemini", "deepseek", "mistral", "xai")]
    if provider == "openrouter" and not plain.endswith(":free"):
        vendor, _, rest = plain.partition("/")
        vendor = {"google": "gemini", "mistralai": "mistral", "x-ai": "xai"}.get(vendor, vendor)
        names += [f"{vendor}/{rest}", f"{vendor}/{rest.replace('.', '-')}"]
    return names
