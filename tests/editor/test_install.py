"""The installer: what it puts in place, what it refuses, what it does when a download fails or was tampered with."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.editor import code_server, install, patches, prune
from app.editor.node import node
from app.problems import Fault

LOCKS = Path(install.__file__).parent / "npm"


def test_node_is_the_version_that_code_server_wants() -> None:
    version = subprocess.run([str(node()), "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("v24.")


@pytest.mark.parametrize("part", install.PARTS)
def test_every_package_is_pinned_by_its_hash_and_by_no_address(part: str) -> None:
    lock = json.loads((LOCKS / part / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert "sha512-" in entry["integrity"], name
        assert "resolved" not in entry, name
    wanted = json.loads((LOCKS / part / "package.json").read_text())["dependencies"]
    assert wanted == lock["packages"][""]["dependencies"]
    assert all(version[0].isdigit() for version in wanted.values())


def test_what_is_installed_is_whole_small_and_carries_its_licences() -> None:
    home = code_server.find()
    assert prune.size(home) < 200e6
    for name in ("LICENSE", "ThirdPartyNotices.txt", "lib/vscode/extensions/twinseat-bridge/LICENSE"):
        assert (home / name).is_file()
    assert not (home / "lib/vscode/extensions/copilot").exists()
    binaries = home / "lib/vscode/node_modules/@vscode/ripgrep-universal/bin"
    assert [folder.name for folder in binaries.iterdir()] == [prune.this_platform()]
    for name in prune.SCRIPTS:
        assert (home / "lib/vscode/bin" / name).resolve().is_file()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A cache with the same code-server, made of links to its files."""
    home = install.location(tmp_path)
    shutil.copytree(code_server.find(), home, copy_function=os.link, symlinks=True)
    return tmp_path


def test_installing_again_does_nothing_but_renews_the_extension(copy: Path) -> None:
    said: list[str] = []
    target = install.location(copy) / "lib/vscode/extensions/twinseat-bridge/extension.js"
    target.unlink()
    target.write_text("// an older one")
    assert install.install(copy, said.append) == install.location(copy)
    assert target.read_bytes() == (LOCKS.parent / "extension/extension.js").read_bytes()
    inode = target.stat().st_ino
    install.install(copy, said.append)
    assert target.stat().st_ino == inode
    assert said == []


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")


@pytest.mark.usefixtures("offline")
def test_without_a_network_it_says_so_and_leaves_nothing_half(tmp_path: Path) -> None:
    with pytest.raises(install.InstallFailed, match=r"could not be downloaded: .*\. Check the network"):
        install.install(tmp_path)
    assert not install.location(tmp_path).exists()
    with pytest.raises(Fault) as missing:
        code_server.find(tmp_path)
    assert missing.value.code == "editor-not-installed"


@pytest.mark.usefixtures("offline")
def test_it_goes_on_where_it_was_interrupted_and_replaces_another_version(tmp_path: Path) -> None:
    """All parts were downloaded, then the machine went down: nothing is asked of the network again."""
    source, home = code_server.find(), install.location(tmp_path)
    stage = home.parent / f".staging-{install.VERSION}"
    _undo(source, stage)
    home.mkdir(parents=True)
    (home / ".twinseat").write_text("made from other lock files")
    (home / "old").write_text("x")
    said: list[str] = []
    install.install(tmp_path, said.append)
    assert [line for line in said if "already there" in line] == [f"  {part}: already there" for part in install.PARTS]
    assert install.is_installed(tmp_path)
    assert not (home / "old").exists()
    assert not stage.exists()
    patched = patches.PATCHES[0]
    assert (home / patched.file).read_text() == (source / patched.file).read_text()


def _undo(source: Path, stage: Path) -> None:
    """The three parts as npm leaves them, out of an installed tree."""

    def take(origin: Path, target: Path) -> None:
        shutil.copytree(origin, target, copy_function=os.link, symlinks=True)

    package = stage / "server/node_modules/code-server"
    take(source, package)
    for taken, part in (
        (package / "lib/vscode/extensions/node_modules", "extensions"),
        (package / "lib/vscode/node_modules", "vscode"),
    ):
        (stage / part).mkdir()
        taken.rename(stage / part / "node_modules")
    for other in (package / "node_modules").iterdir():
        other.rename(stage / "server/node_modules" / other.name)
    (package / "node_modules").rmdir()
    for patch in patches.PATCHES:
        part, name = ("vscode", patch.file.removeprefix("lib/vscode/")) if "node_modules" in patch.file else (None, "")
        path = stage / part / name if part else package / patch.file
        text = path.read_text().replace(patch.new, patch.old)
        path.unlink()  # it is a link to the installed one
        path.write_text(text)
    for part in install.PARTS:
        lock = (LOCKS / part / "package-lock.json").read_bytes()
        (stage / part / ".done").write_text(hashlib.sha256(lock).hexdigest())


@pytest.fixture
def tampered_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A registry that serves another package in TypeScript's place, and vouches for it."""
    asked: list[str] = []
    content = b"not what was pinned"
    version = json.loads((LOCKS / "extensions/package.json").read_text())["dependencies"]["typescript"]

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = content
            if not self.path.endswith(".tgz"):
                address = f"http://127.0.0.1:{self.server.server_port}/typescript.tgz"  # type: ignore[attr-defined]
                vouched = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
                dist = {"tarball": address, "integrity": vouched}
                entry = {"name": "typescript", "version": version, "dist": dist}
                body = json.dumps({"name": "typescript", "versions": {version: entry}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    yield asked
    server.shutdown()
    server.server_close()


def test_a_tampered_package_is_refused(tampered_registry: list[str], tmp_path: Path) -> None:
    with pytest.raises(install.InstallFailed, match="EINTEGRITY"):
        install._npm_ci(tmp_path, "extensions")
    assert tampered_registry  # the description alone gives it away; the package is not even asked for
    assert not (tmp_path / "extensions/node_modules/typescript/lib").exists()


def test_an_unknown_code_server_is_not_patched(tmp_path: Path) -> None:
    for patch in patches.PATCHES:
        path = tmp_path / patch.file
        path.parent.mkdir(parents=True)
        path.write_text("something else")
    with pytest.raises(ValueError, match=r"server-main\.js is not as Twinseat knows it"):
        patches.apply(tmp_path)


def test_a_folder_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "code-server").write_text("a file in the way")
    with pytest.raises(install.InstallFailed, match=r"can't be installed into .* TWINSEAT_CACHE_DIR"):
        install.install(tmp_path)


def test_the_environment_is_clean_and_the_untrusted_one_tighter() -> None:
    base = {"PATH": "/bin", "PORT": "1", "PASSWORD": "x", "VSCODE_IPC_HOOK_CLI": "/x", "NODE_OPTIONS": "--inspect"}
    trusted = code_server.environment(base, trusted=True, bridge_url="ws://x", bridge_token="t", theme="light")
    assert not set(base) - {"PATH"} & set(trusted)
    assert trusted[code_server.BRIDGE_TOKEN] == "t"
    assert json.loads(trusted["VSCODE_TWINSEAT_DEFAULTS"])["workbench.colorTheme"] == "Light Modern"
    assert "EXTENSIONS_GALLERY" not in trusted
    untrusted = code_server.environment(base, trusted=False)
    assert untrusted["EXTENSIONS_GALLERY"] == "{}"
    assert untrusted["GIT_CONFIG_COUNT"] == "4"
    assert json.loads(untrusted["VSCODE_TWINSEAT_DEFAULTS"])["security.workspace.trust.enabled"] is True
