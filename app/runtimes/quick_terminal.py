"""Two repairs of the engine's subprocess terminal, made in the agent-server's process only (see the launcher).

`SubprocessTerminal.initialize` starts a bash, sends it a line of set-up and sleeps for 1.0 s: too long for a shell
that is ready after 30 ms (every task's first model request waits for it), too short for one whose start-up files take
longer. Here the sleep is replaced by a question that the shell answers once it has done the set-up.

`clear_screen` looks for the last prompt by line feeds, but a terminal writes carriage return and line feed; so it
never finds it, throws everything away and asks for a new prompt, which may come in the middle of the next command's
output: on a busy machine two of ten first commands were reported without their output, or with the wrong one. The
carriage returns, which reading the screen drops anyway, are dropped when they arrive.
"""

import threading
import time
from typing import Any

LONGEST = 10.0
"""Seconds after which a shell is used as it is, ready or not."""

# The echo of the question holds the two halves apart, so that only the answer matches.
_QUESTION = b"printf '%s%s\\n' twinseat-shell -ready\r"
_ANSWER = "twinseat-shell-ready"


class PromptClock:
    """Stands in for the module `time` in the terminal's module: the long sleep of a start waits for the shell."""

    def __init__(self) -> None:
        self.starting = threading.local()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        terminal: Any = getattr(self.starting, "terminal", None)
        if terminal is None or seconds < 1.0:
            time.sleep(seconds)
            return
        terminal._write_pty(_QUESTION)
        if terminal._wait_for_output(_ANSWER, LONGEST):
            terminal._wait_for_prompt(LONGEST)


def install() -> None:
    """Make the repairs. Raises AttributeError when the engine's terminal is no longer what it was."""
    from openhands.tools.terminal.terminal import subprocess_terminal

    module: Any = subprocess_terminal
    terminal: Any = module.SubprocessTerminal
    clock = PromptClock()
    initialize, add_text = terminal.initialize, terminal._add_text_to_buffer
    for name in ("_write_pty", "_wait_for_output", "_wait_for_prompt", "clear_screen"):
        getattr(terminal, name)

    def started_when_ready(self: Any) -> None:
        clock.starting.terminal = self
        try:
            initialize(self)
        finally:
            clock.starting.terminal = None

    def without_returns(self: Any, text: str) -> None:
        add_text(self, text.replace("\r", ""))

    module.time = clock
    terminal.initialize = started_when_ready
    terminal._add_text_to_buffer = without_returns
