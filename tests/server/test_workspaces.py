"""Folders taken in, cloned and looked at, without leaving them and without running what they bring."""

import os
import subprocess
from pathlib import Path

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import changes, files, git
from app.problems import Fault
from app.server.backend import Backend


def sh(folder: Path, *command: str) -> str:
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b.example",
    }
    environment |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.example"}
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    sh(folder, "git", "init", "-q", "-b", "main")
    (folder / "kept.txt").write_text("one\ntwo\nthree\n")
    (folder / "gone.txt").write_text("gone\n")
    (folder / "old name.txt").write_text("".join(f"{n}\n" for n in range(50)))
    sh(folder, "git", "add", ".")
    sh(folder, "git", "commit", "-qm", "first")
    return folder


async def test_changes(repository: Path) -> None:
    assert (await changes.changes(repository)).files == []
    (repository / "kept.txt").write_text("one\n2\nthree\nfour\n")
    (repository / "gone.txt").unlink()
    (repository / "old name.txt").rename(repository / "new\tname ü.txt")
    sh(repository, "git", "add", "-A", "old name.txt", "new\tname ü.txt")
    (repository / "sub").mkdir()
    (repository / "sub/new.txt").write_text("a\nb")
    (repository / "binary").write_bytes(b"\0\1\2")
    found = {file.path: (file.change, file.added, file.removed) for file in (await changes.changes(repository)).files}
    assert found == {
        "kept.txt": ("modified", 2, 1),
        "gone.txt": ("deleted", 0, 1),
        "new\tname ü.txt": ("renamed", 0, 0),
        "sub/new.txt": ("added", 2, 0),
        "binary": ("added", 0, 0),
    }
    assert "-two\n+2\n" in await changes.diff(repository, "kept.txt")
    assert "+a\n+b\n" in await changes.diff(repository, "sub/new.txt")
    assert "-gone" in await changes.diff(repository, "gone.txt")
    inner = await changes.changes(repository / "sub")
    assert [file.path for file in inner.files] == ["new.txt"]
    assert "+a\n" in await changes.diff(repository / "sub", "new.txt")


async def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    assert (await changes.changes(tmp_path)).files == []
    await git.init(tmp_path)
    (tmp_path / "a").write_text("x\n")
    sh(tmp_path, "git", "add", "a")
    assert [(file.path, file.change, file.added) for file in (await changes.changes(tmp_path)).files] == [
        ("a", "added", 1)
    ]
    assert "+x" in await changes.diff(tmp_path, "a")
    assert not list((tmp_path / ".git").glob("hooks/*"))


