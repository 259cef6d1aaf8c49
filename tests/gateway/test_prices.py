"""The price table: pinned, looked up, overridden."""

import json
from pathlib import Path

import pytest

from app.gateway import prices, providers
from app.gateway.prices import Counts, Price, Prices
from app.schemas import ModelProfile


def profile(provider: str, model: str, **more: float) -> ModelProfile:
    return ModelProfile(id="p", name="p", provider=provider, base_url="https://x.example", model=model, **more)  # pyright: ignore[reportArgumentType]


def test_the_table_is_the_pinned_one_and_small() -> None:
    assert len(prices._table()) > 1000
    assert Path(prices.__file__).with_name("prices.json").stat().st_size < 300_000


def test_a_changed_table_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "SHA256", "0" * 64)
    prices._table.cache_clear()
    try:
        table = Prices()
        assert table.info("openai", "gpt-5.1").price_in is None
        assert table.warning
        assert "not used" in table.warning
    finally:
        monkeypatch.undo()
        prices._table.cache_clear()


@pytest.mark.parametrize("provider", [one for one in providers.PROVIDERS if not one.local and one.suggested_models])
def test_what_the_wizard_suggests_is_known(provider: providers.Provider) -> None:
    known = [Prices().info(provider.id, model) for model in provider.suggested_models]
    assert [info.id for info in known if info.price_in is None and not info.id.startswith("qwen/")] == []


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-5.1"),
        ("openai", "gpt-5.1-2025-11-13"),
        ("custom", "gpt-5.1"),
        ("anthropic", "claude-sonnet-4-5"),
        ("openrouter", "anthropic/claude-sonnet-4.5"),
        ("openrouter", "deepseek/deepseek-chat"),
        ("gemini", "models/gemini-2.5-pro"),
    ],
)
def test_names_are_found(provider: str, model: str) -> None:
    info = Prices().info(provider, model)
    assert info.price_in
    assert info.context_window
    assert info.tools


def test_an_unknown_model_has_no_price() -> None:
    assert Prices().cost(profile("custom", "nobody-knows"), Counts(10, 10)) is None
    assert Prices().info("custom", "nobody-knows").vision is None
    assert Prices().info("openrouter", "deepseek/deepseek-chat:free").price_in is None


def test_cached_tokens_cost_less_and_written_ones_more() -> None:
    price = Price(into=10, out=20, cache_read=1, cache_write=12.5)
    assert price.cost(Counts(1_000_000, 0)) == pytest.approx(10)
    assert price.cost(Counts(1_000_000, 0, cached=500_000)) == pytest.approx(5.5)
    assert price.cost(Counts(1_000_000, 100_000, cache_written=1_000_000)) == pytest.approx(14.5)


def test_a_long_prompt_costs_the_second_tier() -> None:
    table = Prices()
    short = table.cost(profile("gemini", "gemini-2.5-pro"), Counts(200_000, 0))
    long = table.cost(profile("gemini", "gemini-2.5-pro"), Counts(200_001, 0))
    assert short == pytest.approx(0.25)
    assert long == pytest.approx(0.5, rel=1e-3)


def test_own_price_then_file_then_provider_then_table(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    counts = Counts(1_000_000, 0, cost=7.0)
    table = Prices(file)
    assert table.cost(profile("openai", "gpt-5.1"), Counts(1_000_000, 0)) == pytest.approx(1.25)
    assert table.cost(profile("openai", "gpt-5.1"), counts) == 7.0
    file.write_text(
        json.dumps({"openai/gpt-5.1": {"price_in": 3, "price_out": 4, "context_window": 99, "vision": False}})
    )
    assert table.cost(profile("openai", "gpt-5.1"), counts) == pytest.approx(3)
    info = table.info("openai", "gpt-5.1")
    assert (info.context_window, info.vision, info.price_out, info.tools) == (99, False, 4, True)
    assert table.cost(profile("openai", "gpt-5.1", price_in=5.0, price_out=5.0), counts) == pytest.approx(5)


@pytest.mark.parametrize("text", ["{", "[]", '{"x": {"price": 1}}', '{"x": {"price_in": "cheap"}}'])
def test_a_broken_file_is_named_and_not_used(tmp_path: Path, text: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(text)
    table = Prices(file)
    assert table.info("openai", "gpt-5.1").price_in == 1.25
    assert table.warning
    assert "prices.json was ignored" in table.warning
