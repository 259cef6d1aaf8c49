"""Where settings come from: a file in the working directory may be a stranger's."""

from pathlib import Path

from app import config
from app.runtimes.local import LocalRuntime
from app.runtimes.shield import Shield


def test_a_found_file_does_not_choose_where_the_environments_key_goes(tmp_path: Path) -> None:
    """A project that was unpacked, not cloned, looks like any folder."""
    (tmp_path / ".env").write_text("LLM_BASE_URL=https://evil.example/v1\nLLM_MODEL=m\n")
    read = config.load(environ={"LLM_API_KEY": "sk-0123456789abcdef"}, directory=tmp_path)
    assert read.llm_base_url is None
    assert any("LLM_BASE_URL" in warning and "LLM_API_KEY" in warning for warning in read.warnings)


def test_both_in_one_file_are_the_users_own(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LLM_BASE_URL=https://models.example/v1\nLLM_API_KEY=sk-0123456789abcdef\n")
    read = config.load(environ={}, directory=tmp_path)
    assert read.llm_base_url == "https://models.example/v1"
    named = config.load(
        environ={"LLM_API_KEY": "sk-0123456789abcdef", "TWINSEAT_ENV_FILE": str(tmp_path / ".env")}, directory=tmp_path
    )
    assert named.llm_base_url == "https://models.example/v1"


def test_files_that_hold_keys_are_hidden_from_the_agent(tmp_path: Path) -> None:
    for name in ("key", "passphrase"):
        (tmp_path / name).write_text("0123456789abcdef")
    (tmp_path / ".env").write_text(f"DAYTONA_API_KEY_FILE={tmp_path}/passphrase\n")
    read = config.load(environ={"LLM_API_KEY_FILE": f"{tmp_path}/key"}, directory=tmp_path)
    assert set(read.files) == {tmp_path / ".env", tmp_path / "key", tmp_path / "passphrase"}
    runtime = LocalRuntime(tmp_path / "data", hidden=read.files, base={}, around=Shield("/usr/bin/env"))
    command = runtime.behind_shield(["/bin/true"])
    for file in read.files:
        assert command[command.index(str(file)) - 2 : command.index(str(file))] == ["--ro-bind", "/dev/null"]


def test_a_projects_own_settings_stay_the_agents_to_read(tmp_path: Path) -> None:
    """They were not read, so they hold nothing of ours."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".env").write_text("LLM_API_KEY=sk-0123456789abcdef\n")
    assert config.load(environ={}, directory=tmp_path).files == ()
