"""Settings, declared once each: what is read, what it means, and what takes its place where we differ.

Order: a command's flags, then the environment (`NAME`, or `NAME_FILE` naming a file that holds the value, as
container secrets do), then `.env`. What the user changes while it runs lives in `settings.json` (app.settings).
`python -m app.config --docs` prints docs/configuration.md from the declarations below.

A `.env` is only read where no stranger can have put it: see `find_env_file`. A project's file must not be able to
point the model somewhere else (CVE-2026-21852) or to open the API to another host.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from app.paths import Paths
from app.redact import register

Port = Annotated[int, Field(ge=1, le=65535)]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]


def _setting(default: Any, text: str, group: str, *, example: str, instead: str | None = None) -> Any:
    """One declaration. `instead` says why the setting is ignored and what took its place."""
    return Field(
        default=default,
        description=text,
        examples=[example],
        json_schema_extra={"group": group, "instead": instead} if instead else {"group": group},
    )


class Config(BaseModel):
    """What was asked for at start. Fixed while the process runs."""

    model_config = ConfigDict(extra="ignore", frozen=True, str_strip_whitespace=True)

    llm_api_key: SecretStr | None = _setting(
        None,
        "Key of the model described by the LLM_* settings. It stays in the backend; the agent never sees it.",
        "Model",
        example="sk-…",
    )
    llm_base_url: str | None = _setting(
        None, "Base URL of any OpenAI-compatible endpoint.", "Model", example="https://api.openai.com/v1"
    )
    llm_model: str | None = _setting(
        None, "Model name. With it, a read-only model `env` appears in the settings.", "Model", example="gpt-5"
    )
    llm_temperature: float | None = _setting(
        None, "Sampling temperature; the provider's default when absent.", "Model", example="0.2"
    )
    llm_max_tokens: Annotated[int, Field(ge=1)] | None = _setting(
        None, "Upper bound of one answer, in tokens.", "Model", example="8192"
    )
    daytona_api_key: SecretStr | None = _setting(
        None,
        "Key for Daytona. It can be stored and checked; sandboxes there are not offered by this version.",
        "Sandboxes",
        example="dtn_…",
    )
    daytona_api_url: str = _setting(
        "https://app.daytona.io/api",
        "Address of the Daytona API, used for the key check.",
        "Sandboxes",
        example="https://app.daytona.io/api",
    )
    daytona_target: str | None = _setting(
        None,
        "Daytona region.",
        "Sandboxes",
        example="eu",
        instead="this version runs work on this machine only, so no region is chosen",
    )
    sandbox_runtime_container_image: str | None = _setting(
        None,
        "Container image for the agent.",
        "Sandboxes",
        example="docker.io/library/debian:trixie-slim",
        instead="this version runs work on this machine only, so no image is used",
    )
    workspace_base: Path | None = _setting(
        None,
        "Folder in which new workspaces and clones are made. `Twinseat` in the home folder when absent.",
        "Workspaces",
        example="~/src",
    )
    workspace_mount_path: Path | None = _setting(
        None,
        "Folder on the host that holds the workspaces. Without containers nothing is mounted: it serves as "
        "WORKSPACE_BASE when that is absent.",
        "Workspaces",
        example="~/src",
    )
    workspace_mount_path_in_sandbox: str | None = _setting(
        None,
        "Where the folder appears inside a sandbox.",
        "Workspaces",
        example="/workspace",
        instead="work runs on the folder itself, under its own path",
    )
    code_server_port: Port | None = _setting(
        None,
        "Port of the first workspace's editor. Each workspace has an origin, and so a port, of its own; the others "
        "are chosen by the system and remembered.",
        "Editor",
        example="8100",
    )
    code_server_password: SecretStr | None = _setting(
        None,
        "Password of the editor.",
        "Editor",
        example="…",
        instead="the editor listens on a private socket behind an unguessable path of its own origin, so there is no "
        "password to ask for",
    )
    app_port: Port | None = _setting(
        None,
        "Port of the window's page and the API, on 127.0.0.1. Chosen by the system and remembered when absent.",
        "Server",
        example="8765",
    )
    backend_port: Port | None = _setting(
        None,
        "Page and API share one port: used as APP_PORT when that is absent.",
        "Server",
        example="8765",
    )
    nginx_port: Port | None = _setting(
        None,
        "Port of a web server in front.",
        "Server",
        example="8080",
        instead="there is no nginx inside; the page and the API are at APP_PORT",
    )
    allowed_origins: str = _setting(
        "",
        "Origins at which a proxy of yours serves the app, separated by commas. No others may reach it, besides "
        "127.0.0.1 and localhost.",
        "Server",
        example="https://cockpit.example.com",
    )
    jwt_secret: SecretStr | None = _setting(
        None,
        "Seeds the key with which sessions are kept (they are no JWTs). Changing it signs everybody out. "
        "A random one is made when absent.",
        "Server",
        example="a long random text",
    )
    session_timeout: Annotated[int, Field(ge=60, le=366 * 86400)] = _setting(
        7 * 86400, "Seconds after which an unused session ends.", "Server", example="604800"
    )
    log_level: LogLevel = _setting("info", "debug, info, warning, error or critical.", "Logs", example="info")
    debug: bool = _setting(
        False, "Log at level debug and say more in the log. Never shown to a client.", "Logs", example="false"
    )
    log_all_events: bool = _setting(
        False, "Write every event of every task to the log as well, with secrets removed.", "Logs", example="false"
    )
    twinseat_passphrase: SecretStr | None = _setting(
        None,
        "Opens the encrypted key file that is used where the system has no keyring.",
        "Keys",
        example="a long passphrase",
    )
    twinseat_data_dir: Path | None = _setting(
        None, "Where tasks, settings and logs are kept.", "Folders", example="~/.local/share/twinseat"
    )
    twinseat_cache_dir: Path | None = _setting(
        None, "Where the editor is installed.", "Folders", example="~/.cache/twinseat"
    )
    twinseat_env_file: Path | None = _setting(
        None, "A file of settings to read in place of `.env`.", "Folders", example="~/twinseat.env"
    )

    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    """Files that settings were read from, which may hold keys."""

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @property
    def paths(self) -> Paths:
        return Paths.find(self.twinseat_data_dir, self.twinseat_cache_dir)

    @property
    def port(self) -> int | None:
        """The port asked for, if any."""
        return self.app_port or self.backend_port

    @property
    def base(self) -> Path:
        """Where new workspaces are made."""
        return (self.workspace_base or self.workspace_mount_path or Path("~/Twinseat")).expanduser().absolute()

    @property
    def origins(self) -> tuple[str, ...]:
        """ALLOWED_ORIGINS without those that were refused with a warning."""
        return tuple(one for one in _split(self.allowed_origins) if _origin(one))

    @property
    def level(self) -> LogLevel:
        return "debug" if self.debug else self.log_level


_FOUND = ("warnings", "files")
"""What reading the settings found; no settings themselves."""


def names() -> list[str]:
    """Every setting's name in the environment."""
    return [field.upper() for field in Config.model_fields if field not in _FOUND]


