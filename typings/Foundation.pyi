# ruff: noqa: N802
# What app/desktop/cocoa.py uses of PyObjC's Foundation. Signatures after Apple's documentation.
from collections.abc import Mapping
from typing import Self

class NSPoint:
    x: float
    y: float

class NSSize:
    width: float
    height: float

class NSRect:
    origin: NSPoint
    size: NSSize

class NSObject:
    @classmethod
    def alloc(cls) -> Self: ...
    def init(self) -> Self: ...
    @classmethod
    def respondsToSelector_(cls, selector: str) -> bool: ...

class NSURL(NSObject):
    @classmethod
    def URLWithString_(cls, text: str) -> NSURL | None: ...
    @classmethod
    def fileURLWithPath_(cls, path: str) -> NSURL: ...
    def absoluteString(self) -> str: ...

class NSURLRequest(NSObject):
    @classmethod
    def requestWithURL_(cls, url: NSURL | None) -> NSURLRequest: ...
    def URL(self) -> NSURL | None: ...

class NSError(NSObject):
    def code(self) -> int: ...
    def localizedDescription(self) -> str: ...
    def userInfo(self) -> Mapping[str, object]: ...

class NSUUID(NSObject):
    def initWithUUIDString_(self, text: str) -> Self: ...
