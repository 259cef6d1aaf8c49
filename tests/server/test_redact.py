"""Secrets leave no trace in text."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.redact import MASK, forget, known, redact, redact_json, register

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60)


@given(SECRETS, st.text(max_size=30))
def test_a_registered_secret_is_masked_in_each_form(secret: str, around: str) -> None:
    register(secret)
    try:
        for form in (
            secret,
            quote(secret, safe=""),
            json.dumps(secret)[1:-1],
            base64.b64encode(secret.encode()).decode(),
        ):
            masked = redact(f"{around}{form}{around}")
            assert secret not in masked or secret in f"{around}•••{around}"
            assert form.rstrip("=") not in masked or form.rstrip("=") in f"{around}•••{around}"
    finally:
        forget(secret)


def test_forgetting_counts() -> None:
    register("twice-registered")
    register("twice-registered")
    forget("twice-registered")
    assert "twice-registered" not in redact("twice-registered")
    forget("twice-registered")
    assert redact("twice-registered") == "twice-registered"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef123456",
        '{"authorization": "Bearer abcdef123456"}',
        "x-api-key: abcdef123456",
        "https://ada:abcdef123456@example.com/x.git",
        "api_key=abcdef123456",
        "the key sk-proj-abcdef123456abcdef123456 is wrong",
        "bearer.abcdef123456",
    ],
)
def test_credentials_are_known_by_their_shape(text: str) -> None:
    assert "abcdef123456" not in redact(text)


@pytest.mark.parametrize(
    "text",
    ["Ran pytest -q in 2.1 s", "https://example.com:8080/a?b=c", "the bearer of news", "task-list", "a@b.example"],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_json_is_walked() -> None:
    register("deep-secret-value")
    value = {"a": ["deep-secret-value", {"deep-secret-value": 1}], "n": 3}
    assert "deep-secret-value" not in json.dumps(redact_json(value))
    assert redact_json(value)["n"] == 3
    forget("deep-secret-value")


def test_the_users_own_work_loses_only_the_secrets_that_are_known():
    code = 'api_key = "placeholder-in-a-diff"'
    register("learned-secret-value")
    try:
        assert known(f"{code} learned-secret-value") == f"{code} {MASK}"
    finally:
        forget("learned-secret-value")
