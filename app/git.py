"""The backend's own git: looking at a workspace, cloning, `git init`. Never with the repository's programs.

A repository can name programs that git runs by itself: hooks, fsmonitor, filters, text converters, an ssh command, a
remote helper (CVE-2022-24765 and its kin). None of them runs here. Credentials are the user's own: the helpers of
their global configuration and their SSH agent, which never see a terminal to ask at.
"""

import asyncio
import contextlib
import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.problems import Fault
from app.redact import redact
from app.runtimes.environment import for_child
from app.schemas import Changes, FileChange

LOOK_SECONDS = 30.0
OUTPUT_BYTES = 8 << 20
MOST_FILES = 2000
COUNTED_BYTES = 1 << 20
"""Untracked files larger than this are listed without a count of lines."""

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_QUIET = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.pager=cat",
    "diff.external=",
    "submodule.recurse=false",
    "safe.bareRepository=explicit",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.http.allow=always",
    "protocol.ssh.allow=always",
    "protocol.file.allow=always",
)
_PROGRAMS = re.compile(
    r"^(filter\..+\.(?:clean|smudge|process)|diff\..+\.(?:command|textconv)|merge\..+\.driver)$", re.S
)


@dataclass(frozen=True)
class _Result:
    code: int
    out: bytes
    err: str


def is_repository(folder: Path) -> bool:
    """Whether the folder lies in a repository, found without running anything."""
    return any((place / ".git").exists() for place in (folder, *folder.parents))


async def init(folder: Path) -> None:
    """Make it a repository, without the templates' hooks. Raises Fault."""
    result = await _run(folder, "init", "--quiet", "--template=")
    if result.code:
        raise _failed("git-init", "The folder could not be made a repository", result)


async def clone(url: str, target: Path) -> None:
    """Clone with the user's credentials, without submodules. Removes what it made if it fails. Raises Fault."""
    _check_address(url)
    if target.exists():
        raise Fault(
            code="folder-exists",
            status=409,
            title="The folder exists already",
            detail=f"There is already a folder {target}.",
            remedy="Open that one, or clone into another parent folder.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        result = await _run(
            target.parent,
            "clone",
            "--quiet",
            "--no-recurse-submodules",
            "--template=",
            "--",
            url,
            str(target),
            limit=None,
        )
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, target, True)
        raise
    if result.code:
        await asyncio.to_thread(shutil.rmtree, target, True)
        raise _clone_failed(url, result)


async def changes(folder: Path) -> Changes:
    """What differs from the last commit, untracked files included. Raises Fault."""
    if not is_repository(folder):
        return Changes(files=[], added=0, removed=0)
    safe = await _without_programs(folder)
    base = await _base(folder, safe)
    status = await _look(
        folder,
        *safe,
        "diff",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=all",
        "--relative",
        "--find-renames",
        "--name-status",
        "-z",
        base,
    )
    counts = await _look(
        folder,
        *safe,
        "diff",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=all",
        "--relative",
        "--find-renames",
        "--numstat",
        "-z",
        base,
    )
    new = await _look(folder, *safe, "ls-files", "--others", "--exclude-standard", "-z")
    files = _merge(_statuses(status), _counts(counts))
    untracked = [os.fsdecode(name) for name in new.split(b"\0") if name]
    room = max(0, MOST_FILES - len(files))
    files += await asyncio.to_thread(lambda: [_untracked(folder, name) for name in untracked[:room]])
    files.sort(key=lambda file: file.path)
    return Changes(files=files, added=sum(f.added for f in files), removed=sum(f.removed for f in files))


async def diff(folder: Path, path: str) -> str:
    """The unified diff of one file against the last commit; a new file's whole text as added. Raises Fault."""
    if not is_repository(folder):
        return ""
    safe = await _without_programs(folder)
    base = await _base(folder, safe)
    options = ("--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all")
    known = await _run(folder, *safe, "ls-files", "--error-unmatch", "--", f":(literal){path}")
    in_base = await _look(folder, *safe, "ls-tree", "--name-only", base, "--", path)
    if known.code == 0 or in_base:
        text = await _look(folder, *safe, "diff", *options, "--relative", base, "--", f":(literal){path}")
    else:
        result = await _run(folder, *safe, "diff", *options, "--no-index", "--", os.devnull, path)
        if result.code > 1:
            raise _failed("git-diff", "The difference can't be shown", result)
        text = result.out
    return text.decode(errors="replace")


async def _base(folder: Path, safe: Sequence[str]) -> str:
    head = await _run(folder, *safe, "rev-parse", "--quiet", "--verify", "HEAD^{commit}")
    return head.out.decode().strip() if head.code == 0 else _EMPTY_TREE


async def _without_programs(folder: Path) -> list[str]:
    """Options that switch off each program that the repository's own configuration names for git to run."""
    listed = await _run(folder, "config", "--show-scope", "--includes", "--name-only", "--list", "-z")
    parts = [os.fsdecode(one) for one in listed.out.split(b"\0")]
    options: list[str] = []
    for name in {name for scope, name in zip(parts[::2], parts[1::2], strict=False) if scope in ("local", "worktree")}:
        if _PROGRAMS.match(name):
            options += ["-c", f"{name}="]
            if name.startswith("filter."):
                options += ["-c", f"{name.rpartition('.')[0]}.required=false"]
    return options


