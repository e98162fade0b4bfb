"""What the tests of the logs share: a clock to turn, a place to open a log in, events to tell."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from app.database import MEMORY, Database
from app.domain.events import CallEnded, Event
from app.log import EventLog, Record
from app.log.address import SCHEME, Address
from app.log.cluster import Cluster
from app.log.jetstream import JetStreamLog
from app.log.open import database_path, open_log

T = TypeVar("T")
NOON = 1_700_000_000_000


@dataclass
class Clock:
    now: int = NOON

    def __call__(self) -> int:
        return self.now


@dataclass
class Place:
    """Where a log lives, so that a test can open it, and open it again."""

    url: str
    clock: Clock = field(default_factory=Clock)
    opened: list[Any] = field(default_factory=list)

    async def open(self) -> EventLog:
        # What else a site has goes into a file of the working folder there: not in a test.
        beside = MEMORY if self.url.startswith(SCHEME) else database_path(self.url)
        database = await Database.open(beside)
        self.opened.append(database)
        log = await open_log(self.url, database, self.clock)
        self.opened.append(log)
        return log

    async def close(self) -> None:
        while self.opened:
            await self.opened.pop().close()


async def opened(place: Place) -> JetStreamLog:
    """The log there, which is on NATS servers."""
    log = await place.open()
    assert isinstance(log, JetStreamLog)
    return log


@dataclass
class Nodes:
    """Programs on the same servers: each call is another one."""

    address: Address
    clock: Clock = field(default_factory=Clock)
    opened: list[Cluster] = field(default_factory=list)

    async def another(self) -> Cluster:
        self.opened.append(await Cluster.open(self.address, self.clock))
        return self.opened[-1]

    async def close(self) -> None:
        while self.opened:
            await self.opened.pop().close()


def call(number: int) -> Event:
    return CallEnded(callid=str(number))


def calls(first: int, last: int) -> list[Event]:
    return [call(number) for number in range(first, last + 1)]


def told(records: Sequence[Record]) -> list[Event]:
    return [record.event for record in records]


async def soon(awaitable: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaitable, 10)


async def take(follower: AsyncIterator[Sequence[Record]], count: int) -> list[Record]:
    """The next records, at least `count` of them."""
    taken: list[Record] = []
    while len(taken) < count:
        taken += await soon(anext(follower))
    return taken
