"""Looking at a workspace's files without ever leaving it."""

import contextlib
import os
import stat
from pathlib import Path

from app.problems import Fault
from app.schemas import FileEntry

MOST_ENTRIES = 5000
TEXT_BYTES = 2 << 20


def inside(root: Path, path: str) -> Path:
    """The place meant by a path relative to the workspace, links followed. Raises Fault if that is outside."""
    if "\0" in path or (os.name == "nt" and ":" in path):
        raise _outside(path)
    root = root.resolve()
    relative = path.replace("\\", "/") if os.name == "nt" else path
    try:
        target = (root / relative.lstrip("/")).resolve()
    except (OSError, RuntimeError) as error:  # a loop of links, a name too long
        raise _outside(path) from error
    if target != root and not target.is_relative_to(root):
        raise _outside(path)
    return target


def listing(root: Path, path: str) -> list[FileEntry]:
    """The entries of a folder, folders first. Links are named, not followed. Raises Fault."""
    folder = inside(root, path)
    base = root.resolve()
    found: list[FileEntry] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == ".git" and entry.is_dir(follow_symlinks=False):
                    continue
                place = Path(entry.path).relative_to(base).as_posix()
                if entry.is_symlink():
                    found.append(FileEntry(name=entry.name, path=place, kind="link"))
                elif entry.is_dir(follow_symlinks=False):
                    found.append(FileEntry(name=entry.name, path=place, kind="folder"))
                else:
                    with contextlib.suppress(OSError):
                        size = entry.stat(follow_symlinks=False).st_size
                        found.append(FileEntry(name=entry.name, path=place, kind="file", size=size))
                if len(found) >= MOST_ENTRIES:
                    break
    except OSError as error:
        raise _unreadable(path, error) from error
    return sorted(found, key=lambda one: (one.kind != "folder", one.name.lower(), one.name))


def text(root: Path, path: str) -> str:
    """A file's text. Raises Fault for what is no file, too large or no text."""
    file = inside(root, path)
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Fault(
            code="not-a-file",
            status=409,
            title="Not a file",
            detail=f"{path} is no file.",
            remedy="Choose a file.",
        )
    with os.fdopen(descriptor, "rb") as handle:
        data = handle.read(TEXT_BYTES + 1)
    if len(data) > TEXT_BYTES:
        raise Fault(
            code="file-too-large",
            status=413,
            title="Too large to show",
            detail=f"{path} has more than {TEXT_BYTES >> 20} MB.",
            remedy="Open it in the editor.",
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Fault(
            code="not-text",
            status=415,
            title="Not a text file",
            detail=f"{path} is not text in UTF-8.",
            remedy="Open it in the editor.",
        ) from None


def folders(path: str | None) -> list[FileEntry]:
    """The folders below an absolute path (the home folder when absent), for choosing one. Raises Fault."""
    base = Path(path).expanduser() if path else Path.home()
    if "\0" in str(base) or not base.is_absolute():
        raise Fault(
            code="not-absolute",
            status=422,
            title="Not a full path",
            detail="A folder must be named by its full path here.",
            remedy="Begin with / or ~ (on Windows with the drive).",
        )
    found: list[FileEntry] = []
    try:
        with os.scandir(base) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir():
                        found.append(FileEntry(name=entry.name, path=Path(entry.path).as_posix(), kind="folder"))
                if len(found) >= MOST_ENTRIES:
                    break
    except OSError as error:
        raise _unreadable(str(base), error) from error
    return sorted(found, key=lambda one: (one.name.startswith("."), one.name.lower(), one.name))


def _outside(path: str) -> Fault:
    return Fault(
        code="outside",
        status=403,
        title="Outside of the workspace",
        detail=f"{path[:200]!r} leads out of the workspace, and only files in it are shown.",
        remedy="Open the other folder as a workspace of its own.",
    )


def _unreadable(path: str, error: OSError) -> Fault:
    missing = isinstance(error, FileNotFoundError | NotADirectoryError)
    return Fault(
        code="no-such-file" if missing else "not-readable",
        status=404 if missing else 403,
        title="It is not there" if missing else "It can't be read",
        detail=f"{path[:200] or 'The folder'} can't be read: {error.strerror or error}.",
        remedy="It may have been moved or deleted; load the list again." if missing else "Check its permissions.",
    )
