class CoreWebView2CreationProperties:
    UserDataFolder: str

class WebView2:
    CreationProperties: CoreWebView2CreationProperties
    Dock: object
