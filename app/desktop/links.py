"""What a pane may show itself, what goes to the system's browser, and where a download lands."""

import contextlib
import logging
import re
import sys
import threading
import unicodedata
import webbrowser
from os import environ
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

log = logging.getLogger(__name__)

RETRY = "twinseat:retry"
"""The address of a local page's Retry button: the editor pane has no other way to speak to the window."""

OUTSIDE_SCHEMES = frozenset({"http", "https", "mailto"})


def origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, or None when the address has none of its own."""
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or port is None:
        return None
    return parts.scheme, parts.hostname, port


def same_origin(one: str, other: str) -> bool:
    return origin(one) is not None and origin(one) == origin(other)


def loopback(url: str) -> bool:
    """True for plain http on this machine, without a user name in it."""
    place = origin(url)
    return place is not None and place[0] == "http" and place[1] in ("127.0.0.1", "localhost", "::1") and "@" not in url


def may_open_outside(url: str) -> bool:
    """Only web and mail addresses: a `file:` or custom scheme would hand a page the system's programs."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if len(url) > 8192 or any(ord(sign) <= 0x20 or ord(sign) == 0x7F for sign in url):
        return False
    return parts.scheme in OUTSIDE_SCHEMES and (parts.scheme == "mailto" or bool(parts.hostname))


def open_outside(url: str) -> bool:
    """Open `url` in the system's browser without blocking. False when it is not an address for outside."""
    if not may_open_outside(url):
        log.warning("An address that is neither web nor mail was not opened: %.80s", url)
        return False
    # Some browsers are run in the foreground by `webbrowser`, hence the thread.
    threading.Thread(target=webbrowser.open, args=(url,), name="open-outside", daemon=True).start()
    return True


def downloads_folder() -> Path:
    """The user's download folder (XDG user directories on Linux), else `~/Downloads`; made when missing."""
    folder = Path.home() / "Downloads"
    if sys.platform == "linux":
        config = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "user-dirs.dirs"
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if named := re.search(r'^XDG_DOWNLOAD_DIR="([^"]+)"', config.read_text("utf-8"), re.MULTILINE):
                folder = Path(named[1].replace("$HOME", str(Path.home())))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def safe_name(suggested: str) -> str:
    """A file name from a page: no folders, no control or direction marks, not hidden, not reserved, not too long."""
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", suggested))[-1]
    name = "".join(" " if unicodedata.category(sign)[0] == "Z" else sign for sign in name)
    name = "".join(sign for sign in name if unicodedata.category(sign)[0] != "C" and sign not in '<>:"|?*')
    name = name.strip(". ")
    if not name or re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name):
        name = f"download {name}".strip()
    stem, dot, suffix = name.rpartition(".")
    if dot and stem and len(suffix) <= 16:
        return f"{_cut(stem, 200 - len(suffix.encode()))}.{suffix}"
    return _cut(name, 200)


def free_path(folder: Path, suggested: str) -> Path:
    """A path in `folder` that nothing has yet: `report.txt`, `report (2).txt`, …"""
    wanted = folder / safe_name(suggested)
    path, count = wanted, 1
    while path.exists() or path.is_symlink():
        count += 1
        path = wanted.with_name(f"{wanted.stem} ({count}){wanted.suffix}")
    return path


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")
