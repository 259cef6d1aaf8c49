"""The backend's own git: running it, `git init`, cloning. Never with the repository's programs.

A repository can name programs that git runs by itself: hooks, fsmonitor, filters, text converters, an ssh command, a
remote helper (CVE-2022-24765 and its kin). None of them runs here; app.changes, which reads folders that the agent can
write to, goes further. Credentials are the user's own: the helpers of their global configuration and their SSH agent,
which never see a terminal to ask at.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.problems import Fault
from app.redact import redact
from app.runtimes.environment import for_child

LOOK_SECONDS = 30.0
OUTPUT_BYTES = 8 << 20

type Around = Callable[[list[str]], list[str]]
"""Makes of a command one that runs in a safer place."""

NO_TRANSPORT = "/"
"""For GIT_ALLOW_PROTOCOL: a name that no transport has. Looking must never fetch what a repository says it lacks."""
_TRANSPORTS = "https:http:ssh:file"
_QUIET = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.pager": "cat",
    "diff.external": "",
    "submodule.recurse": "false",
    "safe.bareRepository": "explicit",
}


@dataclass(frozen=True)
class Result:
    code: int
    out: bytes
    err: str


def is_repository(folder: Path) -> bool:
    """Whether the folder lies in a repository, found without running anything."""
    return any((place / ".git").exists() for place in (folder, *folder.parents))


async def init(folder: Path) -> None:
    """Make it a repository, without the templates' hooks. Raises Fault."""
    result = await run(folder, "init", "--quiet", "--template=")
    if result.code:
        raise failed("git-init", "The folder could not be made a repository", result)


async def clone(url: str, target: Path) -> None:
    """Clone with the user's credentials, without submodules. Removes what it made if it fails. Raises Fault."""
    _check_address(url)
    _check_credentials(url)
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
        result = await run(
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


async def run(
    folder: Path,
    *arguments: str,
    limit: float | None = LOOK_SECONDS,
    transports: str = _TRANSPORTS,
    settings: Mapping[str, str] | None = None,
    around: Around | None = None,
) -> Result:
    """Run git in the folder; a code other than 0 is no error here. Raises Fault if it can't run or takes too long.

    `limit` is in seconds. `settings` win over every configuration file, `transports` (a list as in
    GIT_ALLOW_PROTOCOL) over `protocol.*.allow`.
    """
    program = shutil.which("git")
    if program is None:
        raise Fault(
            code="git-missing",
            status=503,
            title="git is not installed",
            detail="This needs git, and there is none on this computer.",
            remedy="Install git, then try again.",
        )
    command = [program, "--no-optional-locks", *arguments]
    try:
        process = await asyncio.create_subprocess_exec(
            *(around(command) if around is not None else command),
            cwd=folder,
            env=_environment(transports, {**_QUIET, **(settings or {})}),
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
            await _end(process)
    return Result(process.returncode or 0, out[:OUTPUT_BYTES], redact(err.decode(errors="replace")).strip())


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill it and what it started. A grandchild in a session of its own may live on and keep the pipes open, for which
    asyncio would wait for ever."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 2)
    process._transport.close()  # pyright: ignore  # else our ends of the pipes stay open as well


def _environment(transports: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The user's own, so that their credentials work, without our keys and without anything that could ask.

    Settings go through the environment, since `-c name=value` ends the name at the first `=`, which a repository can
    put into it.
    """
    environment = for_child(personal=True)
    for name in [name for name in environment if name.startswith("GIT_")]:
        del environment[name]
    for number, (name, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return {
        **environment,
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_ALLOW_PROTOCOL": transports,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
        "GCM_INTERACTIVE": "never",
        "LC_ALL": "C.UTF-8",
    }


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


def _check_credentials(url: str) -> None:
    """A password or token in the address would stay in the clone's configuration, for the agent and all to read."""
    name, separator, _ = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://", "", url).partition("/")[0].rpartition("@")
    is_web = url.lower().startswith("http")
    if separator and "://" in url and (":" in name or (is_web and (len(name) >= 20 or redact(name) != name))):
        raise Fault(
            code="clone-credentials",
            status=422,
            title="A password in the address",
            detail="The address holds a password or a token, which the clone would keep where the agent can read it.",
            remedy="Leave it out and sign in with git (a credential helper, or `gh auth login`), or use an SSH key.",
        )


def _clone_failed(url: str, result: Result) -> Fault:
    host = re.sub(r"^[a-z+]+://", "", url).split("/")[0].rpartition("@")[2].split(":")[0]
    there = "that path" if url.startswith(("/", "file:")) else host
    text = result.err.lower()
    for marks, code, sentence, remedy in (
        (
            ("authentication failed", "could not read username", "terminal prompts disabled", "403"),
            "clone-denied",
            f"{host} wants a sign-in, and git has none that works.",
            "Sign in with git in a terminal once (a credential helper, or `gh auth login`), then try again.",
        ),
        (
            ("permission denied (publickey",),
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
            ("connection refused", "failed to connect", "connection timed out", "no route to host"),
            "clone-unreachable",
            f"Can't reach {there}: nothing answers there.",
            "Check the address, or your network.",
        ),
        (
            ("not found", "does not exist", "does not appear to be a git repository"),
            "clone-not-found",
            f"There is no such repository at {there}, or your account may not see it.",
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
    return failed("clone", "The repository was not cloned", result)


def failed(code: str, title: str, result: Result) -> Fault:
    lines = [line for line in result.err.splitlines() if line.strip()] or [f"it ended with {result.code}"]
    telling = next((line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))), lines[-1])
    return Fault(
        code=code,
        status=502,
        title=title,
        detail=f"git said: {telling[:400]}",
        remedy="Run the same in a terminal to see more.",
    )
