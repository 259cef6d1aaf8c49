"""`python -m tests.bench.report FILE.json PYTEST.log`: a benchmark's JSON and the tests' end as a page to commit."""

import json
import re
import sys
from pathlib import Path
from typing import Any

_TOLD = ("name", "what", "ok", "error")


def page(measured: dict[str, Any], log: str) -> str:
    """Markdown."""
    closing = re.findall(r"^=*\s?(\d+ (?:passed|failed).*?)=*$", log, re.M)
    lines = [
        f"# Qualification, {measured['when'][:10]}",
        "",
        f"Commit {measured['commit']}, {measured['cores']} cores, {measured['memory_gb']} GB, Python"
        f" {measured['python']}.",
        "",
        f"Tests, with full counts: **{closing[-1].strip() if closing else 'did not end'}**.",
        "",
        "| Measured | Figures | Reached |",
        "|---|---|---|",
    ]
    for row in measured["rows"]:
        figures = ", ".join(f"{name} {_figure(value)}" for name, value in row.items() if name not in _TOLD)
        verdict = "yes" if row.get("ok") else f"no: {row['error']}" if "error" in row else "**no**"
        lines.append(f"| {row.get('what', row['name'])} | {figures} | {verdict} |")
    lines += ["", f"Short of what was to be reached: {', '.join(measured['short']) or 'nothing'}.", ""]
    return "\n".join(lines)


def _figure(value: object) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {one}" for name, one in value.items()) + ")"
    return str(value)


if __name__ == "__main__":
    json_file, log_file = (Path(one) for one in sys.argv[1:3])
    sys.stdout.write(page(json.loads(json_file.read_text()), log_file.read_text()))
