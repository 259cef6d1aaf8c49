from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway import parts


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[parts.House]:
    async with parts.house(tmp_path) as made:
        yield made
