"""A cloned project that wants to run something, opened before it was trusted: it gets no process and no request."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from app.editor import code_server
from app.editor.node import node
from app.editor.origin import Origins

from .parts import CodeServer, Listener, chromium, explorer, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Trap:
    """A script that leaves a mark when anything runs it, and a server that notes every request."""

    def __init__(self, root: Path) -> None:
        self.marks = root / "marks"
        self.marks.mkdir()
        self.script = root / "project" / "tool.sh"
        self.seen: list[str] = []

    def marked(self) -> list[str]:
        return sorted(path.name for path in self.marks.iterdir())

    async def __call__(self, scope, receive, send) -> None:
        self.seen.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"access-control-allow-origin", b"*")]})
        await send({"type": "http.response.body", "body": b"{}"})


def make_hostile(folder: Path, trap: Trap, port: int) -> None:
    """Everything known that acts when a folder is opened, or one of its files."""
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    trap.script.write_text(f'#!/bin/sh\ntouch "{trap.marks}/$(basename "$0")-$$"\nexec true\n')
    trap.script.chmod(0o755)
    tool, outside = str(trap.script), f"http://127.0.0.1:{port}"
    vscode = folder / ".vscode"
    vscode.mkdir()
    task = {
        "label": "setup",
        "type": "shell",
        "command": tool,
        "runOptions": {"runOn": "folderOpen"},
        "presentation": {"reveal": "never"},
    }
    (vscode / "tasks.json").write_text(json.dumps({"version": "2.0.0", "tasks": [task]}))
    settings = {
        "task.allowAutomaticTasks": "on",
        "security.workspace.trust.enabled": False,
        "git.enabled": True,
        "git.path": tool,
        "python.defaultInterpreterPath": tool,
        "python.pythonPath": tool,
        "eslint.nodePath": tool,
        "eslint.runtime": tool,
        "php.validate.enable": True,
        "php.validate.executablePath": tool,
        "typescript.tsdk": "./evil-tsdk",
        "typescript.tsserver.nodePath": tool,
        "npm.packageManager": tool,
        "grunt.autoDetect": "on",
        "gulp.autoDetect": "on",
        "jake.autoDetect": "on",
        "terminal.integrated.profiles.linux": {"evil": {"path": tool}},
        "terminal.integrated.defaultProfile.linux": "evil",
        "terminal.integrated.automationProfile.linux": {"path": tool},
        "terminal.integrated.env.linux": {"BASH_ENV": tool},
        "json.schemas": [{"fileMatch": ["*.json"], "url": f"{outside}/schema.json"}],
        "yaml.schemas": {f"{outside}/yaml.json": "*.yaml"},
        "http.proxy": outside,
        "markdown.styles": [f"{outside}/style.css"],
        "extensions.ignoreRecommendations": False,
        "remote.extensionKind": {"twinseat.twinseat-bridge": ["ui"]},
        "chat.disableAIFeatures": False,
        "chat.mcp.discovery.enabled": True,
    }
    (vscode / "settings.json").write_text(json.dumps(settings))
    (vscode / "extensions.json").write_text(json.dumps({"recommendations": ["evil.extension", "ms-python.python"]}))
    (vscode / "mcp.json").write_text(json.dumps({"servers": {"evil": {"command": tool}}}))
    (vscode / "launch.json").write_text(
        json.dumps({"version": "0.2.0", "configurations": [{"type": "node", "request": "launch", "program": tool}]})
    )
    git = folder / ".git"
    with (git / "config").open("a") as config:
        config.write(f'[core]\n\tfsmonitor = "{tool}"\n\thooksPath = .git/hooks\n\tsshCommand = "{tool}"\n')
        config.write(f'\tpager = "{tool}"\n[filter "x"]\n\tclean = "{tool}"\n\tsmudge = "{tool}"\n')
        config.write(f'[diff]\n\texternal = "{tool}"\n[credential]\n\thelper = "{tool}"\n')
    (folder / ".gitattributes").write_text("* filter=x\n")
    for hook in ("post-checkout", "pre-commit", "post-index-change", "fsmonitor-watchman", "post-merge"):
        path = git / "hooks" / hook
        path.write_text(trap.script.read_text())
        path.chmod(0o755)
    (folder / "package.json").write_text(
        json.dumps({"$schema": f"{outside}/package-schema.json", "scripts": {"postinstall": tool, "prepare": tool}})
    )
    (folder / "evil-tsdk" / "lib").mkdir(parents=True)
    (folder / "evil-tsdk" / "lib" / "tsserver.js").write_text(
        f"require('fs').writeFileSync('{trap.marks}/tsserver', '')\n"
    )
    for name in ("gulpfile.js", "Gruntfile.js", "Jakefile.js"):
        (folder / name).write_text(f"require('fs').writeFileSync('{trap.marks}/{name}', '')\n")
    (folder / "node_modules" / ".bin").mkdir(parents=True)
    for name in ("gulp", "grunt", "jake", "eslint", "tsc", "npm"):
        path = folder / "node_modules" / ".bin" / name
        path.write_text(trap.script.read_text())
        path.chmod(0o755)
    (folder / "index.php").write_text("<?php echo 1;\n")
    (folder / "index.ts").write_text("export const a: number = 1;\n")
    (folder / "README.md").write_text(f"# Read me\n\n<img src={outside}/pixel.png>\n")


# VS Code looks once, by itself, for what listens on this machine.
LOOKS_FOR_PORTS = ("ls -l /proc", "/bin/sh -c ls -l /proc", "/bin/sh -c ps -F", "ps -F -A", "grep socket:", "grep root")


class Opened:
    def __init__(self, page: Page, folder: Path, trap: Trap, server: CodeServer, requests: list[str], url: str) -> None:
        self.page, self.folder, self.trap, self.server, self.requests, self.url = (
            page,
            folder,
            trap,
            server,
            requests,
            url,
        )

    def strangers(self) -> set[str]:
        """The command lines below code-server that are not VS Code's own Node on VS Code's own scripts."""
        assert self.server.process is not None
        found: set[str] = set()
        for child in psutil.Process(self.server.process.pid).children(recursive=True):
            try:
                command = child.cmdline()
            except psutil.Error:
                continue
            if " ".join(command).startswith(LOOKS_FOR_PORTS):
                continue
            own = command[:1] == [str(node())] and any(part.startswith(str(code_server.find())) for part in command[1:])
            if not own or any(str(self.folder) in part for part in command):
                found.add(" ".join(command))
        return found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Opened]:
    root = tmp_path_factory.mktemp("hostile")
    folder, trap = root / "project", Trap(root)
    listener = Listener(trap)
    make_hostile(folder, trap, listener.port)
    # A git that notes being called, in front of the real one.
    tools = root / "tools"
    tools.mkdir()
    (tools / "git").write_text(f'#!/bin/sh\necho "$@" >> "{trap.marks}/git-was-called"\nexec /usr/bin/git "$@"\n')
    (tools / "git").chmod(0o755)
    server = CodeServer(root, trusted=False)
    server.env = {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        # Whatever goes to the network goes to the trap.
        **dict.fromkeys(
            ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), f"http://127.0.0.1:{listener.port}"
        ),
    }
    await server.start()
    origins = Origins(lambda _: server.endpoint)
    origin = await origins.start("w")
    requests: list[str] = []
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1200, "height": 800})
        context.on("request", lambda request: requests.append(request.url))
        page = await context.new_page()
        await page.goto(origin.url + code_server.page(str(folder)))
        await explorer(page, "README.md")
        yield Opened(page, folder, trap, server, requests, origin.url)
    await origins.close()
    await server.close()
    await listener.close()


async def test_opening_it_is_restricted_asks_nothing_and_runs_nothing(opened: Opened) -> None:
    await opened.page.get_by_role("button", name="Restricted Mode").first.wait_for()
    assert await opened.page.locator(".monaco-dialog-box").count() == 0
    for name in ("package.json", "index.ts", "index.php", "README.md"):  # languages wake up with their files
        await opened.page.locator(f".monaco-list-row[aria-label^='{name}']").first.dblclick()
        await expect(opened.page.locator(".tab.active")).to_contain_text(name)
    deadline = asyncio.get_running_loop().time() + 6  # what acts on opening has acted by then
    running: set[str] = set()

    def over() -> bool:
        running.update(opened.strangers())
        return asyncio.get_running_loop().time() > deadline

    await until(over)
    assert opened.trap.marked() == []
    assert running == set()
    assert opened.trap.seen == []
    assert [url for url in opened.requests if not url.startswith((opened.url, "data:", "blob:"))] == []


async def test_its_git_settings_do_not_act_in_a_terminal_of_the_restricted_server(opened: Opened) -> None:
    """The user's own `git status` there, with the environment that code-server hands on."""
    env = code_server.environment({"PATH": os.environ["PATH"], "HOME": str(opened.server.folder)}, trusted=False)
    (opened.folder / ".gitattributes").unlink()  # filters are a repository's own business once git is asked to add
    for command in (["status"], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x", "--allow-empty"]):
        process = await asyncio.create_subprocess_exec(
            "git", *command, cwd=opened.folder, env=env, stdout=-3, stderr=-3
        )
        assert await process.wait() == 0
    assert opened.trap.marked() == []


async def test_the_same_repository_acts_once_it_is_trusted(opened: Opened, tmp_path: Path) -> None:
    """That the trap works: otherwise an empty list of marks would mean nothing."""
    server = CodeServer(tmp_path, trusted=True)
    server.env = dict(opened.server.env)
    await server.start()
    origins = Origins(lambda _: server.endpoint)
    try:
        origin = await origins.start("w")
        page = await opened.page.context.new_page()
        await page.goto(origin.url + code_server.page(str(opened.folder)))
        await explorer(page, "README.md")
        await until(opened.trap.marked)
        await page.close()
    finally:
        await origins.close()
        await server.close()
