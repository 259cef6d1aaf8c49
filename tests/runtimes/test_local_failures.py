"""The local runtime where it can't start: every way ends in a problem, none in a wait."""

from pathlib import Path

from app.problems import Fault
from app.runtimes.contract import Place
from app.runtimes.local import EditorPlace, LocalRuntime
from app.runtimes.shield import Shield


async def test_a_data_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    runtime = LocalRuntime(tmp_path / "file/data", around=Shield(None, "not here"))
    place = Place("one", str(tmp_path), trusted=False)
    heard: list[str] = []
    runtime.watch(lambda: heard.append(runtime.status(place).state))
    await runtime.start(place)
    status = runtime.status(place)
    assert (status.state, status.editor.state) == ("failed", "off")
    assert status.agent.problem is not None
    assert status.agent.problem.code == "data-unwritable"
    assert status.place == "Local, not contained; the app's own state is not shielded from the agent: not here"
    assert heard[0] == "starting"
    assert heard[-1] == "failed"
    await runtime.close(end=True)


async def test_an_editor_that_is_not_installed(tmp_path: Path) -> None:
    def missing(_place: EditorPlace) -> tuple[list[str], dict[str, str]]:
        raise Fault(
            code="editor-not-installed", status=503, title="No editor", detail="It is not here.", remedy="Install"
        )

    runtime = LocalRuntime(tmp_path / "data", missing)
    place = Place("one", str(tmp_path), trusted=False)
    await runtime.retry(place, "editor")
    problem = runtime.status(place).editor.problem
    assert problem is not None
    assert (problem.code, problem.detail) == ("editor-not-installed", "It is not here.")
    assert runtime.status(place).agent.state == "off"
    await runtime.close(end=True)
