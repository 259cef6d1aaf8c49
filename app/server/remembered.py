"""What outlives a backend: its ports, and the token of the editors' bridge."""

import json
import secrets
from dataclasses import asdict, dataclass

from app.paths import Paths, write_private


@dataclass(frozen=True)
class Remembered:
    """What running agents and editors of a former backend know of it, and so has to stay as it was."""

    app: int | None
    gateway: int | None
    bridge: str

    @classmethod
    def read(cls, paths: Paths) -> "Remembered":
        try:
            found = json.loads(paths.remembered.read_text(encoding="utf-8"))
            return cls(int(found["app"]), int(found["gateway"]), str(found["bridge"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(None, None, secrets.token_urlsafe(32))

    def write(self, paths: Paths) -> None:
        write_private(paths.remembered, json.dumps(asdict(self)))
