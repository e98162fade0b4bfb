"""Several nodes on one log, a lease that a test hands from one to the other, one PBX for all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import time
from functools import partial
from typing import Any, Self, cast
from zoneinfo import ZoneInfo

from app.commanding import CommandingPbx, Executor
from app.domain.command import Command
from app.domain.days import BusinessDay
from app.log import EventLog, Record
from app.log.memory import MemoryLog
from app.ownership import Leased, Leases, OwnersLog, SiteOwnership, run_while_owned
from app.pbx import Pbx
from app.projector import Projector
from app.render import Renderer
from tests import waiting
from tests.acting import RecordingPbx
from tests.logs import Clock

UTC = ZoneInfo("UTC")
DAYS = BusinessDay(UTC, time(0))
ANSWER_S = 1.5


class FakeLease:
    """Held until the test says otherwise; a holder that sleeps does not notice."""

    def __init__(self, leases: "FakeLeases", holder: str, epoch: int) -> None:
        self.leases = leases
        self.holder = holder
        self.epoch = epoch
        self.lost = asyncio.Event()

    @property
    def is_held(self) -> bool:
        return not self.lost.is_set()

    async def wait_lost(self) -> None:
        await self.lost.wait()

    async def release(self) -> None:
        self.lost.set()
        self.leases.free(self)


class FakeLeases:
    """One lease. Epochs as on servers: they grow, with gaps."""

    def __init__(self) -> None:
        self.epoch = 0
        self.held: FakeLease | None = None
        self.given = asyncio.Condition()
        self.wanted = ""

    async def lease(self, name: str, holder: str) -> FakeLease:
        async with self.given:
            await self.given.wait_for(lambda: self.held is None and self.wanted in {"", holder})
            self.epoch += 3
            self.held = FakeLease(self, holder, self.epoch)
            return self.held

    def free(self, lease: FakeLease) -> None:
        if self.held is lease:
            self.held = None
            self._tell()

    def hand_to(self, holder: str) -> None:
        """Its time is over and that one gets it; who held it is told nothing."""
        self.held, self.wanted = None, holder
        self._tell()

    def _tell(self) -> None:
        async def tell() -> None:
            async with self.given:
                self.given.notify_all()

        self.telling = asyncio.create_task(tell())


class Gate:
    """The log as one node has it: that node can be cut off, in either direction."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.hears = asyncio.Event()
        self.speaks = asyncio.Event()
        self.hears.set()
        self.speaks.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, events: Sequence[Any], rid: str | None = None) -> int:
        """What was asked for is stored in the end, whether or not anybody still waits for it."""
        return await asyncio.shield(asyncio.ensure_future(self._append(events, rid)))

    async def _append(self, events: Sequence[Any], rid: str | None) -> int:
        await self.speaks.wait()
        return await self._log.append(events, rid)

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Record]]:
        async for records in self._log.follow(after):
            await self.hears.wait()
            yield records


class Node:
    """One process: a floor of its own, and all that it runs as the owner."""

    def __init__(
        self,
        name: str,
        log: EventLog,
        leases: Leases,
        pbx: RecordingPbx,
        clock: Callable[[], int],
        answer_s: float = ANSWER_S,
    ) -> None:
        self.name = name
        self.log = log
        self.pbx = pbx
        self.leased = Leased(leases, "p0", name, spread_s=0)
        renderer = Renderer(UTC, "test")
        self.projector = Projector(log, DAYS, renderer, clock, ownership=self.leased)
        self.ownership = SiteOwnership(self.leased, log, self.projector, name)
        self.owners_log = OwnersLog(log, self.ownership)
        self.doubted: list[str] = []
        self.executor = Executor(
            cast(Pbx, pbx),
            self.owners_log,
            self.projector,
            self.ownership,
            clock,
            self.doubted.append,
        )
        self.asking = CommandingPbx(
            cast(Pbx, pbx), log, self.projector, claim_s=answer_s / 3, answer_s=answer_s
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> Self:
        await self.projector.start()
        loops = [
            self.projector.run(),
            self.leased.run(),
            self.ownership.run(),
            run_while_owned(self.ownership, self.executor.run),
        ]
        self._tasks = [asyncio.create_task(loop) for loop in loops]
        return self

    async def stop(self) -> None:
        for task in reversed(self._tasks):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self.asking.close()

    async def owns(self) -> None:
        await asyncio.wait_for(self.ownership.wait_held(), 5)

    @property
    def commands(self) -> list[Command]:
        return list(self.projector.floor.state.commands.values())


class Local(Node):
    """One that a test can put to sleep or kill, in this process."""

    def __init__(self, name: str, world: "World") -> None:
        self.gate = Gate(world.log)
        self._leases = world.leases
        log = cast(EventLog, self.gate)
        super().__init__(name, log, world.leases, world.pbx, world.clock)

    async def die(self) -> None:
        """At once, with nothing said to anybody: the lease stays until it is handed on."""
        self.gate.speaks.clear()
        self._leases.wanted = "nobody"
        for task in [*self._tasks, *self.executor._tasks.values()]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class World:
    """What the nodes share."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.log = MemoryLog(self.clock)
        self.pbx = RecordingPbx(self.log)
        self.pbx.reports = False
        self.leases = FakeLeases()
        self.nodes: list[Local] = []

    async def node(self, name: str) -> Local:
        node = await Local(name, self).start()
        self.nodes.append(node)
        return node

    def pass_s(self, seconds: float) -> None:
        self.clock.now += round(seconds * 1000)

    async def stored(self) -> list[Any]:
        """All events, in order."""
        records = await self.log.records(range(1, self.log.last_seq + 1))
        return [record.event for record in records]


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    here = World()
    try:
        yield here
    finally:
        for node in here.nodes:
            await node.stop()
        await here.log.close()


until = partial(waiting.until, seconds=5)
