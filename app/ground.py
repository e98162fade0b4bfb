"""What sites stand on: this process alone, or a cluster of nodes that share logs and tables."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from app.database import MEMORY, Database
from app.ending import END_S, end
from app.log import EventLog, LogUnavailable
from app.log.address import SCHEME, Address
from app.log.open import open_log
from app.log.sqlite import STEPS
from app.ownership import Leased, Leases, Ownership, Sole
from app.settings import Settings
from app.sharing import SharedDatabase
from app.sharing.parts import SHARED
from app.tables import Tables

MISSING = "A log on NATS needs the module {name}. Install pitwall[cluster]."

Clock = Callable[[], int]

logger = logging.getLogger(__name__)


class Ground(Protocol):
    """Where a site's log and tables are, and who of several nodes owns it.

    `node` names this one among several; it is "" where there are no others. Whatever is opened is
    closed with the `stack`.
    """

    node: str

    def ownership(self, site: str) -> Ownership:
        """Of the partition that the site is in."""

    def database(self, settings: Settings) -> str:
        """The path of the database in which a command finds the site's accounts."""

    async def log(
        self, settings: Settings, database: Database, clock: Clock, stack: AsyncExitStack
    ) -> EventLog:
        """The site's events, stamped by the clock."""

    async def tables(self, settings: Settings, database: Database, stack: AsyncExitStack) -> Tables:
        """Where accounts, sessions, the audit and so on are kept."""


class Alone:
    """Everything is in the database of this process."""

    node = ""

    def ownership(self, site: str) -> Ownership:
        return Sole()

    def database(self, settings: Settings) -> str:
        return settings.database

    async def log(
        self, settings: Settings, database: Database, clock: Clock, stack: AsyncExitStack
    ) -> EventLog:
        log = await open_log(settings.log, database, clock)
        stack.push_async_callback(log.close)
        return log

    async def tables(self, settings: Settings, database: Database, stack: AsyncExitStack) -> Tables:
        return database


class Logs(Leases, Protocol):
    """What is used of `app.log.cluster.Cluster`."""

    def partition_of(self, site: str) -> int: ...
    async def site_log(self, site: str, clock: Clock) -> EventLog: ...
    async def sys_log(self, site: str) -> EventLog: ...


class Node:
    """One of several. It applies for the partitions of all sites that it is asked about."""

    def __init__(self, logs: Logs, name: str, on_death: Callable[[], None]) -> None:
        self.node = name
        self._logs = logs
        self._on_death = on_death
        self._leased: dict[int, Leased] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def ownership(self, site: str) -> Ownership:
        partition = self._logs.partition_of(site)
        if partition not in self._leased:
            leased = Leased(self._logs, f"p{partition}", self.node)
            self._leased[partition] = leased
            task = asyncio.create_task(leased.run(), name=f"lease p{partition}")
            task.add_done_callback(self._ended)
            self._tasks.append(task)
        return self._leased[partition]

    def database(self, settings: Settings) -> str:
        """A copy of its own, made from the log: this node's database has one writer already."""
        return MEMORY

    async def log(
        self, settings: Settings, database: Database, clock: Clock, stack: AsyncExitStack
    ) -> EventLog:
        # Whoever looks into these tables finds them empty.
        await database.migrate("log", STEPS)
        if await database.read("SELECT seq FROM event LIMIT 1"):
            raise LogUnavailable(
                f"{settings.database} has a log of its own, which the one on the NATS servers does "
                "not continue. Move the file aside, or set PITWALL_LOG to sqlite:PATH."
            )
        log = await self._logs.site_log(settings.site, clock)
        stack.push_async_callback(log.close)
        return log

    async def tables(self, settings: Settings, database: Database, stack: AsyncExitStack) -> Tables:
        log = await self._logs.sys_log(settings.site)
        stack.push_async_callback(log.close)
        shared = await SharedDatabase.open(database, log, SHARED)
        stack.push_async_callback(shared.close)
        return shared

    async def close(self) -> None:
        """Let others be the owner; what the owner runs has ended before."""
        await asyncio.gather(*(end(task, END_S) for task in self._tasks))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            logger.critical("The %s ended.", task.get_name(), exc_info=task.exception())
            self._on_death()


@asynccontextmanager
async def opened_ground(
    settings: Settings, clock: Clock, on_death: Callable[[], None] = lambda: None
) -> AsyncIterator[Ground]:
    """As PITWALL_LOG says. Raises LogUnavailable, in words for a cluster that must not be used."""
    if not settings.log.startswith(SCHEME):
        yield Alone()
        return
    try:
        # The client is an extra that most installations do without.
        from app.log.cluster import Cluster
    except ModuleNotFoundError as error:
        raise LogUnavailable(MISSING.format(name=error.name)) from error
    cluster = await Cluster.open(Address.parse(settings.log), clock)
    node = Node(cluster, f"{socket.gethostname()}:{settings.port}", on_death)
    try:
        yield node
    finally:
        await node.close()
        await cluster.close()
