"""How VS Code is set when the user has set nothing, so that it sits well beside the chat.

VS Code's web page takes `configurationDefaults` from its server, but code-server has no flag for them, and an
extension may not set application-wide ones (`telemetry`, `security.workspace.trust`). So the installer adds one
expression to the server's page configuration (app.editor.patches) that reads them from the environment. They are real
defaults: in force from the first paint, without touching the user's settings file, and the user can change each.
"""

import json
from typing import Literal

Setting = str | bool | int

VARIABLE = "VSCODE_TWINSEAT_DEFAULTS"

DEFAULTS: dict[str, Setting] = {
    # Nothing leaves the machine that the user did not ask for.
    "telemetry.telemetryLevel": "off",
    "telemetry.feedback.enabled": False,
    "workbench.enableExperiments": False,
    "workbench.settings.enableNaturalLanguageSearch": False,
    "npm.fetchOnlinePackageInfo": False,
    "update.mode": "none",
    "update.showReleaseNotes": False,
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "extensions.ignoreRecommendations": True,
    "git.autofetch": False,
    # The agent is in the pane beside it.
    "chat.disableAIFeatures": True,
    "chat.commandCenter.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    # No welcome pages, no tips; a narrow window keeps its room.
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.welcomePage.walkthroughs.openOnInstall": False,
    "workbench.layoutControl.enabled": False,
    "window.commandCenter": False,
    "window.menuBarVisibility": "compact",
    # Both seats work on the same files: what the user types is on disk before the agent reads.
    "files.autoSave": "afterDelay",
    "files.autoSaveDelay": 500,
    # A preview gets an origin of its own from the cockpit; looking for ports means a `ps` every few seconds.
    "remote.autoForwardPorts": False,
    "remote.autoForwardPortsSource": "output",
    "remote.restoreForwardedPorts": False,
    "git.openRepositoryInParentFolders": "never",
    "workbench.preferredDarkColorTheme": "Dark Modern",
    "workbench.preferredLightColorTheme": "Light Modern",
}

# Restricted Mode without questions: the decision is asked for in the cockpit, once.
RESTRICTED: dict[str, Setting] = {
    "security.workspace.trust.enabled": True,
    "security.workspace.trust.startupPrompt": "never",
    "security.workspace.trust.banner": "never",
    "git.enabled": False,
    "json.schemaDownload.enable": False,
    "npm.autoDetect": "off",
    "task.allowAutomaticTasks": "off",
    "typescript.disableAutomaticTypeAcquisition": True,
}


def defaults(*, trusted: bool, theme: Literal["dark", "light"] | None = None) -> str:
    """The settings as JSON, for the environment variable `VARIABLE` of code-server. Without a theme: the system's."""
    settings = DEFAULTS | ({} if trusted else RESTRICTED)
    if theme is None:
        settings["window.autoDetectColorScheme"] = True
    else:
        settings["workbench.colorTheme"] = "Dark Modern" if theme == "dark" else "Light Modern"
    return json.dumps(settings)
