"""A backend that can be killed. Usage: python -m tests.runtimes.stand_in DATA GRACE

Starts one child that detaches a grandchild, prints the keeper's pid and the child's, and waits.
"""

import asyncio
import sys
from pathlib import Path

from app.runtimes.keeper_client import KeeperClient, KeeperPlace
from tests.runtimes.children import spec


async def main(data: Path, grace: float) -> None:
    ready = asyncio.Event()
    client = KeeperClient(lambda known: ready.set() if known.report.state == "ready" else None, lambda: None)
    await client.open(KeeperPlace(data / "keeper", grace))
    await client.start(spec("agent", data, "setsid sleep 1000 & setsid -f sleep 1001; exec sleep 1002", ready=None))
    await ready.wait()
    print(client.pid, client.children["agent"].report.pid, flush=True)
    await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
