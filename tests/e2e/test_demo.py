"""The keyless demo, from one request to files whose tests pass when a person runs them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.schemas import Event
from tests.program import Json, Program, every_event_once, running, same_as_on_disk


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running(Program(tmp_path_factory.mktemp("demo"))) as program:
        yield program


@pytest.fixture(scope="module")
def finished(program: Program) -> Json:
    """The demo's task, done."""
    demo = program.ask("POST", "/api/demo")
    return program.reach(demo["task_id"], "finished", seconds=240)


def test_its_files_exist_and_its_tests_pass_by_hand(program: Program, finished: Json):
    folder = Path(program.ask("GET", "/api/workspaces")[0]["path"])
    assert {"test_todo.py", "todo"} <= {one.name for one in folder.iterdir()}
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "-v"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stderr


def test_a_failing_test_changed_its_next_step(program: Program, finished: Json):
    runs = [
        event["data"]["observation"]["exit_code"]
        for event in program.events(finished["id"])
        if event["kind"] == "ObservationEvent" and event["data"]["tool_name"] == "terminal"
    ]
    assert 1 in runs, "the first run of the tests finds the bug"
    assert runs[-1] == 0, "the last one passes"


def test_the_journal_has_every_event_once(program: Program, finished: Json):
    events = program.events(finished["id"])
    every_event_once(events)
    same_as_on_disk(program, events)
    assert finished["position"] == events[-1]["position"]


def test_the_socket_tells_what_the_history_holds(program: Program, finished: Json):
    wanted = [Event.model_validate(one) for one in program.events(finished["id"])]
    seen: list[Event] = []
    with program.socket() as socket:
        socket.send(json.dumps({"type": "subscribe", "task": finished["id"], "after": 0}))
        while len(seen) < len(wanted):
            frame = json.loads(socket.recv(timeout=30))
            if frame["type"] == "durable":
                seen.append(Event.model_validate(frame["event"]))
    assert seen == wanted


def test_the_task_tells_what_it_cost_and_planned(finished: Json):
    assert finished["usage"]["requests"] > 5
    assert finished["usage"]["completion_tokens"] > 0
    assert {step["status"] for step in finished["plan"]} == {"done"}
    assert not finished["pending"]