async def test_a_hostile_repository_runs_nothing(repository: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\necho $0 $@ >> {mark}\ncat\n")
    evil.chmod(0o755)
    for hook in ("post-checkout", "pre-commit", "post-index-change", "fsmonitor-watchman", "post-merge"):
        (repository / ".git/hooks").mkdir(exist_ok=True)
        (repository / ".git/hooks" / hook).symlink_to(evil)
    for name, value in {
        "core.fsmonitor": str(evil),
        "core.pager": str(evil),
        "core.sshCommand": str(evil),
        "core.gitProxy": str(evil),
        "credential.helper": str(evil),
        "diff.external": str(evil),
        "diff.evil.textconv": str(evil),
        "diff.evil.command": str(evil),
        "filter.evil.clean": str(evil),
        "filter.evil.smudge": str(evil),
        "filter.evil.required": "true",
        "filter.wor.se.process": str(evil),
        "gpg.program": str(evil),
        "alias.diff": f"!{evil}",
        "include.path": "more",
    }.items():
        sh(repository, "git", "config", name, value)
    (repository / ".git/more").write_text(f'[filter "included"]\n clean = {evil}\n')
    sh(repository, "git", "config", "extensions.worktreeConfig", "true")
    sh(repository, "git", "config", "--worktree", "filter.tree.clean", str(evil))
    (repository / ".gitattributes").write_text(
        "kept.txt filter=evil diff=evil\ngone.txt filter=wor.se\nold* filter=included\nx filter=tree\n"
    )
    for name in ("kept.txt", "gone.txt", "old name.txt"):
        (repository / name).write_text("changed\n")
    mark.unlink(missing_ok=True)
    found = await changes.changes(repository)
    assert len(found.files) == 4
    for file in found.files:
        await changes.diff(repository, file.path)
    assert not mark.exists(), mark.read_text()


async def test_clone_and_its_failures(
    backend: Backend, owner: aiohttp.ClientSession, repository: Path, tmp_path: Path
) -> None:
    cloned = await owner.post("/api/workspaces", json={"clone": {"url": str(repository)}})
    found = await cloned.json()
    assert cloned.status == 200, found
    assert (found["name"], found["trust"], found["is_git"]) == ("repository", "undecided", True)
    assert Path(found["path"]) == tmp_path / "base/repository"
    assert (tmp_path / "base/repository/kept.txt").exists()
    for url, status, code in (
        (str(repository), 409, "folder-exists"),
        ("ext::sh -c touch% /tmp/x", 422, "clone-address"),
        ("--upload-pack=touch /tmp/x", 422, "clone-address"),
        ("git://example.com/x", 422, "clone-address"),
        ("fd::17/x", 422, "clone-address"),
        ("https://no-such-name.invalid/a/b.git", 502, "dns"),
        ("git@no-such-name.invalid:a/b.git", 502, "dns"),
        ("ssh://git@127.0.0.1:1/a/b.git", 502, "clone-unreachable"),
        ("http://127.0.0.1:1/b.git", 502, "clone-unreachable"),
        (f"{tmp_path}/nothing", 502, "clone-not-found"),
        (f"file://{tmp_path}/nothing", 502, "clone-not-found"),
        ("https://example.com/..", 422, "clone-address"),
    ):
        answer = await owner.post("/api/workspaces", json={"clone": {"url": url}})
        assert (answer.status, (await answer.json())["code"]) == (status, code), url
    assert sorted(path.name for path in (tmp_path / "base").iterdir()) == ["repository"]


async def test_a_private_repository_asks_nobody(tmp_path: Path) -> None:
    from aiohttp import web

    async def denied(request: web.Request) -> web.Response:
        return web.Response(status=401, headers={"WWW-Authenticate": "Basic realm=x"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", denied)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    with pytest.raises(Fault) as refused:
        await git.clone(f"http://127.0.0.1:{port}/private.git", tmp_path / "private")
    assert refused.value.code == "clone-denied"
    assert not (tmp_path / "private").exists()
    await runner.cleanup()


NAMES = st.lists(
    st.sampled_from(["..", ".", "a", "b c", "", "link", "out", "~", "\\", "%2e%2e", "\u202e", "a" * 300]), max_size=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(NAMES, st.sampled_from(["/", "//", "\\"]), st.booleans())
def test_no_path_leads_outside(tmp_path: Path, names: list[str], separator: str, absolute: bool) -> None:
    root = tmp_path / "root"
    if not root.exists():
        (root / "a/b c").mkdir(parents=True)
        (tmp_path / "secret").write_text("outside")
        (root / "link").symlink_to("a")
        (root / "out").symlink_to(tmp_path)
        (root / "loop").symlink_to("loop")
    path = separator.join(names)
    try:
        found = files.inside(root, f"/{path}" if absolute else path)
    except Fault as fault:
        assert fault.code == "outside"
        return
    assert found.resolve().is_relative_to(root.resolve())


def test_files(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / ".git").mkdir(parents=True)
    (root / "folder").mkdir()
    (root / "b.txt").write_text("b")
    (root / "A.txt").write_bytes(b"\xff\xfe")
    (root / "link").symlink_to("/etc")
    os.mkfifo(root / "pipe")
    (tmp_path / "secret").write_text("outside")
    (root / "peek").symlink_to(tmp_path / "secret")
    listed = files.listing(root, "")
    assert [(one.name, one.kind) for one in listed if one.kind != "link"] == [
        ("folder", "folder"),
        ("A.txt", "file"),
        ("b.txt", "file"),
        ("pipe", "file"),
    ]
    assert files.text(root, "b.txt") == "b"
    for path, code in (
        ("A.txt", "not-text"),
        ("pipe", "not-a-file"),
        ("folder", "not-a-file"),
        ("x", "no-such-file"),
        ("peek", "outside"),
        ("link/passwd", "outside"),
        ("../secret", "outside"),
        ("\0", "outside"),
    ):
        with pytest.raises(Fault) as refused:
            files.text(root, path)
        assert refused.value.code == code, path


async def test_a_workspaces_life(owner: aiohttp.ClientSession, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "a.txt").write_text("hello")
    made = await (await owner.post("/api/workspaces", json={"path": str(folder)})).json()
    again = await (await owner.post("/api/workspaces", json={"path": f"{folder}/../plain"})).json()
    assert again["id"] == made["id"]
    assert (made["is_git"], made["git_decision"], made["trust"]) == (False, "undecided", "undecided")
    assert made["status"]["state"] == "off"
    base = f"/api/workspaces/{made['id']}"
    assert (await (await owner.post(f"{base}/git", json={"init": False})).json())["git_decision"] == "scratch"
    assert not (folder / ".git").exists()
    decided = await (await owner.post(f"{base}/git", json={"init": True})).json()
    assert (decided["git_decision"], decided["is_git"]) == ("init", True)
    assert (await (await owner.post(f"{base}/trust", json={"trusted": True})).json())["trust"] == "trusted"
    assert (await (await owner.post(f"{base}/trust", json={"trusted": False})).json())["trust"] == "restricted"
    assert await (await owner.get(f"{base}/file", params={"path": "a.txt"})).text() == "hello"
    assert (await owner.get(f"{base}/file", params={"path": "../../etc/passwd"})).status == 403
    assert (await (await owner.get(f"{base}/changes")).json())["files"][0]["path"] == "a.txt"
    assert "+hello" in await (await owner.get(f"{base}/diff", params={"path": "a.txt"})).text()
    assert (await owner.get(f"{base}/diff", params={"path": "../x"})).status == 403
    closed = await owner.post(f"{base}/editor/open", json={"path": "a.txt"})
    assert (closed.status, (await closed.json())["code"]) == (409, "editor-not-open")
    folder.rename(tmp_path / "moved")
    assert not (await (await owner.get(base)).json())["exists"]
    for method, path in (("POST", "/open"), ("GET", "/files"), ("GET", "/changes"), ("POST", "/git")):
        answer = await owner.request(method, base + path, json={"init": True} if path == "/git" else None)
        assert (answer.status, (await answer.json())["code"]) == (409, "folder-gone"), path
    assert (await owner.delete(base)).status == 204
    assert (tmp_path / "moved/a.txt").exists()
    assert (await owner.get(base)).status == 404


async def test_bad_folders(owner: aiohttp.ClientSession, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for body, status in (
        ({}, 422),
        ({"path": "/", "clone": {"url": "https://a.example/b"}}, 422),
        ({"path": "relative"}, 422),
        ({"path": "/no/such/folder"}, 404),
        ({"path": str(tmp_path / "file")}, 409),
        ({"path": str(tmp_path / "file/below"), "create": True}, 409),
        ({"path": str(tmp_path / ("long" * 80)), "create": True}, 422),
        ({"clone": {"url": "https://a.example/b", "into": str(tmp_path / "file")}}, 409),
        ({"path": "/proc/nothing/here", "create": True}, 404),
        ({"path": "/\0"}, 422),
    ):
        answer = await owner.post("/api/workspaces", json=body)
        assert answer.status == status, body
        assert (await answer.json())["detail"]
    assert (await owner.get("/api/folders", params={"path": "relative"})).status == 422
    assert (await owner.get("/api/folders", params={"path": "/no/such"})).status == 404
    listed = await (await owner.get("/api/folders", params={"path": str(tmp_path)})).json()
    assert {"data", "cache"} <= {one["name"] for one in listed}
