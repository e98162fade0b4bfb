"""Follows the log with a floor of its own and writes what it sees into the history's tables.

Not the projector's floor: so live, after a crash, after an upgrade and in a rebuild it is the same
code, and a slow disk or a long way to catch up never holds up the board. Each batch is one
transaction together with the seq up to which it goes; that is where the next start goes on.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Self

import aiosqlite

from app.database import Database, DatabaseUnavailable
from app.domain.caps import USUAL, Caps
from app.domain.days import BusinessDay
from app.domain.floor import Floor
from app.history import checkpoints
from app.history.batch import STATEMENTS
from app.history.checkpoints import Checkpoint
from app.history.rows import Row
from app.history.tables import DERIVED, STEPS
from app.history.tracker import Tracker
from app.log import EventLog, Record

# Records in one transaction at most, and how long news may wait to be written.
MOST = 2000
WRITE_EVERY_S = 1.0
# Work at a stretch, before other tasks get at least as long.
SLICE_S = 0.002
RETRY_S = 2.0

logger = logging.getLogger(__name__)


class Superseded(Exception):
    """Another program (a rebuild) wrote to the history meanwhile; what we hold is out of date."""


class History:
    """Writes the tables: `applied` is the seq up to which they go, `failure` why no further."""

    def __init__(
        self, database: Database, log: EventLog, days: BusinessDay, caps: Caps = USUAL
    ) -> None:
        self.database = database
        self.log = log
        self.days = days
        self.caps = caps
        self.applied = 0
        self.failure = ""
        self._floor = Floor(days, caps=caps)
        self._tracker = Tracker(self._floor.state)
        self._kept = (0, 0)
        self._wanted = 0
        self._hurried: set[asyncio.Task[None]] = set()
        self._next_write = 0.0
        self._writing = asyncio.Lock()
        self._news = asyncio.Event()

    @classmethod
    async def open(
        cls, database: Database, log: EventLog, days: BusinessDay, caps: Caps = USUAL
    ) -> Self:
        """The history in this database, ready to go on where it stopped."""
        await database.migrate("history", STEPS)
        history = cls(database, log, days, caps)
        await history._load()
        return history

    async def run(self) -> None:
        """Follow until the log is closed. A fault of its own stops the history, never the board."""
        try:
            while not await self._reach_end():
                await self._load()
        except Exception:
            # Whatever is wrong with a table must not end the process that shows who waits.
            logger.critical("The history is no longer written.", exc_info=True)
            self.failure = "The history is no longer written; the program's error log says why."
            self._ring()
            await asyncio.Event().wait()

    async def _reach_end(self) -> bool:
        """Follow; False where the tables turn out to be another's work, and must be read anew."""
        try:
            await self._follow()
        except Superseded:
            return False
        return True

    async def catch_up(self) -> None:
        """Write everything up to the end of the log, as fast as it goes. Raises Superseded."""
        await self._follow(self.log.last_seq, pause=0.0)
        await self._write()

    async def wait_for(self, seq: int) -> None:
        """Return once the record of that seq is in the tables (or they are written no more)."""
        while self.applied < seq and not self.failure:
            if self._floor.state.seq >= seq:
                await self._write_now()
            else:
                self._wanted = max(self._wanted, seq)
                await self._news.wait()

    async def _write_now(self) -> None:
        """Write for a waiter, who may be cancelled while the batch must not get lost."""
        task = asyncio.create_task(self._write())
        self._hurried.add(task)
        task.add_done_callback(self._hurried.discard)
        try:
            await asyncio.shield(task)
        except Superseded:
            # The loop finds that out as well and starts anew.
            await self._news.wait()

    async def _load(self) -> None:
        """The newest kept floor, and up to where the tables go."""
        [(self.applied,)] = await self.database.read("SELECT seq FROM history_progress")
        if self.applied > self.log.last_seq:
            logger.warning("The history is of a longer log than this one; it is built anew.")
            await wipe(self.database)
            [(self.applied,)] = await self.database.read("SELECT seq FROM history_progress")
        kept = await checkpoints.before_seq(self.database, self.applied)
        self._floor = Floor(self.days, kept.state if kept else None, self.caps)
        self._tracker = Tracker(self._floor.state, kept.seen if kept else None)
        self._kept = (self._floor.state.seq, self._floor.state.at)

    async def _follow(self, until: int | None = None, pause: float = 1.0) -> None:
        """Up to `until`, or for ever; each stretch of work is followed by `pause` times as long."""
        if until is not None and self._floor.state.seq >= until:
            return
        async for records in self.log.follow(self._floor.state.seq):
            await self._apply_all(records, pause)
            if until is not None and self._floor.state.seq >= until:
                return

    async def _apply_all(self, records: Sequence[Record], pause: float) -> None:
        began = time.perf_counter()
        for record in records:
            self._apply(record)
            if (spent := time.perf_counter() - began) > SLICE_S:
                await asyncio.sleep(spent * pause)
                began = time.perf_counter()
            if self._is_due():
                await self._write()
        await asyncio.sleep(0)

    def _apply(self, record: Record) -> None:
        state = self._floor.state
        changes = self._floor.apply(record.seq, record.at, record.event)
        self._tracker.note(record, changes, state)
        if record.seq <= self.applied:
            # Seen on the way from a kept floor to where the tables stop: it is in them.
            self._tracker.take()

    def _is_due(self) -> bool:
        seq, events = self._floor.state.seq, self._tracker.batch.events
        return events > 0 and (
            events >= MOST
            or self.applied < self._wanted <= seq
            or checkpoints.is_due(self._floor.state, *self._kept)
            or time.monotonic() >= self._next_write
        )

    async def _write(self) -> None:
        """Write what was gathered; a database that can't be written to is tried again for ever."""
        async with self._writing:
            batch, state = self._tracker.take(), self._floor.state
            if not batch.events:
                return
            progress = (state.seq, state.at, batch.began)
            rows, checkpoint = batch.rows(), await self._checkpoint()
            # A disk sends no word when it is free again.
            while not await self._commit(progress, rows, checkpoint):  # noqa: ASYNC110 (see above)
                await asyncio.sleep(RETRY_S)
            self.applied = progress[0]
            self._next_write = time.monotonic() + WRITE_EVERY_S
            self._ring()

    async def _checkpoint(self) -> Checkpoint | None:
        state = self._floor.state
        if not checkpoints.is_due(state, *self._kept):
            return None
        self._kept = (state.seq, state.at)
        self._tracker.forget(state)
        return await Checkpoint.of(state, self._tracker.seen)

    async def _commit(
        self,
        progress: tuple[int, int, int],
        rows: Mapping[str, Sequence[Row]],
        checkpoint: Checkpoint | None,
    ) -> bool:
        """All of it or nothing; False where the database can't be written to."""

        async def job(connection: aiosqlite.Connection) -> None:
            moved = await connection.execute(
                "UPDATE history_progress SET seq = ?, at = ?, began = coalesce(began, ?) "
                "WHERE seq = ?",
                (*progress, self.applied),
            )
            if not moved.rowcount:
                raise Superseded
            for name, statement in STATEMENTS.items():
                if rows[name]:
                    await connection.executemany(statement, rows[name])
            if checkpoint is not None:
                await checkpoints.save(connection, checkpoint)

        try:
            await self.database.write(job)
        except DatabaseUnavailable as error:
            logger.error("The history waits: %s", error)
            return False
        return True

    def _ring(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


async def wipe(database: Database) -> None:
    """Drop what was derived, as far as the log can bring it back.

    A purged log begins at a kept floor: what is older than that stays as it is.
    """

    async def job(connection: aiosqlite.Connection) -> None:
        sql = (
            "SELECT seq, at FROM floor_checkpoint "
            "WHERE seq < (SELECT min(seq) FROM event) ORDER BY seq DESC LIMIT 1"
        )
        [seq, at] = next(iter(await connection.execute_fetchall(sql)), (0, 0))
        for table, column in DERIVED.items():
            limit = seq if column == "seq" else at - 1
            sql = f"DELETE FROM {table} WHERE {column} > ?"  # noqa: S608 our own names
            await connection.execute(sql, (limit,))
        began = None if seq == 0 else at
        await connection.execute(
            "UPDATE history_progress SET seq = ?, at = ?, began = ?", (seq, at, began)
        )

    await database.write(job)
