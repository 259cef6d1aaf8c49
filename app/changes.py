"""What differs in a workspace from its last commit, as the backend's git sees it, without anything of it being run.

The agent can write to the folder, its `.git` and (until it is contained) the user's own git configuration, and this is
asked for all the time, by itself. So for looking: no program that any configuration names, no transport (a partial
clone fetches what it lacks, with the `core.sshCommand` and `uploadpack` of its configuration), and, since a file can
change between two readings, all of it behind the shield, where a program would gain nothing.
"""

import asyncio
import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.git import NO_TRANSPORT, Around, Result, failed, is_repository, run
from app.schemas import Changes, FileChange

MOST_FILES = 2000
COUNTED_BYTES = 1 << 20
"""Untracked files larger than this are listed without a count of lines."""

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_PROGRAMS = re.compile(
    r"^(filter\..+\.(?:clean|smudge|process)|diff\..+\.(?:command|textconv)|merge\..+\.driver)$", re.S
)
_DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all", "--relative")


async def changes(folder: Path, around: Around | None = None) -> Changes:
    """What differs from the last commit, untracked files included. `around` is the shield's. Raises Fault."""
    if not is_repository(folder):
        return Changes(files=[], added=0, removed=0)
    look = await _looking(folder, around)
    base = await look.base()
    status = await look.at(*_DIFF, "--find-renames", "--name-status", "-z", base)
    counts = await look.at(*_DIFF, "--find-renames", "--numstat", "-z", base)
    new = await look.at("ls-files", "--others", "--exclude-standard", "-z")
    files = _merge(_statuses(status), _counts(counts))
    untracked = [os.fsdecode(name) for name in new.split(b"\0") if name]
    room = max(0, MOST_FILES - len(files))
    files += await asyncio.to_thread(lambda: [_untracked(folder, name) for name in untracked[:room]])
    files.sort(key=lambda file: file.path)
    return Changes(files=files, added=sum(f.added for f in files), removed=sum(f.removed for f in files))


async def diff(folder: Path, path: str, around: Around | None = None) -> str:
    """The unified diff of one file against the last commit; a new file's whole text as added. Raises Fault."""
    if not is_repository(folder):
        return ""
    look = await _looking(folder, around)
    base = await look.base()
    known = await look.run("ls-files", "--error-unmatch", "--", f":(literal){path}")
    in_base = await look.at("ls-tree", "--name-only", base, "--", path)
    if known.code == 0 or in_base:
        text = await look.at(*_DIFF, base, "--", f":(literal){path}")
    else:
        result = await look.run(*_DIFF, "--no-index", "--", os.devnull, path)
        if result.code > 1:
            raise failed("git-diff", "The difference can't be shown", result)
        text = result.out
    return text.decode(errors="replace")


@dataclass(frozen=True)
class _Look:
    """git in one folder, only to look. `settings` switch the programs off that are named for it."""

    folder: Path
    around: Around | None
    settings: Mapping[str, str]

    async def run(self, *arguments: str) -> Result:
        return await run(self.folder, *arguments, transports=NO_TRANSPORT, settings=self.settings, around=self.around)

    async def at(self, *arguments: str) -> bytes:
        """What it says. Raises Fault when it fails."""
        result = await self.run(*arguments)
        if result.code:
            raise failed("git", "git could not look at this folder", result)
        return result.out

    async def base(self) -> str:
        """The last commit, or nothing at all."""
        head = await self.run("rev-parse", "--quiet", "--verify", "HEAD^{commit}")
        return head.out.decode().strip() if head.code == 0 else _EMPTY_TREE


async def _looking(folder: Path, around: Around | None) -> _Look:
    """Without each program that any configuration, the user's own too, names for git to run."""
    listed = await _Look(folder, around, {}).run("config", "--includes", "--name-only", "--list", "-z")
    settings: dict[str, str] = {}
    for name in {os.fsdecode(one) for one in listed.out.split(b"\0")}:
        if _PROGRAMS.match(name):
            settings[name] = ""
            if name.startswith("filter."):
                settings[f"{name.rpartition('.')[0]}.required"] = "false"
    return _Look(folder, around, settings)


def _statuses(text: bytes) -> dict[str, FileChange]:
    words = {
        "A": "added",
        "M": "modified",
        "T": "modified",
        "D": "deleted",
        "R": "renamed",
        "C": "added",
        "U": "modified",
    }
    parts = [os.fsdecode(part) for part in text.split(b"\0")]
    found: dict[str, FileChange] = {}
    place = 0
    while place + 1 < len(parts):
        letter = parts[place][:1]
        place += 2 if letter in ("R", "C") else 1
        path = parts[place]
        found[path] = FileChange.model_validate({"path": path, "change": words.get(letter, "modified")})
        place += 1
    return found


def _counts(text: bytes) -> dict[str, tuple[int, int]]:
    parts = [os.fsdecode(part) for part in text.split(b"\0")]
    found: dict[str, tuple[int, int]] = {}
    place = 0
    while place < len(parts) and parts[place]:
        added, removed, path = parts[place].split("\t", 2)
        if not path:  # a rename: the old and the new name follow
            path = parts[place + 2]
            place += 2
        found[path] = (int(added) if added.isdigit() else 0, int(removed) if removed.isdigit() else 0)
        place += 1
    return found


def _merge(files: dict[str, FileChange], counts: dict[str, tuple[int, int]]) -> list[FileChange]:
    merged: list[FileChange] = []
    for path, file in list(files.items())[:MOST_FILES]:
        added, removed = counts.get(path, (0, 0))
        merged.append(file.model_copy(update={"added": added, "removed": removed}))
    return merged


def _untracked(folder: Path, name: str) -> FileChange:
    file = folder / name
    added = 0
    with contextlib.suppress(OSError):
        if not file.is_symlink() and file.is_file() and file.stat().st_size <= COUNTED_BYTES:
            data = file.read_bytes()
            if b"\0" not in data[:8000]:
                added = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    return FileChange(path=name, change="added", added=added)
