"""Where things are kept. Imports nothing heavy, so that the window can use it too."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True)
class Paths:
    """The folders of one installation. `data` belongs to its owner alone; `cache` can be deleted at any time."""

    data: Path
    cache: Path

    @classmethod
    def find(cls, data: Path | None = None, cache: Path | None = None) -> "Paths":
        """From the arguments, else `TWINSEAT_DATA_DIR` and `TWINSEAT_CACHE_DIR`, else the platform's custom."""
        data = data or _named("TWINSEAT_DATA_DIR") or Path(platformdirs.user_data_dir("twinseat", appauthor=False))
        cache = cache or _named("TWINSEAT_CACHE_DIR") or Path(platformdirs.user_cache_dir("twinseat", appauthor=False))
        return cls(data.expanduser().absolute(), cache.expanduser().absolute())

    def create(self) -> None:
        """Make the folders; `data` is readable by its owner only. Raises OSError."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name == "posix":
            self.data.chmod(0o700)
        for folder in (self.logs, self.editor, self.agent, self.keeper):
            folder.mkdir(exist_ok=True, mode=0o700)
        self.cache.mkdir(parents=True, exist_ok=True)

    @property
    def lock(self) -> Path:
        return self.data / "lock"

    @property
    def endpoint(self) -> Path:
        return self.data / "endpoint.json"

    @property
    def journal(self) -> Path:
        return self.data / "journal.sqlite"

    @property
    def settings(self) -> Path:
        return self.data / "settings.json"

    @property
    def models(self) -> Path:
        return self.data / "models.json"

    @property
    def sessions(self) -> Path:
        return self.data / "sessions.json"

    @property
    def remembered(self) -> Path:
        """The backend's ports and the bridge's token, which outlive it."""
        return self.data / "remembered.json"

    @property
    def secret_names(self) -> Path:
        """Names of the stored secrets and where each is kept; never a value."""
        return self.data / "secrets.json"

    @property
    def encrypted_keys(self) -> Path:
        return self.data / "keys.enc"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def editor(self) -> Path:
        return self.data / "editor"

    @property
    def agent(self) -> Path:
        return self.data / "agent"

    @property
    def keeper(self) -> Path:
        return self.data / "keeper"

    @property
    def window(self) -> Path:
        return self.data / "window.json"


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, mode 0600: a reader sees the old content or the new, never half of it."""
    scratch = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
