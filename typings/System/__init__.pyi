# What app/desktop/winforms.py uses of .NET through pythonnet.
from collections.abc import Callable

class Action:
    def __init__(self, function: Callable[[], None]) -> None: ...

class Uri:
    def __init__(self, text: str) -> None: ...
