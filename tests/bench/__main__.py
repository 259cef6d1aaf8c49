"""`make bench`: every row of the speed table as JSON. Names choose measurements; progress is on stderr."""

import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any

import psutil

MEASUREMENTS = ("launch", "steps", "relay", "paint", "editor_proxy", "history", "gateway", "memory", "page")


def main(chosen: list[str]) -> int:
    """Zero when everything could be measured, whether or not it reached what it should."""
    unknown = set(chosen) - set(MEASUREMENTS)
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(MEASUREMENTS)}")
    rows: list[dict[str, Any]] = []
    broken = False
    for name in chosen or MEASUREMENTS:
        began = time.monotonic()
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            found = importlib.import_module(f"tests.bench.{name}").run()
            rows += found if isinstance(found, list) else [found]
        except Exception as error:
            traceback.print_exc()
            rows.append({"name": name, "ok": False, "error": f"{type(error).__name__}: {error}"[:500]})
            broken = True
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    short = [row["name"] for row in rows if not row.get("ok")]
    print(
        json.dumps(
            {"when": datetime.now(UTC).isoformat(timespec="seconds"), **_machine(), "rows": rows, "short": short},
            indent=2,
        )
    )
    return int(broken)


def _machine() -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "commit": commit.stdout.strip(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "load": round(os.getloadavg()[0], 2),
        "python": sys.version.split()[0],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
