"""`twinseat doctor`: every part is checked, and each failure comes with what to do about it."""

import asyncio
import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import app
from app import config
from app.problems import Fault, describe
from app.redact import redact

FREE_BYTES = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One checked part. A warning is something that works with a limit, which `detail` names."""

    part: str
    state: Literal["ok", "warning", "failed"]
    detail: str
    remedy: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return asdict(self)


def check() -> list[Finding]:
    """Check everything; takes a few seconds and changes nothing."""
    settings = config.load()
    checks: list[Callable[[config.Config], Iterator[Finding]]] = [
        _system,
        _settings,
        _folders,
        _keys,
        _models,
        _git,
        _engine,
        _shield,
        _editor,
        _page,
        _window,
        _backend,
    ]
    found: list[Finding] = []
    for one in checks:
        try:
            found += one(settings)
        except Exception as error:
            problem = (
                error.problem() if isinstance(error, Fault) else describe(error, f"the check of {one.__name__[1:]}")
            )
            found.append(Finding(one.__name__[1:], "failed", problem.detail, problem.remedy))
    return found


def table(findings: list[Finding]) -> str:
    """For people to read."""
    marks = {"ok": "✓", "warning": "!", "failed": "✗"}
    width = max(len(finding.part) for finding in findings)
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{marks[finding.state]} {finding.part:<{width}}  {redact(finding.detail)}")
        if finding.remedy and finding.state != "ok":
            lines.append(f"  {'':<{width}}  → {finding.remedy}")
    failed = sum(finding.state == "failed" for finding in findings)
    lines.append("")
    lines.append("Everything needed is there." if not failed else f"{failed} of {len(findings)} checks failed.")
    return "\n".join(lines)


def _system(settings: config.Config) -> Iterator[Finding]:
    running = (
        f"Twinseat {app.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )
    if os.name != "posix":
        yield Finding(
            "system", "warning", running, "Local work needs Linux or macOS; on Windows run Twinseat inside WSL2."
        )
    elif hasattr(os, "geteuid") and os.geteuid() == 0:
        yield Finding(
            "system",
            "warning",
            f"{running}, as root: code run by the agent may then do anything",
            "Run Twinseat as an ordinary user.",
        )
    else:
        yield Finding("system", "ok", running)


def _settings(settings: config.Config) -> Iterator[Finding]:
    for warning in settings.warnings:
        yield Finding("settings", "warning", warning, "docs/configuration.md explains each setting.")
    if not settings.warnings:
        yield Finding("settings", "ok", "All settings in the environment are understood.")


def _folders(settings: config.Config) -> Iterator[Finding]:
    paths = settings.paths
    for part, folder in (("data folder", paths.data), ("cache folder", paths.cache), ("new workspaces", settings.base)):
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        free = shutil.disk_usage(existing).free
        if not os.access(existing, os.W_OK | os.X_OK):
            yield Finding(
                part, "failed", f"{existing} can't be written.", "Correct its permissions, or choose another."
            )
        elif free < FREE_BYTES:
            yield Finding(part, "warning", f"{folder}: only {free >> 20} MB are free.", "Free some space.")
        else:
            yield Finding(part, "ok", f"{folder}, {free >> 30} GB free")


def _keys(settings: config.Config) -> Iterator[Finding]:
    from app.secrets import SecretStore

    async def ask() -> tuple[str, str | None]:
        store = SecretStore(settings)
        return await store.where(), await store.warning()

    where, warning = asyncio.run(ask())
    if warning:
        yield Finding("keys", "warning", warning, "Unlock or install a keyring (gnome-keyring, KWallet).")
    else:
        yield Finding("keys", "ok", f"Keys are kept in {where}.")


def _models(settings: config.Config) -> Iterator[Finding]:
    from app.gateway.profiles import Profiles
    from app.secrets import SecretStore

    profiles = Profiles(settings, SecretStore(settings))
    if profiles.warning:
        yield Finding("models", "warning", profiles.warning, "Add the models again in Settings.")
    known = profiles.list()
    if known:
        yield Finding("models", "ok", ", ".join(f"{one.name} ({one.id})" for one in known))
    else:
        yield Finding(
            "models",
            "warning",
            "No model is set up yet.",
            "Run `twinseat` and follow the wizard, or try `twinseat demo`.",
        )


def _git(settings: config.Config) -> Iterator[Finding]:
    program = shutil.which("git")
    if program is None:
        yield Finding("git", "failed", "git is not installed.", "Install the package `git`.")
        return
    said = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=10, check=False
    ).stdout.strip()
    yield Finding("git", "ok", said)


def _engine(settings: config.Config) -> Iterator[Finding]:
    parts = ("openhands-agent-server", "openhands-sdk", "openhands-tools")
    versions: dict[str, str] = {}
    for part in parts:
        try:
            versions[part] = importlib.metadata.version(part)
        except importlib.metadata.PackageNotFoundError:
            yield Finding("agent", "failed", f"{part} is not installed.", "Run `make run`, which installs it.")
            return
    if len(set(versions.values())) > 1:
        listed = ", ".join(f"{part} {version}" for part, version in versions.items())
        yield Finding("agent", "failed", f"The engine's parts do not fit: {listed}.", "Run `make run` again.")
        return
    yield Finding("agent", "ok", f"OpenHands agent-server {versions[parts[0]]}")


def _shield(settings: config.Config) -> Iterator[Finding]:
    from app.runtimes.shield import gaps, probe

    shield = probe()
    if not shield.works:
        yield Finding(
            "shield",
            "warning",
            f"The agent is not kept from Twinseat's own state: {shield.reason}.",
            "Install bubblewrap, and allow unprivileged user namespaces.",
        )
        return
    for gap in gaps():
        yield Finding("shield", "warning", gap, "docs/security.md says what that means.")
    yield Finding("shield", "ok", "Twinseat's own state is hidden from the agent (bubblewrap).")


def _editor(settings: config.Config) -> Iterator[Finding]:
    from app.editor import code_server, node

    home = code_server.find(settings.paths.cache)
    program = node.node()
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    if said.returncode:
        yield Finding("editor", "failed", "Node does not run here.", "Run `make run`, which installs it.")
    else:
        yield Finding("editor", "ok", f"code-server in {home}, Node {said.stdout.strip()}")


def _page(settings: config.Config) -> Iterator[Finding]:
    from app.server.page import FOLDER

    if (FOLDER / "index.html").is_file():
        yield Finding("page", "ok", "The page is built.")
    else:
        yield Finding("page", "failed", "The page was not built yet.", "Run `make ui`.")


def _window(settings: config.Config) -> Iterator[Finding]:
    from app.desktop import panes, requirements

    chosen, missing = requirements.choose(panes.native())
    if chosen is None:
        yield Finding("window", "warning", missing, "Without a window, `twinseat` serves the same to a browser.")
    else:
        yield Finding("window", "ok", f"The window can open ({chosen}).")


def _backend(settings: config.Config) -> Iterator[Finding]:
    from app.server import endpoint

    paths = settings.paths
    said = endpoint.read(paths)
    if said is None:
        yield Finding("backend", "ok", "It does not run now; each command starts it when needed.")
    elif endpoint.is_ours(said):
        yield Finding("backend", "ok", f"It runs at {said.url} (process {said.pid}, version {said.version}).")
    else:
        yield Finding(
            "backend",
            "warning",
            f"The endpoint file names {said.url}, but the backend does not answer there.",
            "It ended without tidying up, or hangs; the next start takes over.",
        )
