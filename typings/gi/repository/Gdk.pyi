from enum import Enum, IntFlag

CURRENT_TIME: int
KEY_F6: int
KEY_0: int
KEY_KP_Add: int
KEY_KP_Subtract: int
KEY_equal: int
KEY_minus: int
KEY_plus: int

class ModifierType(IntFlag):
    SHIFT_MASK = 1
    CONTROL_MASK = 4

class EventType(Enum):
    _2BUTTON_PRESS = 5

class Window: ...

class EventButton:
    type: EventType
    window: Window

class EventKey:
    type: EventType
    time: int
    hardware_keycode: int
    state: ModifierType
    keyval: int

class Rectangle:
    x: int
    y: int
    width: int
    height: int

class RGBA:
    def parse(self, text: str) -> bool: ...

class Monitor:
    def get_geometry(self) -> Rectangle: ...

class Display:
    @staticmethod
    def get_default() -> Display | None: ...
    def get_n_monitors(self) -> int: ...
    def get_monitor(self, index: int) -> Monitor: ...

class Screen:
    @staticmethod
    def get_default() -> Screen | None: ...

def set_program_class(name: str) -> None: ...
