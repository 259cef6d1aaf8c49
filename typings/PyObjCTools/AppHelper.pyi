# ruff: noqa: N802
from collections.abc import Callable

def callAfter(function: Callable[..., object], *arguments: object) -> None: ...
