"""Nodes of one site that share tables through one log, in one process."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.database import MEMORY, Database
from app.domain.events import Event
from app.log import EventLog, LogUnavailable, Record
from app.log.memory import MemoryLog
from app.sharing import SharedDatabase
from app.sharing.parts import SHARED
from tests.logs import Clock
from tests.waiting import until

ALONE, AMONG_NODES = "alone", "among nodes"

ADD = "INSERT INTO thing (name, size) VALUES (?, ?)"
COUNT = "UPDATE counter SET number = number + 1"
PARTS: Mapping[str, Sequence[str]] = {
    "things": (
        """CREATE TABLE thing (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, size ANY
        ) STRICT""",
        "CREATE TABLE counter (number INTEGER NOT NULL) STRICT",
        "INSERT INTO counter VALUES (0)",
        """CREATE TABLE place (
            street TEXT NOT NULL, door INTEGER NOT NULL, who BLOB, PRIMARY KEY (street, door)
        ) STRICT, WITHOUT ROWID""",
        "CREATE TABLE note (key TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL) STRICT",
    )
}


class Wire:
    """One node's way to the common log: it may be slow, cut, or lose an acknowledgement."""

    def __init__(self, log: EventLog, delay: Callable[[], float] = lambda: 0.0) -> None:
        self._log = log
        self._delay = delay
        self.is_cut = False
        self.loses_answers = False
        self.lost_by_chance: Callable[[], bool] = lambda: False
        self.unreadable = False
        self.lets_through = asyncio.Event()
        self.lets_through.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, events: Sequence[Event], rid: str | None = None) -> int:
        await asyncio.sleep(self._delay())
        if self.is_cut:
            raise LogUnavailable("The wire is cut.")
        seq = await self._log.append(events, rid)
        await asyncio.sleep(self._delay())
        if self.loses_answers or self.lost_by_chance():
            raise LogUnavailable("The answer was lost.")
        return seq

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Record]]:
        async for records in self._log.follow(after):
            await asyncio.sleep(self._delay())
            await self.lets_through.wait()
            if self.unreadable:
                raise LogUnavailable("Nothing comes through.")
            yield records


@dataclass
class Node:
    """One node: its own database, its wire, and what it shares."""

    path: str
    wire: Wire
    database: Database
    shared: SharedDatabase

    async def write(self, sql: str, *parameters: object) -> None:
        await self.shared.write(lambda connection: connection.execute(sql, parameters))

    async def read(self, sql: str) -> list[tuple[Any, ...]]:
        return await self.shared.read(sql)

    async def close(self) -> None:
        await self.shared.close()
        await self.database.close()


class Site:
    """The common log and the nodes that were opened on it."""

    def __init__(self, log: EventLog | None = None) -> None:
        self.clock = Clock()
        self.log: EventLog = log or MemoryLog(self.clock)
        self.nodes: list[Node] = []

    async def node(
        self,
        path: Path | str = MEMORY,
        parts: Mapping[str, Sequence[str]] = PARTS,
        delay: Callable[[], float] = lambda: 0.0,
    ) -> Node:
        database = await Database.open(str(path))
        wire = Wire(self.log, delay)
        try:
            shared = await SharedDatabase.open(database, wire, parts)
        except BaseException:
            await database.close()
            raise
        self.nodes.append(Node(str(path), wire, database, shared))
        return self.nodes[-1]

    async def settled(self) -> None:
        """Every node has read all that is in the log."""
        await until(lambda: all(each.shared.seen >= self.log.last_seq for each in self.nodes))

    async def agreed(self) -> str:
        """The digest, which is the same on all nodes."""
        await self.settled()
        [digest] = {await node.shared.digest() for node in self.nodes}
        assert len({node.shared.version for node in self.nodes}) == 1
        return digest

    async def close(self) -> None:
        for node in self.nodes:
            await node.close()
        await self.log.close()


@asynccontextmanager
async def opened_site(*, nodes: int = 0, delay: Callable[[], float] = lambda: 0.0):
    site = Site()
    try:
        for _ in range(nodes):
            await site.node(delay=delay)
        yield site
    finally:
        await site.close()


def chance_of(seed: int, longest_s: float = 0.003) -> Callable[[], float]:
    """Delays by chance, many of them none."""
    chance = random.Random(seed)
    return lambda: max(0.0, chance.uniform(-longest_s, longest_s))


@asynccontextmanager
async def opened_tables(kind: str, path: str) -> AsyncIterator[Database | SharedDatabase]:
    """What parts keep their rows in: of this process alone, or of nodes (here of a single one)."""
    if kind == ALONE:
        database = await Database.open(path)
        yield database
        await database.close()
        return
    site = Site()
    node = await site.node(path, SHARED)
    node.shared.rough_s = 0.0
    yield node.shared
    await site.close()
