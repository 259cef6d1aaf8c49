"""A folder that the agent can write to must not make the backend's git run anything: it looks all the time, by itself.

Each way was one that worked, or the next thing to try. What runs beside the backend, outside the shield, could read
the launch secret and answer the agent's own questions.
"""

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from app import changes, git
from app.problems import Fault
from app.runtimes.shield import probe

Change = Callable[[Path, Path], None]


def _git(folder: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _configure(folder: Path, **settings: str) -> None:
    for name, value in settings.items():
        _git(folder, "config", name.replace("__", "."), value)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Leaves a trace when it runs."""
    file = tmp_path / "program"
    file.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/ran\nexit 1\n')
    file.chmod(0o755)
    return file


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    _git(folder, "init", "-q")
    _configure(folder, user__email="a@example.com", user__name="a")
    (folder / "a.txt").write_text("one\n")
    _git(folder, "add", ".")
    _git(folder, "commit", "-qm", "one")
    (folder / "a.txt").write_text("two\n")
    return folder


def _filter(name: str, kind: str, section: str = "filter") -> Change:
    def change(folder: Path, program: Path) -> None:
        (folder / ".gitattributes").write_text(f"* {section}={name}\n")
        _git(folder, "config", f"{section}.{name}.{kind}", str(program))

    return change


def _set(**settings: str) -> Change:
    def change(folder: Path, program: Path) -> None:
        _configure(folder, **{name: value.format(program=program) for name, value in settings.items()})

    return change


def _lacking(**settings: str) -> Change:
    """A partial clone that lacks a blob, which git would fetch from wherever the configuration says."""

    def change(folder: Path, program: Path) -> None:
        _configure(
            folder,
            core__repositoryformatversion="1",
            extensions__partialClone="origin",
            remote__origin__promisor="true",
        )
        _set(**settings)(folder, program)
        blob = _git(folder, "rev-parse", "HEAD:a.txt")
        (folder / ".git/objects" / blob[:2] / blob[2:]).unlink()

    return change


def _worktree_config(folder: Path, program: Path) -> None:
    _configure(folder, extensions__worktreeConfig="true")
    (folder / ".git/config.worktree").write_text(f'[filter "x"]\nclean={program}\n[core]\nfsmonitor={program}\n')
    (folder / ".gitattributes").write_text("* filter=x\n")


def _included(folder: Path, program: Path) -> None:
    (folder / ".gitattributes").write_text("* filter=x\n")
    (folder / ".git/more").write_text(f'[FILTER "x"]\nCLEAN={program}\n')
    _configure(folder, include__path="more")


def _hooks(folder: Path, program: Path) -> None:
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction", "post-checkout"):
        (folder / ".git/hooks" / name).write_bytes(program.read_bytes())
        (folder / ".git/hooks" / name).chmod(0o755)


def _submodule(folder: Path, program: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    _git(inner, "init", "-q")
    _configure(inner, user__email="a@example.com", user__name="a", core__fsmonitor=str(program))
    (inner / "b.txt").write_text("b")
    _git(inner, "-c", "core.fsmonitor=false", "add", ".")
    _git(inner, "-c", "core.fsmonitor=false", "commit", "-qm", "b")
    _git(folder, "add", "inner")
    _filter("x", "clean")(inner, program)
    (inner / "b.txt").write_text("c")


WAYS: dict[str, Change] = {
    "a filter": _filter("x", "clean"),
    "a filter named with an equals sign": _filter("a=b", "clean"),
    "a filter process": _filter("a=b", "process"),
    "a text converter": _filter("a=b", "textconv", "diff"),
    "a diff program": _filter("a=b", "command", "diff"),
    "fsmonitor, pagers and more": _set(
        core__fsmonitor="{program}",
        core__pager="{program}",
        pager__diff="{program}",
        diff__external="{program}",
        core__alternateRefsCommand="{program}",
        alias__diff="!{program}",
        alias__config="!{program}",
    ),
    "hooks": _hooks,
    "hooks elsewhere": _set(core__hooksPath="hooks"),
    "an include": _included,
    "a worktree's configuration": _worktree_config,
    "a submodule": _submodule,
    "a fetch, by upload-pack": _lacking(remote__origin__url="file:///nowhere", remote__origin__uploadpack="{program}"),
    "a fetch, by ssh": _lacking(remote__origin__url="ssh://nowhere/x", core__sshCommand="{program}"),
    "a fetch, by ext": _lacking(remote__origin__url="ext::{program} x", protocol__ext__allow="always"),
    "a fetch, by a proxy": _lacking(
        remote__origin__url="git://127.0.0.1:1/x", core__gitProxy="{program}", protocol__git__allow="always"
    ),
    "a fetch, by a credential helper": _lacking(
        remote__origin__url="http://a@127.0.0.1:1/x", credential__helper="!{program}", protocol__allow="always"
    ),
}


@pytest.mark.parametrize("way", WAYS)
async def test_looking_runs_nothing(project: Path, program: Path, way: str) -> None:
    WAYS[way](project, program)
    seen: object = None
    try:
        seen = await changes.changes(project)
        await changes.diff(project, "a.txt")
    except Fault as fault:
        assert "fetch" in way, fault.detail  # what is not there can't be shown
    assert not (project.parent / "ran").exists()
    if "fetch" not in way:
        assert isinstance(seen, changes.Changes)
        assert "a.txt" in {file.path for file in seen.files}


async def test_the_users_own_configuration_can_have_been_written_by_the_agent(
    project: Path, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / ".config/git").mkdir(parents=True)
    (home / ".gitconfig").write_text(f'[filter "x"]\nclean={program}\n[core]\nfsmonitor={program}\n')
    (home / ".config/git/attributes").write_text("* filter=x\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert (await changes.changes(project)).files
    assert not (tmp_path / "ran").exists()


async def test_what_slips_between_two_readings_sees_nothing_of_ours(
    project: Path, program: Path, tmp_path: Path
) -> None:
    """A filter that appears after the configuration was read runs where the agent's own programs do."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "endpoint.json").write_text("the launch secret")
    program.write_text(f"#!/bin/sh\nls {data} > {tmp_path}/seen; cat {data}/endpoint.json >> {tmp_path}/seen; cat\n")
    _filter("x", "clean")(project, program)
    shield = probe()
    assert shield.works, shield.reason
    result = await git.run(project, "diff", "--no-ext-diff", "HEAD", around=lambda argv: shield.wrap(argv, data=data))
    assert result.code == 0
    assert (tmp_path / "seen").read_text() == ""


async def test_git_that_hangs_is_ended_with_what_it_started(project: Path, program: Path, tmp_path: Path) -> None:
    """Even when a process of its own session keeps the pipes open."""
    program.write_text("#!/bin/sh\nsetsid sleep 30 &\nsleep 30\n")
    _filter("x", "clean")(project, program)
    with pytest.raises(Fault) as caught:
        await asyncio.wait_for(git.run(project, "diff", "--no-ext-diff", "HEAD", limit=0.5), 20)
    assert caught.value.code == "git-slow"


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c touch% ran",
        "ext::/bin/true",
        "fd::17",
        "-u/bin/true",
        "--upload-pack=/bin/true",
        "git://127.0.0.1/x",
        "ftp://127.0.0.1/x",
        "HTTPS://a b/x",
        "https://127.0.0.1/x\n--config=core.sshCommand=true",
        "relative/path",
        "",
    ],
)
async def test_addresses_that_are_no_repository_are_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(Fault) as caught:
        await git.clone(address, tmp_path / "target")
    assert caught.value.code == "clone-address"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["ssh://-oProxyCommand=touch${IFS}ran/x", "ssh://a@-oProxyCommand=x/y"])
async def test_a_host_is_no_option(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Fault):
        await git.clone(address, tmp_path / "target")
    assert list(tmp_path.iterdir()) == []
