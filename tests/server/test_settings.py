"""A settings file in any state gives settings."""

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.schemas import Settings, SettingsPatch
from app.settings import SettingsFile
from tests.server.conftest import configuration

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(list(Settings.model_fields)) | st.text(), inner),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(JSON.map(json.dumps) | st.text())
def test_any_content(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    stored = SettingsFile(file, configuration(tmp_path))
    if not file.exists():
        assert (tmp_path / "settings.broken.json").exists()
        assert "settings file could not be used" in stored.value.warnings[0]
    stored.patch(SettingsPatch(theme="light"))
    assert SettingsFile(file, configuration(tmp_path)).value.theme == "light"


def test_newer_and_older_files_keep_what_is_known(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"theme": "dark", "from_the_future": 1}))
    stored = SettingsFile(file, configuration(tmp_path))
    assert stored.value.theme == "dark"
    assert not stored.value.warnings
    assert file.exists()


def test_the_environment_comes_first(tmp_path: Path) -> None:
    stored = SettingsFile(tmp_path / "settings.json", configuration(tmp_path))
    shown = stored.patch(SettingsPatch(workspace_base="/elsewhere"))
    assert shown.workspace_base == str(tmp_path / "base")
    assert "WORKSPACE_BASE" in shown.warnings[0]
