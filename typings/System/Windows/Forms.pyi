# ruff: noqa: N802
# What app/desktop/winforms.py uses of Windows Forms. Signatures after Microsoft's documentation.
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Self

from System.Drawing import Color

class Event:
    def __iadd__(self, handler: Callable[[object, object], None]) -> Self: ...

class DockStyle(Enum):
    Left = 3
    Fill = 5

class Keys(Enum):
    F6 = 117

class FormWindowState(Enum):
    Normal = 0
    Minimized = 1
    Maximized = 2

class DialogResult(Enum):
    Cancel = 2
    Yes = 6
    No = 7

class MessageBoxButtons(Enum):
    YesNoCancel = 3

class MessageBoxIcon(Enum):
    Question = 32

class MessageBox:
    @staticmethod
    def Show(
        owner: object, text: str, caption: str, buttons: MessageBoxButtons, icon: MessageBoxIcon
    ) -> DialogResult: ...

class Rectangle:
    X: int
    Y: int
    Width: int
    Height: int

class Screen:
    AllScreens: Sequence[Screen]
    Primary: bool
    Bounds: Rectangle

class ControlCollection:
    def Add(self, control: object) -> None: ...
    def SetChildIndex(self, control: object, index: int) -> None: ...

class Control:
    Width: int
    Dock: DockStyle
    BackColor: Color
    Controls: ControlCollection

class Panel(Control): ...

class Splitter(Control):
    MinSize: int
    MinExtra: int
    SplitterMoved: Event
    DoubleClick: Event
