"""The log on three NATS servers beside the embedded one: what an append takes and costs."""

import asyncio
import os
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.clock import wall_ms
from app.database import Database
from app.domain.events import CallRinging
from app.log import EventLog
from app.log.address import Address
from app.log.cluster import Cluster
from app.log.sqlite import SqliteLog
from bench.measure import cpu_ns, share
from tests.nats_servers import Servers

AT_ONCE = 64
_OWN = os.getpid()


@dataclass(frozen=True)
class Appends:
    """Times in ms at a set rate, then as many a second as 64 waiting appenders get, and µs of CPU
    an append: of the program, and of all three servers."""

    p50_ms: float
    p99_ms: float
    per_s: float
    program_us: float
    servers_us: float


@dataclass(frozen=True)
class Sites:
    """Logs of so many sites open in one program."""

    count: int
    open_ms: float
    program_us: float


@asynccontextmanager
async def embedded() -> AsyncIterator[EventLog]:
    """A file, FULL sync."""
    with tempfile.TemporaryDirectory(prefix="pitwall-bench-") as folder:
        database = await Database.open(str(Path(folder) / "pitwall.db"))
        log = await SqliteLog.open(database, wall_ms)
        try:
            yield log
        finally:
            await log.close()
            await database.close()


@asynccontextmanager
async def servers() -> AsyncIterator[tuple[Servers, Cluster]]:
    """Three servers that sync always, and this program's connection to them."""
    with tempfile.TemporaryDirectory(prefix="pitwall-bench-") as folder:
        started = await asyncio.to_thread(Servers.start, Path(folder), 3)
        try:
            cluster = await Cluster.open(Address.parse(started.url("bench")), wall_ms)
            try:
                yield started, cluster
            finally:
                await cluster.close()
        finally:
            await asyncio.to_thread(started.end)


async def compare(rate: float, seconds: float) -> dict[str, Appends]:
    """Both logs, one after the other."""
    async with embedded() as log:
        found = {"a file on this machine": await appends(log, [], rate, seconds)}
    async with servers() as (started, cluster):
        log = await cluster.site_log("main")
        pids = [one.process.pid for one in started.each]
        found["three NATS servers, all on this machine"] = await appends(log, pids, rate, seconds)
    return found


async def appends(log: EventLog, pids: list[int], rate: float, seconds: float) -> Appends:
    """An open loop first, then a closed one."""
    taken: list[float] = []
    await paced(lambda: timed(log, taken), rate, seconds)
    own, theirs = cpu_ns(_OWN), sum(map(cpu_ns, pids))
    began, stored = time.monotonic(), [0]

    async def one_after_the_other() -> None:
        while time.monotonic() - began < seconds:
            await log.append([event()], uuid.uuid4().hex)
            stored[0] += 1

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    passed = time.monotonic() - began
    return Appends(
        p50_ms=share(taken, 50),
        p99_ms=share(taken, 99),
        per_s=stored[0] / passed,
        program_us=(cpu_ns(_OWN) - own) / stored[0] / 1000,
        servers_us=(sum(map(cpu_ns, pids)) - theirs) / stored[0] / 1000,
    )


async def sites(counts: tuple[int, ...], rate: float, seconds: float) -> list[Sites]:
    """The same load for so many sites, each count on servers of its own."""
    return [await _sites(count, rate, seconds) for count in counts]


async def _sites(count: int, rate: float, seconds: float) -> Sites:
    async with servers() as (_, cluster):
        began = time.monotonic()
        logs = [await cluster.site_log(f"site{number}") for number in range(count)]
        opened = time.monotonic() - began
        own, sent = cpu_ns(_OWN), [0]

        async def next_one() -> None:
            sent[0] += 1
            await logs[sent[0] % count].append([event()], uuid.uuid4().hex)

        await paced(next_one, rate, seconds)
        spent = (cpu_ns(_OWN) - own) / sent[0] / 1000
        for log in logs:
            await log.close()
    return Sites(count, 1000 * opened / count, spent)


async def timed(log: EventLog, taken: list[float]) -> None:
    began = time.monotonic()
    await log.append([event()], uuid.uuid4().hex)
    taken.append(1000 * (time.monotonic() - began))


async def paced(job: Callable[[], Awaitable[None]], rate: float, seconds: float) -> None:
    """`rate` a second for so long, each when it is due; returns when all are done."""
    began, tasks = time.monotonic(), list[asyncio.Future[None]]()
    for number in range(int(rate * seconds)):
        if (early := began + number / rate - time.monotonic()) > 0:
            await asyncio.sleep(early)
        tasks.append(asyncio.ensure_future(job()))
    await asyncio.gather(*tasks)


def event() -> CallRinging:
    callid = uuid.uuid4().hex
    return CallRinging(callid=callid, extension="101", queue="sales", phone="0938363739")
