"""The one loop that changes the floor: it follows the log, applies, draws, and wakes the viewers.

It also makes time pass (a tick is an event like any other) and keeps snapshots. When it dies, the
process must: a board that no longer moves and still answers would lie.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from app.domain.caps import USUAL, Caps
from app.domain.days import BusinessDay
from app.domain.events import Tick
from app.domain.floor import Floor
from app.domain.model import FloorState
from app.domain.turn import Changes
from app.log import EventLog, LogUnavailable, Record, Snapshot
from app.ownership import Ownership
from app.pace import Pace
from app.packing import packed, unpacked
from app.render import Audience, Drawing, Renderer
from app.screen import Screen
from app.screens import Screens

TICK_S = 5.0
# Nodes tick one after the other: who comes later mostly finds the tick of these five seconds there.
TICK_SPREAD_S = 1.0
# A wall is looked at, not worked with: four frames a second are plenty.
WALL_FRAME_S = 0.25
# How soon a screen says that nothing can be saved.
WARN_S = 0.5
# A second's replay. Keeping a large floor takes a tenth of one, and the disk 10 MiB.
SNAPSHOT_EVENTS = 50_000
SNAPSHOT_MS = 5 * 60 * 1000
# Records applied before other tasks get a turn: a slice of some milliseconds.
SLICE = 200

logger = logging.getLogger(__name__)


class Subscription:
    """Changes that one program has not taken yet: bounded by the floor, whoever is slow."""

    def __init__(self) -> None:
        self._gathered = Changes()
        self._news = asyncio.Event()

    def add(self, changes: Changes) -> None:
        """Gather these too."""
        self._gathered.add(changes)
        self._news.set()

    async def wait(self) -> None:
        """Return once there is something to take."""
        await self._news.wait()

    async def take(self) -> Changes:
        """Wait for changes; return and forget all that were gathered."""
        await self._news.wait()
        self._news.clear()
        taken, self._gathered = self._gathered, Changes()
        return taken


class Projector:
    """Owns the floor. `screens` draw on it; `clock` is the one that stamps the log (ms).

    `ownership`, where several nodes have a floor of this log: the owner keeps the snapshots, and of
    all nodes' ticks the log keeps one each five seconds.
    """

    def __init__(
        self,
        log: EventLog,
        days: BusinessDay,
        renderer: Renderer,
        clock: Callable[[], int],
        caps: Caps = USUAL,
        ownership: Ownership | None = None,
    ) -> None:
        self.floor = Floor(days, caps=caps)
        self._ownership = ownership
        self._tick_delay_s = random.uniform(0, TICK_SPREAD_S)  # noqa: S311 no secret
        self._log = log
        self._clock = clock
        self._renderer = renderer
        self._last_tick = 0
        self._snapshot_seq = 0
        self._snapshot_at = clock()
        self._news = asyncio.Event()
        self._listeners: set[Subscription] = set()
        self._pace = Pace()
        # Drawing is what is paced; what has been drawn leaves at once.
        self.screens: Screens[Audience] = Screens(
            lambda: Screen(clock, renderer.build, frame_s=0), self._draw_all
        )

    @property
    def applied(self) -> int:
        """The seq of the newest record that is on the floor."""
        return self.floor.state.seq

    async def start(self) -> None:
        """Bring the floor to the log's end: the newest snapshot, then what came after it."""
        await self._load_snapshot()
        if self.applied < self._log.last_seq:
            async for records in self._log.follow(self.applied):
                for record in records:
                    self._apply_one(record)
                if self.applied >= self._log.last_seq:
                    break
                await asyncio.sleep(0)

    async def run(self) -> None:
        """Follow the log and draw, for ever."""
        loops = (self._keep_drawing, self._follow, self._keep_warning, self._keep_snapshots)
        tasks = [asyncio.create_task(loop()) for loop in loops]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        for task in done:
            task.result()

    async def _follow(self) -> None:
        async for records in self._log.follow(self.applied):
            for first in range(0, len(records), SLICE):
                changes = self._apply(records[first : first + SLICE])
                for listener in self._listeners:
                    listener.add(changes)
                await asyncio.sleep(0)
            self._announce()

    async def _keep_drawing(self) -> None:
        """Draw what changed, however often it did, when the next frame may leave."""
        with self.subscribe() as changed:
            while True:
                await changed.wait()
                await asyncio.sleep(self._pace.wait_s())
                await self._draw(await changed.take())

    async def _keep_warning(self) -> None:
        """Say on every screen when nothing can be saved: then nothing new is shown either."""
        unsaved = 0
        while True:
            await asyncio.sleep(WARN_S)
            unsaved = (unsaved or self._clock()) if self._log.failure else 0
            for _, screen in self.screens.live():
                screen.warn(unsaved)

    async def tick(self) -> None:
        """Append a tick each five seconds, for ever; without disk the floor's time stands still."""
        while True:
            try:
                await self._log.append([Tick()], self._tick_name())
            except LogUnavailable as reason:
                logger.error("Time stands still on the board: %s", reason)
            await asyncio.sleep(self._until_tick_s())

    def _tick_name(self) -> str | None:
        """The same on all nodes that share the log, by their clocks."""
        if self._ownership is None:
            return None
        return f"tick-{self._clock() // round(TICK_S * 1000)}"

    def _until_tick_s(self) -> float:
        if self._ownership is None:
            return TICK_S
        return TICK_S - self._clock() / 1000 % TICK_S + self._tick_delay_s

    @contextmanager
    def subscribe(self) -> Iterator["Subscription"]:
        """What changes from now on, gathered until it is taken."""
        subscription = Subscription()
        self._listeners.add(subscription)
        try:
            yield subscription
        finally:
            self._listeners.discard(subscription)

    async def wait_for(self, seq: int) -> None:
        """Return once the record of that seq is on the floor."""
        while self.applied < seq:
            await self._news.wait()

    async def save_snapshot(self) -> None:
        """Keep the floor as it is now; of several nodes, the owner's is kept."""
        if self._ownership is not None and not self._ownership.is_held:
            return
        self._snapshot_seq = seq = self.applied
        self._snapshot_at = self.floor.state.at
        await self._log.save_snapshot(Snapshot(seq, await packed(self.floor.state)))

    async def keep_snapshot(self) -> None:
        """The same; without disk only the next start takes longer."""
        try:
            await self.save_snapshot()
        except LogUnavailable as reason:
            logger.error("No snapshot was kept; the next start takes longer: %s", reason)

    def _apply(self, records: Sequence[Record]) -> Changes:
        changes = Changes()
        for record in records:
            changes.add(self._apply_one(record))
        return changes

    def _apply_one(self, record: Record) -> Changes:
        if type(record.event) is Tick:
            self._last_tick = record.at
        return self.floor.apply(record.seq, record.at, record.event)

    def _announce(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _draw(self, changes: Changes) -> None:
        for audience, screen in self.screens.live():
            drawing = self._renderer.fragments(changes, self.floor, audience)
            screen.update(drawing.fragments, drawing.lists, self._last_tick)
            await asyncio.sleep(0)

    def _draw_all(self, audience: Audience, screen: Screen) -> None:
        drawing: Drawing = self._renderer.everything(self.floor, audience)
        if audience.page == "wall":
            screen.frame_s = WALL_FRAME_S
        screen.update(drawing.fragments, drawing.lists, self._last_tick)

    async def _load_snapshot(self) -> None:
        """The newest one that can be read; an older one only means a longer replay."""
        snapshot = await self._log.latest_snapshot(before=self._log.last_seq + 1)
        while snapshot is not None:
            state = unpacked(snapshot.body, FloorState)
            if state is not None:
                self.floor = Floor(self.floor.days, state, self.floor.caps)
                self._snapshot_seq, self._snapshot_at = state.seq, state.at
                return
            logger.warning("A snapshot can't be read; more of the log is replayed instead.")
            snapshot = await self._log.latest_snapshot(before=snapshot.seq)

    async def _keep_snapshots(self) -> None:
        """Beside the following: neither compressing nor the disk may hold up the board."""
        while True:
            if self._is_snapshot_due():
                await self.keep_snapshot()
            await self.wait_for(self.applied + 1)

    def _is_snapshot_due(self) -> bool:
        behind = self.applied - self._snapshot_seq
        return behind >= SNAPSHOT_EVENTS or (
            behind > 0 and self.floor.state.at - self._snapshot_at >= SNAPSHOT_MS
        )
