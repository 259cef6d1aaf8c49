from collections.abc import Callable
from enum import IntFlag
from typing import Any

class SignalMatchType(IntFlag):
    ID = 1

class Object:
    def connect(self, signal: str, handler: Callable[..., object], *data: object) -> int: ...
    def disconnect(self, handler: int) -> None: ...
    def disconnect_by_func(self, handler: Callable[..., object]) -> None: ...
    def get_property(self, name: str) -> Any: ...
    def set_property(self, name: str, value: object) -> None: ...

def signal_lookup(name: str, of: type) -> int: ...
def signal_handler_find(
    instance: Object,
    mask: SignalMatchType,
    signal: int,
    detail: int,
    closure: object,
    function: object,
    data: object,
) -> int: ...
