"""What code run by the agent would try: looks everywhere for keys, knowing only their SHA-256.

Usage: hunter.py DATA_DIR DIGEST… Prints one JSON object: `found` (which, where), `tried` (how much), `reached` (doors
that opened), `visible` (what it sees of the data directory).
"""

# ruff: noqa: PTH207
import contextlib
import ctypes
import glob
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

DATA = Path(sys.argv[1])
DIGESTS = set(sys.argv[2:])
TOKEN = re.compile(rb"(?=([0-9a-f]{64}))")
found: list[list[str]] = []
reached: list[str] = []
tried = {"environ": 0, "fd": 0, "mem": 0, "files": 0, "sockets": 0, "ports": 0, "tmux": 0}


def look(where: str, content: bytes) -> None:
    for token in set(TOKEN.findall(content)):
        digest = hashlib.sha256(token).hexdigest()
        if digest in DIGESTS:
            found.append([digest, where])


def processes() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for folder in glob.glob("/proc/[0-9]*"):
        pid = int(folder[6:])
        for name in ("environ", "cmdline", "auxv", "stack", "syscall"):
            with contextlib.suppress(OSError):
                look(f"{folder}/{name}", Path(f"{folder}/{name}").read_bytes())
                tried["environ"] += 1
        for descriptor in glob.glob(f"{folder}/fd/*"):
            with contextlib.suppress(OSError):
                handle = os.open(descriptor, os.O_RDONLY | os.O_NONBLOCK)
                with contextlib.suppress(OSError):
                    look(descriptor, os.read(handle, 1 << 20))
                os.close(handle)
                tried["fd"] += 1
        if pid != os.getpid():
            with contextlib.suppress(OSError):
                memory(folder)
            if libc.ptrace(16, pid, None, None) == 0:  # PTRACE_ATTACH
                # Its own shell, and bubblewrap's process 1, which holds nothing and may do nothing.
                name = Path(f"{folder}/comm").read_text().strip()
                if name not in ("sh", "bash", "bwrap"):
                    reached.append(f"ptrace {name} {pid}")
                libc.ptrace(17, pid, None, None)


def memory(folder: str) -> None:
    maps = Path(f"{folder}/maps").read_text()
    with Path(f"{folder}/mem").open("rb", buffering=0) as file:
        tried["mem"] += 1
        for line in maps.splitlines():
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            if " r" in line and end - begin < 1 << 28:
                with contextlib.suppress(OSError, ValueError):
                    file.seek(begin)
                    look(f"{folder}/mem", file.read(end - begin))


def files() -> None:
    for root in {DATA, Path.home(), Path("/tmp"), Path("/dev/shm")}:
        for path in root.rglob("*") if root.exists() else ():
            with contextlib.suppress(OSError):
                if path.is_file() and path.stat().st_size < 1 << 24 and path.stat().st_uid == os.getuid():
                    look(str(path), path.read_bytes())
                    tried["files"] += 1


def sockets() -> None:
    named = {line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines()[1:] if len(line.split()) > 7}
    known = {str(path) for root in (DATA, Path.home()) for path in root.rglob("*") if path.is_socket()}
    for name in named | known | {str(DATA / "keeper/socket"), os.environ.get("HUNTED_BUS", "")} - {""}:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            tried["sockets"] += 1
            connection.settimeout(1)
            connection.connect("\0" + name[1:] if name.startswith("@") else name)
            if name in (os.environ.get("HUNTED_BUS"), str(DATA / "keeper/socket")):
                with contextlib.suppress(TimeoutError):
                    greeting = connection.recv(4096)
                    if greeting or name == os.environ.get("HUNTED_BUS"):
                        reached.append(f"{name}: {greeting!r}")


def ports() -> None:
    listening: set[int] = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[1].startswith("0100007F"):
            listening.add(int(fields[1].split(":")[1], 16))
    for port in listening:
        for path in ("/", "/server_info", "/openapi.json", "/api/conversations", "/api/settings", "/api/init"):
            tried["ports"] += 1
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
                    look(f"{port}{path}", answer.read())
                    # Other tests have servers of their own on this machine; they are looked at, not judged.
                    if path.startswith("/api/") and str(port) == os.environ.get("HUNTED_PORT"):
                        reached.append(f"{port}{path}")
            except urllib.error.HTTPError as error:
                look(f"{port}{path}", error.read())
            except (OSError, ValueError):
                pass


def terminals() -> None:
    for path in glob.glob("/tmp/tmux-*/*") + glob.glob(f"{os.environ.get('TMUX_TMPDIR', '/tmp')}/*/*"):
        for order in ("show-environment -g", "list-panes -a"):
            done = subprocess.run(["tmux", "-S", path, *order.split()], capture_output=True, check=False)
            tried["tmux"] += 1
            look(f"tmux {path}", done.stdout)


for hunt in (processes, files, sockets, ports, terminals):
    hunt()
visible = sorted(path.name for path in DATA.iterdir()) if DATA.exists() else []
print(json.dumps({"found": found, "reached": reached, "tried": tried, "visible": visible, "uid": os.getuid()}))