def load(*, environ: Mapping[str, str] | None = None, directory: Path | None = None, **flags: Any) -> Config:
    """Read everything. A value that can't be used is left out and named in `warnings`; nothing here raises."""
    environ = os.environ if environ is None else environ
    warnings: list[str] = []
    files: list[Path] = []
    values = _gather(environ, directory or Path.cwd(), warnings, files)
    values.update({name: value for name, value in flags.items() if value is not None})
    while True:
        try:
            config = Config.model_validate(values)
            break
        except ValidationError as error:
            bad = {str(one["loc"][0]): one["msg"] for one in error.errors(include_input=False, include_url=False)}
            for name, reason in bad.items():
                values.pop(name, None)
                warnings.append(f"{name.upper()} was ignored: {reason[:1].lower()}{reason[1:]}.")
    warnings += _differences(config, values)
    for name in values:
        value = getattr(config, name, None)
        if isinstance(value, SecretStr):
            register(value.get_secret_value())
    return config.model_copy(update={"warnings": tuple(warnings), "files": tuple(files)})


def find_env_file(directory: Path, environ: Mapping[str, str], warn: Callable[[str], None]) -> Path | None:
    """The `.env` to read, if any: the one named by TWINSEAT_ENV_FILE, else the working directory's.

    A working directory that is somebody's project (it lies in a repository other than Twinseat's own) may hold a
    file that the user has never looked at, so it is left alone and the warning says so.
    """
    named = environ.get("TWINSEAT_ENV_FILE")
    if named:
        file = Path(named).expanduser()
        if file.is_file():
            return file
        warn(f"TWINSEAT_ENV_FILE was ignored: there is no file {file}.")
        return None
    file = directory / ".env"
    if not file.is_file():
        return None
    home = Path(__file__).resolve().parent.parent
    inside = directory.resolve()
    if inside != home and any((folder / mark).exists() for folder in (inside, *inside.parents) for mark in _PROJECT):
        warn(
            f"The .env in {directory} was not read, since it belongs to a project; to use it, set "
            "TWINSEAT_ENV_FILE to its path."
        )
        return None
    return file


_PROJECT = (".git", ".hg", ".svn", ".jj")
_FOLDERS = {"TWINSEAT_DATA_DIR", "TWINSEAT_CACHE_DIR", "TWINSEAT_ENV_FILE"}
"""The window needs these before it could read a file, so they come from the environment alone."""


