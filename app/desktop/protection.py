"""Keeps other processes of the same user from reading this one's memory, which holds the backend's secret."""

import ctypes
import logging
import sys

log = logging.getLogger(__name__)

_PR_SET_DUMPABLE = 4


def undumpable() -> bool:
    """No core dumps, no ptrace, no /proc/<pid>/mem by the user's other processes. True when the system took it.

    Linux only: macOS protects signed applications by itself, Windows has no equal.
    """
    if sys.platform != "linux":
        return False
    done = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
    if not done:
        log.warning("The window's memory could not be protected (errno %d).", ctypes.get_errno())
    return done
