"""`settings.json`: what the user changes while it runs."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.config import Config
from app.paths import write_private
from app.problems import Fault
from app.schemas import Settings, SettingsPatch

_NULLABLE = {"default_budget_usd", "default_model_id"}


class SettingsFile:
    """The settings as they are now. A broken file is put aside, the defaults are used, and a warning says so."""

    def __init__(self, path: Path, config: Config) -> None:
        self._path = path
        self._config = config
        self._warnings = list(config.warnings)
        self._watchers: list[Callable[[Settings], None]] = []
        self._stored = self._load()

    @property
    def value(self) -> Settings:
        shown = self._stored.model_copy(update={"warnings": list(self._warnings)})
        if self._config.workspace_base or not shown.workspace_base:
            shown.workspace_base = str(self._config.base)
        return shown

    @property
    def base(self) -> Path:
        """The folder for new workspaces."""
        return Path(self.value.workspace_base).expanduser()

    def warn(self, sentence: str) -> None:
        """Show it among the settings' warnings."""
        if sentence not in self._warnings:
            self._warnings.append(sentence)

    def watch(self, changed: Callable[[Settings], None]) -> None:
        """Call `changed` after every change, in the thread that made it."""
        self._watchers.append(changed)

    def patch(self, patch: SettingsPatch) -> Settings:
        """Change what is named. Null clears a budget or a model and is ignored elsewhere. Raises Fault."""
        changes = {
            name: value
            for name, value in patch.model_dump(exclude_unset=True).items()
            if value is not None or name in _NULLABLE
        }
        base = changes.get("workspace_base")
        if base:
            if not Path(str(base)).expanduser().is_absolute():
                raise Fault(
                    code="not-absolute",
                    status=422,
                    title="Not a full path",
                    detail="The folder for new workspaces must be given by its full path.",
                    remedy="Begin with / or ~ (on Windows with the drive).",
                )
            if self._config.workspace_base:
                self.warn("The folder for new workspaces comes from WORKSPACE_BASE in the environment.")
        budget = changes.get("default_budget_usd")
        if isinstance(budget, int | float) and budget <= 0:
            raise Fault(
                code="budget",
                status=422,
                title="Not a budget",
                detail="A budget is an amount of dollars above zero.",
                remedy="Leave it empty for none.",
            )
        updated = self._stored.model_copy(update=changes)
        try:
            write_private(self._path, updated.model_dump_json(indent=2, exclude={"warnings"}))
        except OSError as error:
            raise Fault.of(error, "the settings file") from error
        self._stored = updated
        value = self.value
        for watcher in self._watchers:
            watcher(value)
        return value

    def _load(self) -> Settings:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Settings()
        except (OSError, UnicodeDecodeError) as error:
            return self._put_aside(str(error))
        try:
            found: Any = json.loads(text)
            # A newer version's extra settings are no damage.
            known = {name: found[name] for name in Settings.model_fields if name in found and name != "warnings"}
            return Settings.model_validate(known)
        except ValidationError as error:
            names = ", ".join(str(one["loc"][0]) for one in error.errors(include_input=False, include_url=False))
            return self._put_aside(f"{names} can't have the value that is there")
        except (ValueError, TypeError, RecursionError):
            return self._put_aside("it is no valid JSON")

    def _put_aside(self, reason: str) -> Settings:
        aside = self._path.with_suffix(".broken.json")
        with contextlib.suppress(OSError):
            self._path.replace(aside)
        self.warn(f"The settings file could not be used ({reason}); it is now {aside.name}, and the defaults are used.")
        return Settings()
