"""What goes wrong outside is said at once and in words, on the real program."""

from collections.abc import Iterator

import pytest

from tests.program import Program, eventually, running


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running(Program(tmp_path_factory.mktemp("faults"))) as program:
        yield program


def test_a_model_out_of_reach_is_said_while_it_is_tried_again(program: Program):
    workspace = program.workspace("project")
    task = program.task(workspace["id"], program.model("http://127.0.0.1:1/v1", "any"), "Hello")

    def trouble() -> bool:
        found = program.ask("GET", f"/api/tasks/{task}")
        return found["state"] == "running" and (found["problem"] or {}).get("code") == "refused"

    eventually(trouble, 90)
    assert program.ask("GET", f"/api/tasks/{task}")["activity"] == "Trying the model again"
    program.ask("POST", f"/api/tasks/{task}/interrupt")
    program.reach(task, "paused")
    assert program.ask("GET", f"/api/tasks/{task}")["problem"] is None
