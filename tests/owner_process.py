"""A node of one site in a process of its own, for tests that kill it or put it to sleep.

`python -m tests.owner_process URL NAME CALLS`: it owns the site when it can, obeys commands, and
notes each call of its PBX as a line in the file CALLS before the PBX answers. A command about
phone 999 is one that the PBX never answers. While it is the owner it says so in the log, all the
time. Prints "owner" when it begins to be.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from app.domain.events import PbxAsked
from app.log import EventLog, LogUnavailable
from app.log.address import Address
from app.log.cluster import Cluster
from app.log.lease import Lease
from app.log.memory import MemoryLog
from app.ownership import run_while_owned
from tests.acting import RecordingPbx
from tests.owning import Node

TTL_S = 2.0
SITE = "one"
UNANSWERED = "999"


def wall() -> int:
    return time.time_ns() // 1_000_000


class ShortLeases:
    """A cluster's leases, for tests that wait for their end."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def lease(self, name: str, holder: str) -> Lease:
        return await self._cluster.lease(name, holder, ttl_s=TTL_S)


class NotingPbx(RecordingPbx):
    """Calls go into the file, whoever dies."""

    def __init__(self, name: str, calls: Path) -> None:
        super().__init__(MemoryLog(wall))
        self.reports = False
        self._name = name
        self._file = calls

    async def _hear(self, *words: str) -> None:
        with self._file.open("a") as file:
            file.write(" ".join([self._name, *words]) + "\n")
        if UNANSWERED in words:
            await asyncio.Event().wait()


async def open_node(cluster: Cluster, name: str, calls: Path, answer_s: float = 15.0) -> Node:
    log: EventLog = await cluster.site_log(SITE)
    pbx = cast(RecordingPbx, NotingPbx(name, calls))
    return Node(name, log, ShortLeases(cluster), pbx, wall, answer_s)


async def boast(node: Node) -> None:
    """Once per turn of the loop: so some of it is always on its way."""
    sys.stdout.write("owner\n")
    sys.stdout.flush()
    while True:
        words: Sequence[PbxAsked] = [PbxAsked(error=f"{node.name} owns it")]
        try:
            await node.owners_log.append(words)
        except LogUnavailable:
            await asyncio.sleep(0.01)


async def main(url: str, name: str, calls: str) -> None:
    cluster = await Cluster.open(Address.parse(url), wall)
    node = await (await open_node(cluster, name, Path(calls))).start()
    await run_while_owned(node.ownership, lambda: boast(node))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
