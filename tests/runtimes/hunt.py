"""Run as an ordinary user: starts the local runtime, has the real agent-server run the hunter, prints what came of it.

Usage: python -m tests.runtimes.hunt HOME shielded|bare
"""

# ruff: noqa: ASYNC220
import asyncio
import hashlib
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import aiohttp

from app.runtimes import process
from app.runtimes.contract import Place
from app.runtimes.local import LocalRuntime
from app.runtimes.shield import Shield, probe

HUNTER = Path(__file__).with_name("hunter.py")


async def main(home: Path, shielded: bool) -> None:
    process.hide()  # as the backend does
    data, workspace, runtime_dir = home / "data", home / "project", home / "run"
    for folder in (data, workspace, runtime_dir):
        folder.mkdir(mode=0o700, exist_ok=True)
    model_key, other_secret, other_session = (secrets.token_hex(32) for _ in range(3))
    (home / ".env").write_text(f"LLM_API_KEY={model_key}")
    bus = runtime_dir / "bus"
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", f"--address=unix:path={bus}", "--print-address"],
        stdout=subprocess.PIPE,
    )
    assert daemon.stdout is not None
    daemon.stdout.readline()
    environment = dict(os.environ) | {
        "XDG_RUNTIME_DIR": str(runtime_dir),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}",
        "LLM_API_KEY": model_key,
        "OH_SECRET_KEY": other_secret,
        "SESSION_API_KEY": other_session,
    }
    around = probe() if shielded else Shield(None, "it was left out for this test")
    runtime = LocalRuntime(data, hidden=[home / ".env"], base=environment, around=around)
    place = Place("one", str(workspace), trusted=True)
    try:
        await runtime.start(place)
        status = runtime.status(place)
        assert status.state == "ready", status
        endpoint = runtime.agent(place)
        session_key = endpoint.headers["X-Session-API-Key"]
        kept = [(data / "keeper" / name).read_text() for name in ("secret", "agent.key")]
        hunted = {"session key": session_key, "keeper's secret": kept[0], "agent's key": kept[1]}
        hunted |= {"model key": model_key, "foreign secret key": other_secret, "foreign session key": other_session}
        digests = {hashlib.sha256(value.encode()).hexdigest(): name for name, value in hunted.items()}
        port = endpoint.url.rpartition(":")[2]
        command = f"HUNTED_BUS={bus} HUNTED_PORT={port} {sys.executable} -I {HUNTER} {data} {' '.join(digests)}"
        async with (
            aiohttp.ClientSession(headers=dict(endpoint.headers)) as client,
            client.post(
                f"{endpoint.url}/api/bash/execute_bash_command",
                json={"command": command, "cwd": str(workspace), "timeout": 200},
            ) as answer,
        ):
            said = await answer.json()
        assert said["exit_code"] == 0, said
        result = json.loads(said["stdout"])
        result["found"] = [[digests[digest], where] for digest, where in result["found"]]
        log = (data / "logs" / "agent.log").read_text()
        logged = [name for name, value in hunted.items() if value in log]
        print(json.dumps(result | {"place": status.place, "logged": logged}))
    finally:
        await runtime.close(end=True)
        daemon.terminate()
        daemon.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2] == "shielded"))
