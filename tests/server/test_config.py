"""Every setting is honoured, or named with what took its place."""

import re
import tomllib
from pathlib import Path

import pytest

import app
from app import config
from app.redact import redact

ASKED = [
    "LLM_API_KEY",
    "LLM_BASE_URL",
    "LLM_MODEL",
    "LLM_TEMPERATURE",
    "LLM_MAX_TOKENS",
    "DAYTONA_API_KEY",
    "DAYTONA_API_URL",
    "DAYTONA_TARGET",
    "SANDBOX_RUNTIME_CONTAINER_IMAGE",
    "WORKSPACE_BASE",
    "WORKSPACE_MOUNT_PATH",
    "WORKSPACE_MOUNT_PATH_IN_SANDBOX",
    "CODE_SERVER_PASSWORD",
    "CODE_SERVER_PORT",
    "APP_PORT",
    "BACKEND_PORT",
    "NGINX_PORT",
    "LOG_LEVEL",
    "DEBUG",
    "LOG_ALL_EVENTS",
    "ALLOWED_ORIGINS",
    "JWT_SECRET",
    "SESSION_TIMEOUT",
]


def load(tmp_path: Path, **environ: str) -> config.Config:
    return config.load(environ=environ, directory=tmp_path)


def test_every_name_that_was_asked_for_is_declared_and_documented() -> None:
    text = config.documentation()
    for name in ASKED:
        assert name in config.names()
        assert f"`{name}`" in text


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((Path(app.__file__).parent.parent / "pyproject.toml").read_text())
    assert app.__version__ == project["project"]["version"]


@pytest.mark.parametrize("name", ASKED)
def test_a_name_can_be_given_by_a_file(tmp_path: Path, name: str) -> None:
    examples = {
        "LLM_TEMPERATURE": "0.5",
        "DEBUG": "true",
        "LOG_ALL_EVENTS": "true",
        "LOG_LEVEL": "warning",
        "LLM_MAX_TOKENS": "77",
        "SESSION_TIMEOUT": "3600",
    }
    value = examples.get(name, "8123" if name.endswith("PORT") else "https://sufficiently-odd.example")
    (tmp_path / "value").write_text(f"{value}\n")
    by_file = load(tmp_path, **{f"{name}_FILE": str(tmp_path / "value")})
    assert by_file.files == (tmp_path / "value",)
    by_file = by_file.model_copy(update={"files": ()})
    assert by_file == load(tmp_path, **{name: value})
    assert by_file != load(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "NGINX_PORT",
        "CODE_SERVER_PASSWORD",
        "DAYTONA_TARGET",
        "SANDBOX_RUNTIME_CONTAINER_IMAGE",
        "WORKSPACE_MOUNT_PATH_IN_SANDBOX",
    ],
)
def test_what_is_not_honoured_is_named(tmp_path: Path, name: str) -> None:
    warnings = load(tmp_path, **{name: "8080"}).warnings
    assert any(warning.startswith(f"{name} is ignored: ") for warning in warnings)


def test_bad_values_are_named_and_left_out_and_never_shown(tmp_path: Path) -> None:
    loaded = load(tmp_path, APP_PORT="hunter2hunter2", LLM_TEMPERATURE="warm", LOG_LEVEL="loud")
    assert loaded.app_port is None
    assert loaded.log_level == "info"
    assert {warning.split()[0] for warning in loaded.warnings} == {"APP_PORT", "LLM_TEMPERATURE", "LOG_LEVEL"}
    assert "hunter2" not in " ".join(loaded.warnings)


def test_order_is_flags_then_environment_then_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("APP_PORT=1001\nLOG_LEVEL=error\nLLM_MODEL=from-$file\n")
    loaded = config.load(environ={"APP_PORT": "1002"}, directory=tmp_path)
    assert (loaded.app_port, loaded.log_level, loaded.llm_model) == (1002, "error", "from-$file")
    assert config.load(environ={"APP_PORT": "1002"}, directory=tmp_path, app_port=1003).app_port == 1003


def test_a_projects_env_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "project/.git").mkdir(parents=True)
    (tmp_path / "project/.env").write_text("LLM_BASE_URL=https://evil.example\nALLOWED_ORIGINS=https://evil.example\n")
    loaded = config.load(environ={}, directory=tmp_path / "project")
    assert loaded.llm_base_url is None
    assert loaded.origins == ()
    assert any(".env" in warning for warning in loaded.warnings)
    named = config.load(environ={"TWINSEAT_ENV_FILE": str(tmp_path / "project/.env")}, directory=tmp_path)
    assert named.llm_base_url == "https://evil.example"


def test_keys_are_known_to_the_redactor(tmp_path: Path) -> None:
    loaded = load(tmp_path, LLM_API_KEY="plainly-a-key-77", LLM_MODEL="m")
    assert "plainly-a-key-77" not in redact("it is plainly-a-key-77.")
    assert "plainly-a-key-77" not in repr(loaded)


def test_bad_origins_are_refused_one_by_one(tmp_path: Path) -> None:
    loaded = load(tmp_path, ALLOWED_ORIGINS="https://a.example, *, javascript:x, https://b.example/path")
    assert loaded.origins == ("https://a.example",)
    assert len(loaded.warnings) == 3


def test_the_ports_and_folders_that_stand_in(tmp_path: Path) -> None:
    assert load(tmp_path, BACKEND_PORT="2000").port == 2000
    both = load(tmp_path, BACKEND_PORT="2000", APP_PORT="2001")
    assert both.port == 2001
    assert any(warning.startswith("BACKEND_PORT") for warning in both.warnings)
    assert load(tmp_path, WORKSPACE_MOUNT_PATH="/srv/x").base == Path("/srv/x")


def test_the_documentation_has_a_row_for_each_setting() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)`", config.documentation(), re.M)
    assert sorted(rows) == sorted(config.names())
