"""What children may know of the backend's environment: an allow-list, never a deny-list.

`LLM_API_KEY`, `DAYTONA_API_KEY`, `JWT_SECRET` and whatever a later release reads are absent because they are not
named here. An agent's tools inherit this environment, so everything in it is public to the agent.
"""

import os
from collections.abc import Mapping

# Who and where; tool chains that a project's build needs to find; the network as the user's company set it up; Windows.
_NAMED = """
HOME LOGNAME USER SHELL PATH PWD LANG LANGUAGE TZ TERM COLORTERM TMPDIR HOSTNAME

JAVA_HOME GOPATH GOROOT GOBIN CARGO_HOME RUSTUP_HOME NVM_DIR NVM_BIN VOLTA_HOME PNPM_HOME BUN_INSTALL DENO_DIR
PYENV_ROOT UV_CACHE_DIR UV_PYTHON_INSTALL_DIR CONDA_EXE CONDA_PREFIX RBENV_ROOT GEM_HOME GEM_PATH DOTNET_ROOT
ANDROID_HOME ANDROID_SDK_ROOT MISE_DATA_DIR ASDF_DIR SDKMAN_DIR MANPATH PKG_CONFIG_PATH

HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy SSL_CERT_FILE SSL_CERT_DIR
REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO
PIP_INDEX_URL PIP_CERT UV_INDEX_URL UV_DEFAULT_INDEX NPM_CONFIG_REGISTRY npm_config_registry GOPROXY

APPDATA LOCALAPPDATA COMSPEC PATHEXT PROGRAMDATA PROGRAMFILES SYSTEMDRIVE SYSTEMROOT TEMP TMP USERNAME
USERPROFILE WINDIR
"""
_NAMES = frozenset(_NAMED.split())
_PREFIXES = ("LC_", "XDG_")
_EDITOR_ONLY = frozenset(("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "SSH_AUTH_SOCK", "GIT_ASKPASS", "EDITOR"))
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def for_child(environment: Mapping[str, str] | None = None, *, personal: bool = False) -> dict[str, str]:
    """A child's environment. `personal` adds what the user's own terminal in a trusted editor wants: the SSH agent,
    the display. An agent never gets them: with the SSH agent it could push, with the display it could type.

    Model calls go to our gateway on the loopback, so a proxy is told to stay out of those.
    """
    environment = os.environ if environment is None else environment
    chosen = {
        name: value
        for name, value in environment.items()
        if name in _NAMES or name.upper().startswith(_PREFIXES) or (personal and name in _EDITOR_ONLY)
    }
    chosen.setdefault("PATH", os.defpath)
    chosen.setdefault("LANG", "C.UTF-8")
    if any(name.lower().endswith("_proxy") for name in chosen):
        for name in ("NO_PROXY", "no_proxy"):
            listed = [entry for entry in environment.get(name, "").split(",") if entry]
            chosen[name] = ",".join([*listed, *(host for host in _LOOPBACK if host not in listed)])
    return chosen
