"""The floor exactly as it was: the nearest kept floor before a moment, and the log from there on.

Bounded work: a floor is kept each quarter of an hour or 50,000 events, one request is worked on at
a time, and the floors of a few recent moments stay in memory. Where a slider moves on, such a floor
moves on with it: to copy one, or to read a kept one, holds everybody up where it is large.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.database import Database
from app.domain.caps import USUAL, Caps
from app.domain.days import BusinessDay
from app.domain.floor import Floor
from app.history import checkpoints
from app.log import EventLog

Shown = TypeVar("Shown")

MOMENTS_KEPT = 4
SLICE_S = 0.004
# The threads that all share may be busy for minutes: backups, checks.
BESIDE = ThreadPoolExecutor(1, thread_name_prefix="rewind")


class NothingRecorded(Exception):
    """That moment is before the log began, or after its end: nobody knows the floor of then."""


class Rewind:
    """Floors of the past, one for all who look at the same moment."""

    def __init__(
        self, database: Database, log: EventLog, days: BusinessDay, caps: Caps = USUAL
    ) -> None:
        self._database = database
        self._log = log
        self._days = days
        self._caps = caps
        self._moments: OrderedDict[int, Floor] = OrderedDict()
        self._turn = asyncio.Lock()

    async def shown(self, at: int, show: Callable[[Floor], Shown]) -> Shown:
        """What `show` makes of the floor after every record whose time is no later than `at` (ms).

        It does so in a thread of its own, one at a time: a large floor takes long to draw. The
        floor is to read only, and only then: it may move on to a later moment.
        Raises NothingRecorded, LogUnavailable, DatabaseUnavailable.
        """
        async with self._turn:
            floor = self._moments.pop(at, None) or await self._replayed(at)
            loop = asyncio.get_running_loop()
            shown = await loop.run_in_executor(BESIDE, show, floor)
            # Only now: where nobody waits any more it may still be drawn, and must not move on.
            self._moments[at] = floor
            while len(self._moments) > MOMENTS_KEPT:
                self._moments.popitem(last=False)
            return shown

    async def _replayed(self, at: int) -> Floor:
        floor = await self._nearest(at)
        came_to_end = await self._replay(floor, at)
        if not floor.state.seq:
            raise NothingRecorded("Nothing was recorded before that moment.")
        if came_to_end and at - floor.state.at > checkpoints.EVERY_MS:
            raise NothingRecorded("That moment is later than anything recorded.")
        return floor

    async def _nearest(self, at: int) -> Floor:
        """The newest floor at hand that is no newer than that: still in memory, or kept."""
        known = max((moment for moment in self._moments if moment <= at), default=None)
        reached = 0 if known is None else self._moments[known].state.seq
        kept = await checkpoints.before_time(self._database, at, after=reached)
        if kept is None and known is not None:
            return self._moments.pop(known)
        return Floor(self._days, kept.state if kept else None, self._caps)

    async def _replay(self, floor: Floor, at: int) -> bool:
        """Apply what came until then; True where the log ended before."""
        last, began = self._log.last_seq, time.perf_counter()
        if floor.state.seq >= last:
            return True
        async for records in self._log.follow(floor.state.seq):
            for record in records:
                if record.at > at:
                    return False
                floor.apply(record.seq, record.at, record.event)
                if time.perf_counter() - began > SLICE_S:
                    await asyncio.sleep(0)
                    began = time.perf_counter()
            if floor.state.seq >= last:
                return True
        return True
