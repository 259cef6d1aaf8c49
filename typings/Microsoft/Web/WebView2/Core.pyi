from enum import Enum

class CoreWebView2PermissionState(Enum):
    Default = 0
    Allow = 1
    Deny = 2
