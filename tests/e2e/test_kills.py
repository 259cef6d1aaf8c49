"""`kill -9` in mid-task: of the backend, of the agent-server, of code-server. What each costs, and what is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import Json, Program, eventually, every_event_once, kill, running, same_as_on_disk, scripted

STEPS = 25


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    with scripted(pace=0.02) as url:
        yield url


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running(Program(tmp_path_factory.mktemp("kills"))) as program:
        yield program


@pytest.fixture(scope="module")
def workspace(program: Program) -> Json:
    return program.workspace()


def begun(program: Program, workspace: Json, model: str) -> str:
    """A task of many shell steps, a few of which are done."""
    task = program.task(workspace["id"], program.model(model, f"shell-{STEPS}"))
    eventually(lambda: len(steps(program, task)) >= 4, 60)
    return task


def steps(program: Program, task: str) -> list[str]:
    """What the shell said, step by step."""
    return [
        "".join(part.get("text", "") for part in event["data"]["observation"]["content"]).split("\n")[0]
        for event in program.events(task)
        if event["kind"] == "ObservationEvent" and event["data"]["tool_name"] == "terminal"
    ]


def whole(program: Program, task: str) -> None:
    events = program.events(task)
    every_event_once(events)
    same_as_on_disk(program, events)


def test_without_its_backend_the_task_goes_on(program: Program, workspace: Json, model: str):
    task = begun(program, workspace, model)
    before = program.processes()
    program.kill()
    program.start()
    program.reach(task, "finished")
    after = program.processes()
    for part in ("keeper", "agent"):
        assert [one.pid for one in after[part]] == [one.pid for one in before[part]], f"the {part} is adopted"
    assert steps(program, task) == [f"step-{number}" for number in range(STEPS)]
    whole(program, task)


def test_without_its_agent_server_the_task_is_interrupted_and_continues(program: Program, workspace: Json, model: str):
    task = begun(program, workspace, model)
    (agent,) = program.processes()["agent"][-1:]
    kill(agent)
    stopped = program.reach(task, "interrupted")
    assert stopped["problem"]["detail"].endswith(".")
    assert stopped["problem"]["remedy"]
    program.ready(workspace["id"], "agent")
    program.ask("POST", f"/api/tasks/{task}/resume")
    program.reach(task, "finished")
    whole(program, task)


def test_without_its_editor_the_task_does_not_notice(program: Program, workspace: Json, model: str):
    task = begun(program, workspace, model)
    for process in program.processes()["editor"]:
        kill(process)
    program.reach(task, "finished")
    assert steps(program, task) == [f"step-{number}" for number in range(STEPS)]
    status = program.ready(workspace["id"], "editor")
    assert status["editor_url"]
    whole(program, task)


def test_a_stop_leaves_no_process(tmp_path: Path, model: str):
    with running(Program(tmp_path)) as program:
        workspace = program.workspace()
        begun(program, workspace, model)
    eventually(lambda: not any(program.processes().values()), 20)


def test_a_backend_that_never_returns_takes_its_children_along(tmp_path: Path, model: str):
    program = Program(tmp_path)
    program.start()
    begun(program, program.workspace(), model)
    program.kill()
    eventually(lambda: not any(program.processes().values()), 60)
