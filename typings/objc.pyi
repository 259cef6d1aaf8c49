# ruff: noqa: A001
# What app/desktop/cocoa.py uses of PyObjC.
from typing import Any

def super(cls: type, instance: object) -> Any: ...
