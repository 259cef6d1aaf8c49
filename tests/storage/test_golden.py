"""Every format that was ever stored can be read by this version."""

import json
import sqlite3
from pathlib import Path

import pytest

from app.storage.journal import Journal
from app.storage.migrations import HEAD
from tests.storage.frames import status
from tests.storage.write_golden import GOLDEN, read

FORMATS = sorted(path.stem for path in GOLDEN.glob("*.sql"))


def test_the_newest_format_has_its_golden_file() -> None:
    assert HEAD in FORMATS


@pytest.mark.parametrize("stored", FORMATS)
async def test_a_stored_journal_reads_the_same(tmp_path: Path, stored: str) -> None:
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript((GOLDEN / f"{stored}.sql").read_text())
    journal = await Journal.open(path)
    assert await read(journal) == json.loads((GOLDEN / f"{stored}.json").read_text())
    [event] = await journal.append("t", [status(6, "running")])
    assert event.position == 8
    await journal.close()