async def _look(folder: Path, *arguments: str) -> bytes:
    result = await _run(folder, *arguments)
    if result.code:
        raise _failed("git", "git could not look at this folder", result)
    return result.out


async def _run(folder: Path, *arguments: str, limit: float | None = LOOK_SECONDS) -> _Result:
    """Run git in the folder. `limit` is in seconds. Raises Fault if it can't run or takes too long."""
    program = shutil.which("git")
    if program is None:
        raise Fault(
            code="git-missing",
            status=503,
            title="git is not installed",
            detail="This needs git, and there is none on this computer.",
            remedy="Install git, then try again.",
        )
    quiet = [part for setting in _QUIET for part in ("-c", setting)]
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "--no-optional-locks",
            *quiet,
            *arguments,
            cwd=folder,
            env=_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=sys.platform != "win32",
        )
    except OSError as error:
        raise Fault(
            code="folder-gone",
            status=409,
            title="The folder can't be used",
            detail=f"{folder} can't be entered: {error.strerror or error}.",
            remedy="If it was moved, open it from its new place.",
        ) from error
    try:
        async with asyncio.timeout(limit):
            out, err = await process.communicate()
    except TimeoutError:
        raise Fault(
            code="git-slow",
            status=504,
            title="git takes too long",
            detail=f"git did not finish within {limit:.0f} seconds in {folder}.",
            remedy="Very large or remote folders can be that slow; try again.",
        ) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return _Result(process.returncode or 0, out[:OUTPUT_BYTES], redact(err.decode(errors="replace")).strip())


def _environment() -> dict[str, str]:
    """The user's own, so that their credentials work, without our keys and without anything that could ask."""
    environment = for_child(personal=True)
    for name in [name for name in environment if name.startswith("GIT_")]:
        del environment[name]
    return {
        **environment,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
        "GCM_INTERACTIVE": "never",
        "LC_ALL": "C.UTF-8",
    }


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


def _check_address(url: str) -> None:
    """Only https, http, ssh and local repositories; nothing that git would take for an option or a helper."""
    scheme = re.match(r"^([A-Za-z][A-Za-z0-9+.-]*)://", url)
    helper = re.match(r"^[A-Za-z0-9]+::", url)
    allowed = scheme is not None and scheme[1].lower() in ("https", "http", "ssh", "file")
    short = scheme is None and helper is None and re.match(r"^[\w.-]+@[\w.-]+:\S+$", url) is not None
    if not (allowed or short or Path(url).is_absolute()) or url.startswith("-") or re.search(r"[\s\0]", url.strip()):
        raise Fault(
            code="clone-address",
            status=422,
            title="Not an address to clone from",
            detail="The address of a repository begins with https://, ssh:// or is like git@host:owner/name.",
            remedy="Copy the address from the repository's page.",
        )


def _clone_failed(url: str, result: _Result) -> Fault:
    host = re.sub(r"^[a-z+]+://", "", url).split("/")[0].rpartition("@")[2].split(":")[0] or "there"
    text = result.err.lower()
    for marks, code, sentence, remedy in (
        (
            ("authentication failed", "could not read username", "terminal prompts disabled", "403"),
            "clone-denied",
            f"{host} wants a sign-in, and git has none that works.",
            "Sign in with git in a terminal once (a credential helper, or `gh auth login`), then try again.",
        ),
        (
            ("permission denied (publickey", "could not read from remote"),
            "clone-denied",
            f"{host} did not accept your SSH key.",
            "Add your key to the SSH agent (`ssh-add`) and to your account there, or use the https:// address.",
        ),
        (
            ("host key verification failed",),
            "clone-host-key",
            f"SSH does not know {host} yet.",
            f"Run `ssh {host}` in a terminal once to check and keep its key.",
        ),
        (
            ("could not resolve host",),
            "dns",
            f"The name {host} does not resolve.",
            "Check the address, or your network.",
        ),
        (
            ("not found", "does not exist", "does not appear to be a git repository"),
            "clone-not-found",
            f"There is no such repository at {host}, or your account may not see it.",
            "Check the address; for a private one, sign in with git first.",
        ),
        (("no space left",), "disk-full", "The disk is full.", "Free some space, then try again."),
        (
            ("transport", "not allowed"),
            "clone-address",
            "This kind of address is not allowed.",
            "Use https:// or ssh.",
        ),
    ):
        if any(mark in text for mark in marks):
            return Fault(code=code, status=502, title="The repository was not cloned", detail=sentence, remedy=remedy)
    return _failed("clone", "The repository was not cloned", result)


def _failed(code: str, title: str, result: _Result) -> Fault:
    last = next((line for line in reversed(result.err.splitlines()) if line.strip()), f"it ended with {result.code}")
    return Fault(
        code=code,
        status=502,
        title=title,
        detail=f"git said: {last[:400]}",
        remedy="Run the same in a terminal to see more.",
    )
