"""A floor to act on: real database, log, projector and audit, and a PBX that notes its orders."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, time
from typing import Any, cast
from zoneinfo import ZoneInfo

from app.actions import Actions, Policy
from app.actions.deeds import Deeds
from app.actions.desk import Asker, Desk
from app.actions.dial_rules import DialRates
from app.audit import Actor, Audit, AuditRow
from app.database import Database
from app.domain.days import BusinessDay
from app.domain.events import CallRecorded, Event, PhoneReported
from app.domain.states import Direction
from app.domain.view import AgentCard
from app.log.memory import MemoryLog
from app.pbx import Finding, Member, Pbx, PhoneState, SpyMode, Unreadable
from app.projector import Projector
from app.render import Renderer
from app.rights import ACTING, Principal, Right, Role
from tests.story import event_of

MONDAY = 1_800_000_000_000
UTC = ZoneInfo("UTC")
REPORT_S = 0.15


class RecordingPbx:
    """`calls` is what it was asked; `fails` is what it raises; `waits_s` how long it takes."""

    unreadable: Sequence[Unreadable] = ()

    def __init__(self, log: MemoryLog) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.fails: dict[str, Exception] = {}
        self.waits_s = 0.0
        self.reports = True
        self.states: list[PhoneState] = []
        self._log = log

    async def dial(self, extension: str, phone: str) -> None:
        await self._hear("dial", extension, phone)

    async def phones(self, extensions: Sequence[str]) -> list[PhoneState]:
        return [state for state in self.states if state.extension in extensions]

    async def spy(
        self, supervisor: str, extension: str, mode: SpyMode, direction: Direction | None
    ) -> None:
        await self._hear("spy", supervisor, extension, mode.value, str(direction))

    async def members(self) -> list[Member]:
        return []

    async def pause(self, extension: str, paused: bool) -> None:
        await self._hear("pause" if paused else "resume", extension)
        if self.reports:
            status = "pause" if paused else "on"
            await self._log.append([PhoneReported(extension=extension, status=status)])

    async def records(
        self, day_from: date, day_to: date, callid: str | None = None
    ) -> list[CallRecorded]:
        return []

    async def test_connection(self) -> list[Finding]:
        return []

    async def close(self) -> None:
        """Nothing is open."""

    async def _hear(self, *words: str) -> None:
        self.calls.append(words)
        await asyncio.sleep(self.waits_s)
        failure = self.fails.get(words[1]) or self.fails.get("")
        if failure is not None:
            raise failure


class Acting:
    """The parts, a clock to turn (`now`, ms), and the floor as people see it."""

    def __init__(self, database: Database) -> None:
        self.now = MONDAY
        self.database = database
        self.log = MemoryLog(lambda: self.now)
        self.pbx = RecordingPbx(self.log)
        days = BusinessDay(UTC, time(0))
        self.projector = Projector(self.log, days, Renderer(UTC, "test"), lambda: self.now)
        self.doubted: list[str] = []
        self.audit: Audit
        self.actions: Actions

    async def load(self, audit: Audit | None = None, **policy: Any) -> "Acting":
        self.audit = audit or await Audit.open(self.database, lambda: self.now)
        self.actions = Actions.over(
            Desk(
                pbx=cast(Pbx, self.pbx),
                audit=self.audit,
                log=self.log,
                watched=self.projector,
                deeds=Deeds(self.audit, self.log, self.monotonic),
                rates=DialRates(self.monotonic),
                clock=lambda: self.now,
                monotonic=self.monotonic,
                policy=Policy(**policy),
                doubt=self.doubted.append,
                report_s=REPORT_S,
            )
        )
        await self.projector.start()
        return self

    def monotonic(self) -> float:
        return self.now / 1000

    def pass_s(self, seconds: float) -> None:
        self.now += round(seconds * 1000)

    async def tell(self, *parts: str | Event) -> None:
        """Let it happen, in the words of stories; return when the floor shows it."""
        for part in parts:
            words = [part] if isinstance(part, Event) else part.split(",")
            for word in words:
                event = word if isinstance(word, Event) else event_of(word.strip(), self.now)
                await self.log.append([event])
        await self.caught_up()

    async def caught_up(self) -> None:
        await self.projector.wait_for(self.log.last_seq)

    async def card(self, extension: str) -> AgentCard:
        await self.caught_up()
        card = self.projector.floor.agent_card(extension)
        assert card is not None
        return card

    async def rows(self) -> list[AuditRow]:
        """The audit, the oldest first."""
        return (await self.audit.page())[::-1]

    async def said(self) -> list[tuple[str, str]]:
        """Of each row of the audit, kind and action."""
        return [(row.kind, row.action) for row in await self.rows()]


@asynccontextmanager
async def acting(**policy: Any) -> AsyncIterator[Acting]:
    """All of it, running."""
    database = await Database.open(":memory:")
    try:
        floor = await Acting(database).load(**policy)
        async with running(floor.projector):
            yield floor
            await floor.actions.close()
    finally:
        await database.close()


@asynccontextmanager
async def running(projector: Projector) -> AsyncIterator[None]:
    """The projector follows the log meanwhile."""
    task = asyncio.create_task(projector.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def asker(
    name: str = "Ann",
    user_id: int = 1,
    extension: str = "200",
    queues: frozenset[str] | None = None,
    rights: frozenset[Right] = ACTING,
) -> Asker:
    """A supervisor."""
    principal = Principal(user_id, name, Role.SUPERVISOR, queues, rights, extension)
    return Asker(principal, Actor(user_id, name, "supervisor", "session", "192.0.2.1"))
