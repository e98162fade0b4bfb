"""Once a night: is the database sound, back it up, purge it, and say where the audit stands.

And each minute the ballast. A backup that failed is shown to administrators until one succeeds; a
database that turned out damaged ends the program, whose next start puts a good one in its place.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, tzinfo
from pathlib import Path

import aiosqlite

from app.audit import Actor, Audit, Deed
from app.database import MEMORY, Database, DatabaseUnavailable
from app.keeping import KeepingError, backup
from app.keeping.ballast import Ballast
from app.keeping.retention import Retention
from app.keeping.room import little_room
from app.keeping.soundness import DAILY_PATIENCE_S, damaged_files, problem_of, suspect
from app.settings import Keep
from app.webhook_journal import WebhookJournal

NIGHT = time(3, 0)
LOOK_S = 60.0
STEPS = ("CREATE TABLE upkeep (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT",)

logger = logging.getLogger(__name__)


class DatabaseDamaged(Exception):
    """The nightly check found damage: a sentence says so, and what the next start will do."""


class Upkeep:
    """Keeps the database at `path`. `found` is what was wrong with it at the start, in words."""

    def __init__(
        self, database: Database, path: str, zone: tzinfo, clock: Callable[[], int], found: str = ""
    ) -> None:
        self.found = found
        self.failure = ""
        """Why the last backup was not made, in words."""
        self.clock_behind_ms = 0
        """How far the machine's clock was behind the log when the program started."""
        self._database = database
        self._path = path
        self._zone = zone
        self._clock = clock
        self._last = 0
        self._is_little_told = False
        self._ballast = None if path == MEMORY else Ballast(Path(path))

    @classmethod
    async def open(
        cls, database: Database, path: str, zone: tzinfo, clock: Callable[[], int], found: str = ""
    ) -> "Upkeep":
        """When the last night was is kept in the database; a new one has its first tonight."""
        upkeep = cls(database, path, zone, clock, found)
        await database.migrate("upkeep", STEPS)
        rows = await database.read("SELECT at FROM upkeep")
        upkeep._last = int(rows[0][0]) if rows else clock()
        if not rows:
            await upkeep._note(upkeep._last)
        if upkeep._ballast is not None:
            database.on_full = upkeep._ballast.give_up
        return upkeep

    @property
    def damaged(self) -> list[str]:
        """Names of damaged databases that lie beside this one until somebody takes them away."""
        return [each.name for each in damaged_files(self._path)]

    def is_due(self) -> bool:
        """A night has begun since the last one that was worked through."""
        last = datetime.fromtimestamp(self._last / 1000, self._zone)
        night = datetime.combine(last.date(), NIGHT, self._zone)
        if night <= last:
            night += timedelta(days=1)
        return datetime.fromtimestamp(self._clock() / 1000, UTC) >= night

    async def run(self, audit: Audit, keep: Keep, journal: WebhookJournal) -> None:
        """For ever. Raises DatabaseDamaged."""
        if self._ballast is None:
            await asyncio.Event().wait()
        while True:
            if self._ballast is not None:
                await asyncio.to_thread(self._ballast.make)
                await asyncio.to_thread(self.look_at_the_disk)
            if self.is_due():
                await self.work(audit, keep, journal)
            await asyncio.sleep(LOOK_S)

    def look_at_the_disk(self) -> None:
        """Say once that it is nearly full, and again after it was not."""
        free = little_room(Path(self._path).parent)
        if free is not None and not self._is_little_told:
            logger.warning(
                "The disk of the database has %d MiB left, which is little. When it is full, "
                "webhooks are answered with 503 and the board stands still.",
                free // 1024**2,
            )
        self._is_little_told = free is not None

    async def work(self, audit: Audit, keep: Keep, journal: WebhookJournal) -> None:
        """One night's work. Raises DatabaseDamaged."""
        self._last = self._clock()
        await self._check()
        await self._back_up(keep.backups)
        try:
            await self._purge(audit, keep, journal)
            await self._note(self._last)
        except DatabaseUnavailable as error:
            logger.error("The night's purge was not finished: %s", error)

    async def _check(self) -> None:
        problem = await asyncio.to_thread(problem_of, Path(self._path), DAILY_PATIENCE_S)
        if problem:
            await asyncio.to_thread(suspect, Path(self._path))
            raise DatabaseDamaged(
                f"The nightly check found the database damaged ({' '.join(problem.split())}). "
                "Pitwall stops using it; the next start moves it aside and goes on with the newest "
                "good backup."
            )

    async def _back_up(self, days: int) -> None:
        database, now = Path(self._path), self._clock()
        try:
            made = await asyncio.to_thread(backup.nightly, database, now)
            gone = await asyncio.to_thread(backup.forget_old, database, now, days)
        except KeepingError as error:
            self.failure = str(error)
            logger.error("%s", error)
        else:
            self.failure = ""
            logger.info("Backup %s was made and checked; %d old ones went.", made.name, gone)

    async def _purge(self, audit: Audit, keep: Keep, journal: WebhookJournal) -> None:
        retention = Retention(self._database, audit, keep, self._clock)
        purged = await retention.purge()
        journal.forget(retention.before(keep.rejected))
        if purged.counts["rows of the audit"]:
            await audit.done(Actor(name="Pitwall"), Deed("purge", mode="audit"), str(purged))
        seq, anchor = await audit.anchor()
        # Kept where Pitwall can't rewrite it, this line shows later if the audit's end was cut.
        logger.info("Purged %s. The audit stands at row %d with hash %s.", purged, seq, anchor)

    async def _note(self, at: int) -> None:
        async def job(connection: aiosqlite.Connection) -> None:
            await connection.execute("INSERT OR REPLACE INTO upkeep VALUES (1, ?)", (at,))

        await self._database.write(job)
