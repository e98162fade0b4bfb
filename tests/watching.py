"""A reconciler on a floor of its own, for tests to let time pass: what it asks, and when."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.domain.events import CallRinging, PbxAsked, PhoneReported
from app.domain.floor import Floor
from app.pbx import Pbx
from app.reconciler import Reconciler
from tests.asked_pbx import AskedPbx, follow
from tests.history_setup import DAYS, NINE, Timed
from tests.logs import Clock, Place, take, told
from tests.story import UTC_ZONE


class Watch:
    """A reconciler that looks when it is told to, and the floor that hears what it found."""

    def __init__(self, place: Place, other: Pbx | None = None) -> None:
        self.pbx = AskedPbx()
        self.place = place
        self._other = other
        self.floor = Floor(DAYS)
        self.asked: list[tuple[int, str]] = []
        self._looked = 0

    async def open(self, *before: Timed) -> "Watch":
        self.log = await self.place.open()
        for at, event in before:
            self.place.clock.now = at
            await self.log.append([event])
        await follow(self.log, self.floor)
        self.place.clock.now = NINE
        self.reconciler = Reconciler(
            self._other or self.pbx,
            self.log,
            lambda: self.floor.state,
            self.place.clock,
            UTC_ZONE,
        )
        return self

    async def look(self, until: int, step: int = 1) -> None:
        """Each `step` seconds up to that one; `asked` has each question with its second."""
        for second in range(self._looked, until, step):
            self.place.clock.now = NINE + second * 1000
            await self.reconciler.look(second)
            self.asked += [(second, question) for question in self.pbx.asked]
            self.pbx.asked.clear()
            await follow(self.log, self.floor)
        self._looked = until

    def times(self, question: str, step: int = 1) -> list[int]:
        """When it was asked, in whole steps."""
        return [at // step for at, asked in self.asked if asked.startswith(question)]

    async def said(self) -> list[PbxAsked]:
        """What the rounds told."""
        seen = await take(self.log.follow(), self.log.last_seq)
        return [event for event in told(seen) if isinstance(event, PbxAsked)]


@asynccontextmanager
async def watch(
    *before: Timed, url: str = "memory:", pbx: Pbx | None = None
) -> AsyncIterator[Watch]:
    """Someone to look, on a floor of which that is known already; `pbx` is asked instead."""
    place = Place(url, Clock(NINE))
    try:
        yield await Watch(place, pbx).open(*before)
    finally:
        await place.close()


def known(minutes_ago: int = 10) -> list[Timed]:
    """101 was paused, and a call rang of which nothing was heard since."""
    at = NINE - minutes_ago * 60_000
    return [
        (at, PhoneReported(extension="101", status="pause")),
        (at, CallRinging(callid="1", phone="0901")),
    ]
