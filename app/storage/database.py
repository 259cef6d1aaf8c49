"""Opening the database: pragmas, migrations, and one writer at a time."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.problems import Fault
from app.storage.migrations import HEAD

_MIGRATIONS = Path(__file__).with_name("migrations")


class Database:
    """One database of one data directory. `write` is one transaction and lets one writer in at a time.

    SQLite in WAL mode with synchronous=NORMAL: a commit survives the end of the process, however it ends; only a power
    cut can take the last moments (https://sqlite.org/pragma.html#pragma_synchronous), and those the agent-server still
    has, so the next start reads them again.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writing = asyncio.Lock()

    @classmethod
    async def open(cls, url_or_path: str | Path) -> "Database":
        """Open or make it and bring it to the newest format. Raises Fault in words the user can act on."""
        url = str(url_or_path)
        if "://" not in url:
            _claim(Path(url))
            url = f"sqlite+aiosqlite:///{url}"
        engine = create_async_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine.sync_engine, "connect", _pragmas)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(_migrate)
        except BaseException as exc:
            await engine.dispose()
            if isinstance(exc, DatabaseError) and isinstance(exc.orig, sqlite3.DatabaseError):
                raise _unusable(url, exc.orig) from exc
            raise
        return cls(engine)

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction: committed at the end, rolled back by any exception."""
        async with self._writing, self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        async with self._engine.connect() as connection:
            yield connection


def _claim(path: Path) -> None:
    """Make the file readable by its owner only before SQLite makes it readable by all."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(connection: Connection) -> None:
    current = _revision(connection)
    if current == HEAD:
        return
    # Alembic takes 0.2 s to import: only a database that needs it pays for it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise Fault(
            code="journal-too-new",
            status=500,
            title="The journal is from a newer Twinseat",
            detail=f"The stored tasks have format {current}; this version knows formats up to {HEAD}.",
            remedy="Update Twinseat, or point TWINSEAT_DATA_DIR to another folder.",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _unusable(url: str, exc: sqlite3.DatabaseError) -> Fault:
    return Fault(
        code="journal-unusable",
        status=500,
        title="The journal can't be opened",
        detail=f"The file with the stored tasks ({url.rpartition(':///')[2]}) can't be opened: {exc}.",
        remedy="Free some disk space if the disk is full; else move the file away to start with an empty journal.",
    )
