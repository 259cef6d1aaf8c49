"""Opening the database: pragmas, migrations, and one writer at a time."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Executable, Row, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError

from app.problems import Fault
from app.storage.migrations import HEAD

_MIGRATIONS = Path(__file__).with_name("migrations")


class Database:
    """One database of one data directory. `write` is one transaction and lets one writer in at a time.

    SQLite in WAL mode with synchronous=NORMAL: a commit survives the end of the process, however it ends; only a power
    cut can take the last moments (https://sqlite.org/pragma.html#pragma_synchronous), and those the agent-server still
    has, so the next start reads them again.

    A transaction is a plain function, run as a whole in a thread. SQLAlchemy's asyncio layer over aiosqlite hops to a
    thread and back for each cursor, statement and fetch instead: eight times for one append, 3.1 ms of processor time
    where this takes a fraction of it (measured).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = ThreadPoolExecutor(1, "journal-writer")
        self._readers = ThreadPoolExecutor(2, "journal-reader")

    @classmethod
    async def open(cls, url_or_path: str | Path) -> "Database":
        """Open or make it and bring it to the newest format. Raises Fault in words the user can act on."""
        return await asyncio.to_thread(cls._open, str(url_or_path))

    @classmethod
    def _open(cls, url: str) -> "Database":
        if "://" not in url:
            _claim(Path(url))
            url = f"sqlite:///{url}"
        engine = create_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _pragmas)
        try:
            with engine.begin() as connection:
                _migrate(connection)
        except BaseException as exc:
            engine.dispose()
            if isinstance(exc, DatabaseError) and isinstance(exc.orig, sqlite3.DatabaseError):
                raise _unusable(url, exc.orig) from exc
            raise
        return cls(engine)

    async def close(self) -> None:
        """After what is under way."""
        for threads in (self._writer, self._readers):
            await asyncio.to_thread(threads.shutdown)
        self._engine.dispose()

    async def write[T](self, work: Callable[[Connection], T], then: Callable[[T], None] | None = None) -> T:
        """Run `work` in a transaction: committed at its end, rolled back by any exception.

        `then` runs right after the commit, before the next writer, and even if the caller was cancelled meanwhile.
        """

        def transaction() -> T:
            with self._engine.begin() as connection:
                result = work(connection)
            if then is not None:
                then(result)
            return result

        return await asyncio.get_running_loop().run_in_executor(self._writer, transaction)

    async def read[T](self, work: Callable[[Connection], T]) -> T:
        def look() -> T:
            with self._engine.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, look)

    async def all(self, query: Executable) -> Sequence[Row[Any]]:
        return await self.read(lambda connection: connection.execute(query).all())

    async def first(self, query: Executable) -> Row[Any] | None:
        return await self.read(lambda connection: connection.execute(query).first())

    async def run(self, *statements: Executable) -> int:
        """Statements that change something, in one transaction; how many rows the last one changed."""

        def work(connection: Connection) -> int:
            return [connection.execute(statement) for statement in statements][-1].rowcount

        return await self.write(work)


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
