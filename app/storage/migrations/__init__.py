"""The database's history. `HEAD` is the newest revision: a database that has it needs no Alembic at start."""

HEAD = "0001"
