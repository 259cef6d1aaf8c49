"""The real agent-server and what works on it, as the tasks' own tests have them."""

from tests.tasks.conftest import open_seat, seat, server

__all__ = ["open_seat", "seat", "server"]
