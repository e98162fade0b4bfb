"""What the tests of the history share: a log with a day in it, and the history of that log."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from app.database import Database
from app.domain.days import BusinessDay
from app.domain.events import Event, Tick
from app.domain.floor import Floor
from app.history.follower import History
from app.history.tables import DERIVED
from app.log import EventLog
from app.log.open import database_path, open_log
from app.pbx.voicecloud import decode
from app.replay import read_trace
from app.simulator.trace import steps
from app.simulator.wire import Webhook
from app.simulator.world import Plan, World
from tests.logs import Clock
from tests.story import Story

ZONE = ZoneInfo("UTC")
DAYS = BusinessDay(ZONE)
TRACES = sorted((Path(__file__).parent / "traces").glob("*.jsonl"))
TICK_MS = 5000
NINE = 1_772_442_000_000  # 2026-03-02T09:00:00Z

Timed = tuple[int, Event]


@dataclass
class Site:
    """A log, its history, and the clock of both."""

    database: Database
    log: EventLog
    clock: Clock
    history: History

    async def tell(self, events: Iterable[Timed]) -> None:
        """Append these, each at its own time."""
        for at, event in events:
            self.clock.now = at
            await self.log.append([event])

    async def told(self, events: Iterable[Timed]) -> "Site":
        """The same, and the history has caught up."""
        await self.tell(events)
        await self.history.catch_up()
        return self


@asynccontextmanager
async def site(url: str = "memory:") -> AsyncIterator[Site]:
    """Open log and history at that address."""
    database, clock = await Database.open(database_path(url)), Clock(NINE)
    log = await open_log(url, database, clock)
    try:
        yield Site(database, log, clock, await History.open(database, log, DAYS))
    finally:
        await log.close()
        await database.close()


async def tables(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Everything that was derived."""
    return {
        table: sorted(await database.read(f"SELECT * FROM {table}"), key=repr)  # noqa: S608 (our names)
        for table in DERIVED
        if table != "floor_checkpoint"
    }


def with_ticks(events: Iterable[Timed], beyond_ms: int = 120_000) -> Iterator[Timed]:
    """The events, with a tick each five seconds between them and for a while after them."""
    next_tick = at = 0
    for at, event in events:
        next_tick = next_tick or at
        while next_tick <= at:
            yield next_tick, Tick()
            next_tick += TICK_MS
        yield at, event
    for tick in range(next_tick, at + beyond_ms, TICK_MS):
        yield tick, Tick()


def of_trace(path: Path) -> list[Timed]:
    """A recorded exchange, with ticks."""
    rows = read_trace(path)
    return list(with_ticks((at, decode(to, said, now=at, zone=ZONE)) for at, to, said in rows))


def simulated(hours: float = 1.0, agents: int = 12, seed: int = 7) -> list[Timed]:
    """A simulated day from 9 o'clock, with ticks."""
    world = World(Plan(agents=agents, seed=seed, start=NINE / 1000, zone=ZONE))
    world.start()
    world.close_after(hours)
    pushed = (webhook for _, webhooks in steps(world) for webhook in webhooks)
    return list(with_ticks((round(w.at * 1000), _decoded(w)) for w in pushed))


def _decoded(webhook: Webhook) -> Event:
    at = round(webhook.at * 1000)
    return decode(webhook.path, webhook.params, now=at, zone=ZONE)


def of_story(*parts: str | Event) -> list[Timed]:
    """What the words mean (see `story`), with their times."""
    story = Recorded()
    story.tell(*parts)
    return story.events


class Recorded(Story):
    """A story that keeps its events."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Timed] = []

    def happens(self, event: Event) -> None:
        self.events.append((self.now, event))
        super().happens(event)


def floor_of(events: Iterable[Timed]) -> Floor:
    """The floor after these."""
    floor = Floor(DAYS)
    for seq, (at, event) in enumerate(events, 1):
        floor.apply(seq, at, event)
    return floor
