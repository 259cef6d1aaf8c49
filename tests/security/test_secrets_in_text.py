"""Text that an agent or a model chose must not hold up the one place that all text passes."""

import pytest

from app.redact import redact

# Each repeated to a megabyte. A pattern that begins anew at each and reads to the end would take an hour.
UNITS = (
    "eyJ-",
    "eyJaaaaaaaaaaaa.",
    "eyJaaaaaaaaaaa.bbbbbbbbbbbb-",
    "sk-",
    "sk-a.",
    "://a:",
    "://",
    "://a:b",
    "authorization ",
    'authorization"  :',
    "bearer ",
    "bearer.",
    "x-api-key",
    'x-api-key" ',
    "AIza",
    "github_pat_",
    "ghp_",
    " ",
)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", UNITS)
def test_no_text_holds_it_up(unit: str) -> None:
    redact(unit * (1_000_000 // len(unit)))


@pytest.mark.parametrize("before", ["", " ", "=", '"', "token:", "."])
def test_web_tokens_are_still_found(before: str) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dBjftJeZ4CVP"
    assert token not in redact(f"{before}{token} rest")
