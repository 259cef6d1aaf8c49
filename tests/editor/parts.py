"""The real parts that the editor's tests use: code-server on a socket, Chromium, a hostile repository."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn
from playwright.async_api import Browser, Page, async_playwright

from app.editor import code_server
from app.runtimes.contract import Endpoint, RuntimeNotReady

KEPT = ("HOME", "LANG", "PATH", "SHELL", "TMPDIR", "USER")


class CodeServer:
    """A real code-server on a unix socket, in a process group of its own."""

    def __init__(self, folder: Path, *, trusted: bool = True, **settings: str) -> None:
        self.folder = folder
        self.trusted = trusted
        self.settings = settings
        # A socket's path has to be short, and pytest's temporary folders are not.
        self.short = Path(tempfile.mkdtemp(prefix="ts-"))
        self.socket = self.short / "s"
        self.log = folder / "code-server.log"
        self.process: asyncio.subprocess.Process | None = None
        self.env: dict[str, str] = {}

    @property
    def endpoint(self) -> Endpoint:
        if self.process is None:
            raise RuntimeNotReady("VS Code's server has stopped. It is started again.")
        return Endpoint("http://code-server", socket=self.socket)

    def argv(self) -> list[str]:
        return code_server.argv(
            code_server.find(),
            socket=self.socket,
            user_data=self.folder / "user-data",
            extensions=self.folder / "extensions",
            trusted=self.trusted,
        )

    async def start(self) -> None:
        base = {name: os.environ[name] for name in KEPT if name in os.environ} | {"HOME": str(self.folder)} | self.env
        self.socket.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.argv(),
                env=code_server.environment(base, trusted=self.trusted, **self.settings),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        await until(self.answers)

    async def answers(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self.log.read_text()
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_unix_connection(str(self.socket))
            writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
            line = await reader.readline()
            writer.close()
            return b"200" in line
        return False

    async def stop(self) -> None:
        if self.process is not None:
            process, self.process = self.process, None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def close(self) -> None:
        await self.stop()
        shutil.rmtree(self.short, ignore_errors=True)


@contextlib.asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            await browser.close()


async def explorer(page: Page, name: str, timeout: float = 60_000) -> float:
    """Wait until the explorer shows the file `name`; the seconds that it took."""
    began = time.monotonic()
    await page.locator(f".explorer-folders-view .monaco-list-row[aria-label^='{name}']").first.wait_for(timeout=timeout)
    return time.monotonic() - began


async def until(condition: Callable[[], object | Awaitable[object]], seconds: float = 60) -> None:
    """Wait for something that nobody announces."""
    async with asyncio.timeout(seconds):
        while True:
            value = condition()
            if await value if isinstance(value, Awaitable) else value:
                return
            await asyncio.sleep(0.05)


class Listener:
    """A uvicorn server for one ASGI application on a free port, in the running loop."""

    def __init__(self, app: Any) -> None:
        self._bound = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._bound.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(app, ws="websockets-sansio", lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        )
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        self._task = asyncio.create_task(self._server.serve([self._bound]))

    async def close(self) -> None:
        self._server.should_exit = True
        await self._task