def _gather(environ: Mapping[str, str], directory: Path, warnings: list[str], files: list[Path]) -> dict[str, Any]:
    sources: list[tuple[str, Mapping[str, str]]] = [("the environment", environ)]
    file = find_env_file(directory, environ, warnings.append)
    if file is not None:
        try:
            sources.append((str(file), _dotenv(file)))
            files.append(file.absolute())
        except (OSError, UnicodeDecodeError) as error:
            warnings.append(f"{file} was ignored: {error}.")
    values: dict[str, Any] = {}
    found: dict[str, str] = {}
    for name in names():
        for where, source in sources[:1] if name in _FOLDERS else sources:
            value = _value(name, source, where, warnings, files)
            if value is not None:
                values[name.lower()] = value
                found[name] = where
                break
    named = environ.get("TWINSEAT_ENV_FILE")
    if not named and found.get("LLM_API_KEY") == "the environment" != found.get("LLM_BASE_URL", "the environment"):
        # The working directory may be a stranger's project, unpacked and not cloned.
        del values["llm_base_url"]
        warnings.append(
            f"LLM_BASE_URL in {found['LLM_BASE_URL']} was ignored, since LLM_API_KEY comes from the environment and is "
            "sent nowhere that a file in the working directory names; set both in the same place."
        )
    return values


def _dotenv(file: Path) -> dict[str, str]:
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(file, interpolate=False).items() if value is not None}


def _value(name: str, source: Mapping[str, str], where: str, warnings: list[str], files: list[Path]) -> str | None:
    """An empty value is an absent one: `.env.example` has every name with nothing behind it."""
    plain = source.get(name) or None
    pointer = source.get(f"{name}_FILE") or None
    if pointer is None:
        return plain
    if plain is not None:
        warnings.append(f"{name}_FILE in {where} was ignored, since {name} is set there too.")
        return plain
    try:
        file = Path(pointer).expanduser().absolute()
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        warnings.append(f"{name}_FILE was ignored: {pointer} can't be read ({reason}).")
        return None
    files.append(file)
    return text or None


def _differences(config: Config, values: Mapping[str, Any]) -> list[str]:
    """What was set and is not honoured as it was meant, each by name with what took its place."""
    found: list[str] = []
    for name in values:
        field = Config.model_fields.get(name)
        extra = field.json_schema_extra if field is not None else None
        instead = extra.get("instead") if isinstance(extra, dict) else None
        if instead:
            found.append(f"{name.upper()} is ignored: {instead}.")
    if config.app_port and config.backend_port and config.app_port != config.backend_port:
        found.append("BACKEND_PORT is ignored: page and API share one port, and APP_PORT is set.")
    if config.workspace_base and config.workspace_mount_path:
        found.append("WORKSPACE_MOUNT_PATH is ignored: nothing is mounted here, and WORKSPACE_BASE is set.")
    found.extend(
        f"ALLOWED_ORIGINS: {one!r} is ignored, since it is no origin like https://cockpit.example.com."
        for one in _split(config.allowed_origins)
        if not _origin(one)
    )
    if config.jwt_secret and len(config.jwt_secret.get_secret_value()) < 16:
        found.append("JWT_SECRET is shorter than 16 characters; it is mixed with a random one.")
    if not config.llm_model and (config.llm_api_key or config.llm_base_url):
        found.append("LLM_API_KEY and LLM_BASE_URL do nothing until LLM_MODEL names a model.")
    return found


def _split(text: str) -> list[str]:
    return [one.strip().rstrip("/") for one in text.split(",") if one.strip()]


def _origin(text: str) -> bool:
    scheme, separator, host = text.partition("://")
    return scheme in ("http", "https") and bool(separator) and bool(host) and not set(host) & set("/?#@* ")


def documentation() -> str:
    """docs/configuration.md."""
    lines = [
        "# Configuration",
        "",
        "Generated by `python -m app.config --docs`; change the declarations in `app/config.py`, not this page.",
        "",
        "Settings are read from a command's flags, then the environment, then a file `.env` in the working directory.",
        "Each `NAME` can also be given as `NAME_FILE`, the path of a file that holds the value. An empty value counts",
        "as absent. A value that can't be used is named, with the reason, in the settings and by `twinseat doctor`.",
        "",
        "A `.env` inside somebody's repository is not read: a project must not be able to choose your model or to open",
        "the app to other hosts. Name such a file in `TWINSEAT_ENV_FILE` if you do want it.",
        "",
        "What you change while the app runs (theme, mode, budget, …) is in `settings.json` in the data folder.",
    ]
    groups: dict[str, list[str]] = {}
    for name, field in Config.model_fields.items():
        extra = field.json_schema_extra
        if name in _FOUND or not isinstance(extra, dict):
            continue
        text = field.description or ""
        if extra.get("instead"):
            text += f" *Ignored, with a warning: {extra['instead']}.*"
        default = field.default
        shown = f"`{default}`" if default not in (None, "") else "none"
        example = (field.examples or [""])[0]
        groups.setdefault(str(extra["group"]), []).append(f"| `{name.upper()}` | {text} | {shown} | `{example}` |")
    for group, rows in groups.items():
        lines += ["", f"## {group}", "", "| Name | Meaning | Default | Example |", "|---|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--docs"]:
        sys.stdout.write(documentation())
    else:
        sys.exit("usage: python -m app.config --docs")
