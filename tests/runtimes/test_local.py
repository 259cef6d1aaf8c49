"""The local runtime with the real agent-server and the real code-server, and what survives which death."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from app.editor import code_server
from app.runtimes import process, wire
from app.runtimes.contract import Endpoint, Place, RuntimeNotReady
from app.runtimes.local import EditorPlace, LocalRuntime
from tests.runtimes.children import marked, until
from tests.runtimes.ordinary import ROOT

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("agent-server")]

CACHE = Path(os.environ.get("TWINSEAT_CACHE_DIR") or ROOT / ".cache")
PLANTED = "planted-0815"


def editor(place: EditorPlace) -> tuple[list[str], dict[str, str]]:
    argv = code_server.argv(
        code_server.find(CACHE),
        socket=place.socket,
        user_data=place.user_data,
        extensions=place.extensions,
        trusted=place.trusted,
    )
    return argv, code_server.environment(place.environment, trusted=place.trusted)


@dataclass
class Stage:
    data: Path
    runtime: LocalRuntime
    one: Place
    two: Place
    """Not trusted yet."""

    async def shell(self, command: str) -> str:
        endpoint = self.runtime.agent(self.one)
        async with (
            aiohttp.ClientSession(headers=dict(endpoint.headers)) as client,
            client.post(
                f"{endpoint.url}/api/bash/execute_bash_command",
                json={"command": command, "cwd": self.one.folder, "timeout": 30},
            ) as answer,
        ):
            return (await answer.json())["stdout"]

    def runtime_again(self) -> LocalRuntime:
        base = dict(os.environ) | {"LLM_API_KEY": PLANTED, "OH_SECRET_KEY": PLANTED, "DAYTONA_API_KEY": PLANTED}
        return LocalRuntime(self.data, editor, base=base, pace={"first_delay": 0.1})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    root = tmp_path_factory.mktemp("local")
    for name in ("data", "one", "two"):
        (root / name).mkdir()
    places = [Place(name, str(root / name), trusted=name == "one") for name in ("one", "two")]
    stage = Stage(root / "data", LocalRuntime(root / "data"), *places)
    stage.runtime = stage.runtime_again()
    await stage.runtime.start(stage.one)
    yield stage
    await stage.runtime.close(end=True)
    assert marked(stage.data) == []


async def answers(endpoint: Endpoint, path: str, **headers: str) -> int:
    connector = aiohttp.UnixConnector(str(endpoint.socket)) if endpoint.socket else aiohttp.TCPConnector()
    async with (
        aiohttp.ClientSession(connector=connector) as client,
        client.get(f"{endpoint.url}{path}", headers=headers) as answer,
    ):
        return answer.status


def names_in(pid: int, folder: Path) -> list[str]:
    """A folder as the process sees it."""
    return sorted(path.name for path in Path(f"/proc/{process.leader(pid)}/root{folder}").iterdir())


async def test_both_servers_get_ready_in_named_phases(stage: Stage) -> None:
    status = stage.runtime.status(stage.one)
    assert (status.state, status.agent.state, status.editor.state) == ("ready", "ready", "ready"), status
    assert status.restarts == 0
    names = [phase.name for phase in status.phases]
    assert {"Starting the agent", "Loading the agent's libraries", "Starting the editor"} < set(names)
    assert all(phase.took is not None for phase in status.phases)
    assert not status.contained
    assert await answers(stage.runtime.editor(stage.one), "/") == 200


async def test_only_who_has_the_key_gets_in_and_no_browser(stage: Stage) -> None:
    endpoint = stage.runtime.agent(stage.one)
    path = "/api/conversations/search"
    assert await answers(endpoint, path, **endpoint.headers) == 200
    assert await answers(endpoint, path) == 401
    assert await answers(endpoint, path, **endpoint.headers, Origin="http://localhost:1") == 403


async def test_its_tools_know_nothing_of_ours(stage: Stage) -> None:
    key = stage.runtime.agent(stage.one).headers["X-Session-API-Key"]
    environment = await stage.shell("env")
    assert PLANTED not in environment
    assert key not in environment
    assert f"INPUTRC={stage.data}/agent/inputrc" in environment
    tmux = wire.socket_path(stage.data / "agent/tmux", f"tmux-{os.getuid()}/openhands-{'0' * 32}").parents[1]
    assert f"TMUX_TMPDIR={tmux}" in environment  # a fixed place, and a short one where sockets would not fit
    assert (await stage.shell(f"ls {stage.data}")).split() == ["agent"]


async def test_a_folder_that_is_no_repository_stays_as_it_is(stage: Stage) -> None:
    endpoint = stage.runtime.agent(stage.one)
    agent = {"kind": "Agent", "llm": {"model": "openai/none", "api_key": "x", "usage_id": "x"}, "tools": []}
    wanted = {"agent": agent, "workspace": {"kind": "LocalWorkspace", "working_dir": stage.one.folder}}
    async with (
        aiohttp.ClientSession(headers=dict(endpoint.headers)) as client,
        client.post(f"{endpoint.url}/api/conversations", json=wanted) as answer,
    ):
        assert answer.status == 201, await answer.text()
    assert list(Path(stage.one.folder).iterdir()) == []


async def test_workspaces_share_the_agent_and_have_an_editor_by_trust(stage: Stage) -> None:
    pid = stage.runtime.agent_pid()
    assert stage.runtime.status(stage.two).editor.state == "off"
    with pytest.raises(RuntimeNotReady, match="not running"):
        stage.runtime.editor(stage.two)
    await stage.runtime.start(stage.two)
    assert stage.runtime.agent_pid() == pid
    assert stage.runtime.editor(stage.one).socket != stage.runtime.editor(stage.two).socket
    assert await answers(stage.runtime.editor(stage.two), "/") == 200
    for name, own in (("editor:trusted", "trusted"), ("editor:restricted", "restricted")):
        (editor_pid,) = [one for one in marked(stage.data) if _is(one, name) and process.leader(one) == one][:1]
        assert names_in(editor_pid, stage.data) == ["editor"]
        assert names_in(editor_pid, stage.data / "editor") == [own]
    await stage.runtime.stop(stage.two)
    assert stage.runtime.status(stage.two).editor.state == "off"
    assert stage.runtime.status(stage.one).state == "ready"
    assert not [one for one in marked(stage.data) if _is(one, "editor:restricted")]


def _is(pid: int, name: str) -> bool:
    try:
        return f":{name};".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


async def test_a_killed_editor_comes_back_and_the_agent_does_not_notice(stage: Stage) -> None:
    agent = stage.runtime.agent_pid()
    (pid, *_) = [one for one in marked(stage.data) if _is(one, "editor:trusted") and process.leader(one) == one]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: stage.runtime.status(stage.one).editor.state == "starting")
    problem = stage.runtime.status(stage.one).editor.problem
    assert problem is not None
    assert problem.detail == "The editor (code-server) ended unexpectedly: it was ended by SIGKILL."
    await until(lambda: stage.runtime.status(stage.one).state == "ready")
    assert await answers(stage.runtime.editor(stage.one), "/") == 200
    assert stage.runtime.agent_pid() == agent


async def test_a_killed_agent_server_comes_back_with_its_key_and_without_leftovers(stage: Stage) -> None:
    key = stage.runtime.agent(stage.one).headers["X-Session-API-Key"]
    await stage.shell("setsid -f sleep 4711 >/dev/null 2>&1; tmux new-session -d 'sleep 4712'")
    sleeping = [one for one in process.table().values() if one.name == "sleep" and one.pid in marked(stage.data)]
    assert len(sleeping) == 2
    pid = stage.runtime.agent_pid()
    assert pid is not None
    os.kill(process.leader(pid), signal.SIGKILL)
    await until(lambda: stage.runtime.status(stage.one).agent.state == "starting")
    await until(lambda: stage.runtime.status(stage.one).state == "ready")
    assert not {one.pid for one in sleeping} & set(marked(stage.data))
    assert stage.runtime.agent(stage.one).headers["X-Session-API-Key"] == key
    assert stage.runtime.status(stage.one).restarts > 0
    assert (await stage.shell("echo again")).strip() == "again"


async def test_a_returning_backend_adopts_both(stage: Stage) -> None:
    endpoint, pid = stage.runtime.agent(stage.one), stage.runtime.agent_pid()
    await stage.runtime.close(end=False)
    stage.runtime = stage.runtime_again()
    await stage.runtime.start(stage.one)
    assert stage.runtime.agent_pid() == pid
    assert stage.runtime.agent(stage.one) == endpoint
    assert await answers(stage.runtime.editor(stage.one), "/") == 200


async def test_a_killed_keeper_is_replaced_and_nothing_of_it_is_left(stage: Stage) -> None:
    await stage.shell("setsid -f sleep 4713 >/dev/null 2>&1")
    before = set(marked(stage.data))
    keeper, agent = stage.runtime.keeper_pid(), stage.runtime.agent_pid()
    assert keeper is not None
    assert len(before) > 3
    os.kill(keeper, signal.SIGKILL)
    await until(lambda: stage.runtime.status(stage.one).state != "ready")
    await until(lambda: stage.runtime.status(stage.one).state == "ready")
    assert stage.runtime.keeper_pid() != keeper
    assert stage.runtime.agent_pid() != agent
    assert not before & set(marked(stage.data))


async def test_a_program_of_the_editor_that_is_missing_leaves_the_agent_alone(stage: Stage) -> None:
    stage.runtime._parts._command = lambda place: (["/nowhere/node"], {})
    await stage.runtime.start(stage.two)
    status = stage.runtime.status(stage.two)
    assert (status.state, status.agent.state, status.editor.state) == ("ready", "ready", "failed")
    assert status.editor.problem is not None
    assert status.editor.problem.code == "missing-program"
    assert "/nowhere/node" in status.editor.problem.detail
    stage.runtime._parts._command = editor
    await stage.runtime.retry(stage.two, "editor")
    assert stage.runtime.status(stage.two).editor.state == "ready"


async def test_the_last_workspace_closed_ends_both(stage: Stage) -> None:
    heard = asyncio.Event()
    unwatch = stage.runtime.watch(heard.set)
    await stage.runtime.stop(stage.two)
    await stage.runtime.stop(stage.one)
    unwatch()
    assert heard.is_set()
    assert stage.runtime.status(stage.one).state == "off"
    assert marked(stage.data) == []
