"""Without a display: say so, and serve the same cockpit to a browser."""

import sys
import threading
from urllib.parse import urlsplit

from app.desktop.link import Link, Lost
from app.paths import Paths
from app.server.endpoint import Backend, NoBackend, attach, sign_in_url

PRESENCE_SECONDS = 15.0
"""How often the backend hears from us; it ends a minute after it heard from nobody."""


def serve(paths: Paths, reason: str) -> int:
    """Print a sign-in address and stay until interrupted; Enter prints a fresh one. The process's exit code."""
    try:
        return _serve(paths, reason)
    except KeyboardInterrupt:
        return 0


def _serve(paths: Paths, reason: str) -> int:
    say(reason)
    try:
        backend = attach(paths, arguments=("--started-by-window",))
        say(f"Twinseat is served to a browser instead: open {sign_in_url(backend)}")
    except NoBackend as error:
        say(f"{error} {error.remedy}")
        return 1
    port = urlsplit(backend.url).port
    say(f"From another machine, first `ssh -L {port}:127.0.0.1:{port}` to this one. The link works once, for a minute.")
    if sys.stdin is not None and sys.stdin.isatty():
        say("Press Enter for a fresh link, Ctrl+C to end.")
        threading.Thread(target=_fresh_links, args=(backend,), daemon=True).start()
    link, ended = Link(backend), threading.Event()
    try:
        while not ended.wait(PRESENCE_SECONDS):
            link.ask("GET", "/api/workspaces")
    except Lost as error:
        say(f"{error} Run `twinseat` again.")
        return 1
    return 0


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _fresh_links(backend: Backend) -> None:
    for _ in sys.stdin:
        try:
            say(sign_in_url(backend))
        except NoBackend as error:
            say(str(error))
