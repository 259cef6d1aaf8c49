"""The editor's tests need the real code-server: the checkout's own, installed when it is missing."""

import os
from pathlib import Path

import pytest

from app.editor import install

os.environ.setdefault("TWINSEAT_CACHE_DIR", str(Path(__file__).parents[2] / ".cache"))


@pytest.fixture(scope="session", autouse=True)
def installed() -> Path:
    return install.install()
