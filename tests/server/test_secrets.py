"""Where keys are kept: a real Secret Service, the passphrase file, memory; never in the clear."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.config import Config
from app.problems import Fault
from app.redact import redact
from app.secrets import SecretStore
from tests.server.conftest import configuration

KEY = "planted-key-value-0042"


def configured(tmp_path: Path, **environ: str) -> Config:
    config = configuration(tmp_path, **environ)
    config.paths.create()
    return config


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring, "get_keyring", Keyring)


SCRIPT = """
import asyncio, os, sys
from pathlib import Path
from app.secrets import SecretStore
from tests.server.test_secrets import KEY, configured

async def main():
    place = Path(sys.argv[1])
    store = SecretStore(configured(place))
    assert await store.where() == "the system keyring", await store.warning()
    assert await store.warning() is None
    await store.set("model:abc", KEY)
    assert await store.get("model:abc") == KEY
    assert await SecretStore(configured(place)).get("model:abc") == KEY
    assert [one.name for one in store.names()] == ["model:abc"]

    from subprocess import run
    lookup = ["secret-tool", "lookup", "service", "twinseat", "username"]
    assert run([*lookup, "model:abc"], capture_output=True, text=True).stdout == KEY
    assert run([*lookup, "twinseat:probe"], capture_output=True, text=True).stdout == ""
    await store.delete("model:abc")
    assert run([*lookup, "model:abc"], capture_output=True, text=True).stdout == ""
    assert await store.get("model:abc") is None
    for file in place.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file

asyncio.run(main())
print("kept and found")
"""


def test_a_real_secret_service(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DBUS", "PYTHON_KEYRING"))}
    environment |= {
        "HOME": str(tmp_path / "home"),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "XDG_DATA_HOME": str(tmp_path / "home/data"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    unlock = "printf '%s' pass | gnome-keyring-daemon --unlock --components=secrets >/dev/null && exec \"$@\""
    command = ["dbus-run-session", "--", "sh", "-c", unlock, "sh", sys.executable]
    done = subprocess.run(
        [*command, str(tmp_path / "script.py"), str(tmp_path / "place")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "kept and found", done.stderr[-3000:]


async def test_the_passphrase_file(tmp_path: Path, no_keyring: None) -> None:
    config = configured(tmp_path, TWINSEAT_PASSPHRASE="correct horse")
    store = SecretStore(config)
    await store.set("model:a", KEY)
    await store.set("daytona", "second-" + KEY)
    assert "encrypted file" in await store.where()
    assert "passphrase" in str(await store.warning())
    file = config.paths.encrypted_keys
    assert file.stat().st_mode & 0o777 == 0o600
    assert KEY not in file.read_text()
    again = SecretStore(config)
    assert await again.get("model:a") == KEY
    await again.delete("model:a")
    assert await SecretStore(config).get("model:a") is None
    assert await SecretStore(config).get("daytona") == "second-" + KEY

    with pytest.raises(Fault) as wrong:
        await SecretStore(configured(tmp_path, TWINSEAT_PASSPHRASE="battery staple")).get("daytona")
    assert wrong.value.code == "passphrase-wrong"
    with pytest.raises(Fault) as missing:
        await SecretStore(configured(tmp_path)).get("daytona")
    assert missing.value.code == "passphrase-missing"
    sealed = json.loads(file.read_text())
    for damaged in ("", "{}", "[]", json.dumps({**sealed, "salt": "?"}), json.dumps({**sealed, "n": "many"})):
        file.write_text(damaged)
        with pytest.raises(Fault) as broken:
            await SecretStore(config).get("daytona")
        assert broken.value.code in ("key-file-broken", "passphrase-wrong")


async def test_memory_is_the_last_resort_and_says_so(tmp_path: Path, no_keyring: None) -> None:
    config = configured(tmp_path)
    store = SecretStore(config)
    await store.set("model:a", KEY)
    assert await store.get("model:a") == KEY
    assert "set TWINSEAT_PASSPHRASE" in str(await store.warning())
    assert await SecretStore(config).get("model:a") is None
    assert KEY not in redact(f"it was {KEY}")


async def test_the_environment_comes_first(tmp_path: Path, no_keyring: None) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    store = SecretStore(configured(tmp_path, DAYTONA_API_KEY_FILE=str(tmp_path / "key")))
    assert await store.get("daytona") == KEY
    assert store.names()[0].where == "the environment"
    with pytest.raises(Fault) as refused:
        await store.set("daytona", "other")
    assert refused.value.code == "secret-from-environment"
    await store.delete("daytona")
    assert await store.get("daytona") == KEY


@pytest.mark.parametrize("name", ["forgets", "plain", "raises", "locked"])
async def test_a_keyring_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    import keyring
    from keyring.backend import KeyringBackend
    from keyring.errors import KeyringLocked

    class Odd(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            return None

        def set_password(self, service: str, username: str, password: str) -> None:
            if name == "raises":
                raise RuntimeError("it fell over")
            if name == "locked":
                raise KeyringLocked

        def delete_password(self, service: str, username: str) -> None:
            return None

    if name == "plain":
        Odd.__module__ = "keyrings.alt.file"
    monkeypatch.setattr(keyring, "get_keyring", Odd)
    store = SecretStore(configured(tmp_path))
    await store.set("daytona", KEY)
    assert "memory" in await store.where()
    assert await store.get("daytona") == KEY
