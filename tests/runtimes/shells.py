"""Run in a process of its own, because it imports the engine: the repaired terminal where start-up files are slow."""

import json
import sys
import time

from openhands.tools.terminal.definition import TerminalAction
from openhands.tools.terminal.terminal.factory import create_terminal_session

from app.runtimes import quick_terminal

quick_terminal.install()
said: list[tuple[str, int | None]] = []
starts: list[float] = []
for _ in range(3):
    begun = time.monotonic()
    session = create_terminal_session(work_dir=sys.argv[1], terminal_type="subprocess")
    session.initialize()
    starts.append(time.monotonic() - begun)
    for number in range(5):
        result = session.execute(TerminalAction(command=f"echo he''llo{number}; (exit {number})"))
        said.append((result.text.strip(), result.metadata.exit_code if result.metadata else None))
    result = session.execute(TerminalAction(command="cat <<X\none\ntwo\nX"))
    said.append((result.text.strip(), result.metadata.exit_code if result.metadata else None))
    session.close()
print(json.dumps({"said": said, "starts": starts}))
