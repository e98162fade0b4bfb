"""A log in the SQLite file: what `append` returned from is on disk. Batches: see `commits`."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Self

import aiosqlite

from app.database import Database, DatabaseUnavailable
from app.domain.events import Event
from app.faults import reach
from app.inserting import insert_all
from app.log import LogUnavailable, Record, Snapshot
from app.log.codec import decode, read_back
from app.log.commits import GroupCommit, Waiting
from app.log.receipts import RECEIPT_MS, Receipts
from app.log.tail import CHUNK, Tail
from app.sentences import Sentence, joined, wording

STEPS = (
    """
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        rid TEXT
    ) STRICT;
    CREATE TABLE snapshot (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    """,
)
NO_SNAPSHOT = Sentence("The snapshot could not be saved.")
NOT_SAVED = Sentence("The events could not be saved.")
NOT_ALONE = Sentence("Another program appends to this log. Stop it, then start this one again.")
NOT_READ = Sentence("The log could not be read.")
EventRow = tuple[int, int, str, str, str | None]


class SqliteLog:
    """An EventLog. The database stays its opener's: `close` does not close it."""

    def __init__(
        self, database: Database, clock: Callable[[], int], last_seq: int = 0, last_at: int = 0
    ) -> None:
        self._database = database
        self._clock = clock
        self._at = last_at
        self._tail = Tail(last_seq)
        self._receipts = Receipts()
        self._commits = GroupCommit(self._write)
        self._closed = False
        self._failure = ""

    @classmethod
    async def open(cls, database: Database, clock: Callable[[], int]) -> Self:
        """The log in this database; `clock` tells ms since the epoch, UTC.

        Raises DatabaseUnavailable or DatabaseTooNew.
        """
        await database.migrate("log", STEPS)
        newest = await database.read("SELECT seq, at FROM event ORDER BY seq DESC LIMIT 1")
        log = cls(database, clock, *(newest[0] if newest else ()))
        await log._recall_receipts()
        return log

    @property
    def last_seq(self) -> int:
        """The newest stored record's seq, 0 for an empty log."""
        return self._tail.last_seq

    @property
    def failure(self) -> str:
        """Why the last batch was not stored; "" when it was."""
        return self._failure

    @property
    def waiting(self) -> float:
        """How full the queue for the disk is, from 0 to 1."""
        return self._commits.fill

    async def append(self, events: Sequence[Event], rid: str | None = None) -> int:
        """Store the events together; see EventLog. They are stored even if the caller is cancelled.

        Raises LogUnavailable; ValueError for an event that could not be read back.
        """
        if self._closed:
            raise LogUnavailable(Sentence("The log is closed: the program is about to end."))
        now = self._clock()
        if rid is not None:
            if (seq := self._receipts.find(rid, now)) is not None:
                return seq
            if twin := self._commits.find(rid):
                return await asyncio.shield(twin.stored)
        if not events:
            return self.last_seq
        entry = self._entry(events, rid, now)
        self._commits.add(entry)
        # Only a twin of this request may wait for the same thing, and must not lose it with us.
        return await (entry.stored if rid is None else asyncio.shield(entry.stored))

    def follow(self, after: int = 0) -> AsyncIterator[Sequence[Record]]:
        """Yield every record after `after`, then live; ends when the log is closed.

        Raises LogUnavailable when the disk can't be read, EventUnreadable for what is no event.
        """
        return self._tail.follow(after, self._stored)

    async def records(self, seqs: Sequence[int]) -> Sequence[Record]:
        """The records of these seqs, in order. Raises LogUnavailable."""
        sql = (
            "SELECT seq, at, kind, body FROM event "
            "WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq"
        )
        rows = await self._read(sql, json.dumps([*seqs]))
        return [Record(seq, at, decode(kind, body)) for seq, at, kind, body in rows]

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep this snapshot, the one before it, and the oldest. Raises LogUnavailable.

        A purged log begins at the oldest, and says too little without, also while it is purged.
        """

        async def job(connection: aiosqlite.Connection) -> None:
            row = (snapshot.seq, snapshot.body)
            await connection.execute("INSERT OR REPLACE INTO snapshot VALUES (?, ?)", row)
            reach("snapshot")
            await connection.execute(
                "DELETE FROM snapshot WHERE seq NOT IN "
                "(SELECT seq FROM snapshot ORDER BY seq DESC LIMIT 2) "
                "AND seq > (SELECT min(seq) FROM snapshot)"
            )

        try:
            await self._database.write(job)
        except DatabaseUnavailable as error:
            raise LogUnavailable(joined(" ", [NO_SNAPSHOT, wording(error)])) from error

    async def latest_snapshot(self, before: int | None = None) -> Snapshot | None:
        """The newest snapshot kept, if any, but none of a longer log. Raises LogUnavailable."""
        sql = "SELECT seq, body FROM snapshot WHERE seq <= ? ORDER BY seq DESC LIMIT 1"
        newest = self.last_seq if before is None else min(self.last_seq, before - 1)
        rows = await self._read(sql, newest)
        return Snapshot(*rows[0]) if rows else None

    async def close(self) -> None:
        """Finish what was appended; followers end when they have seen all."""
        self._closed = True
        await self._commits.close()
        self._tail.close()

    def _entry(self, events: Sequence[Event], rid: str | None, now: int) -> Waiting:
        readable, bodies = read_back(events)
        self._at = max(self._at, now)
        return Waiting(readable, bodies, self._at, now, rid)

    async def _write(self, batch: Sequence[Waiting]) -> None:
        rows = _rows(batch, self.last_seq + 1)

        try:
            await self._database.write_at_once(lambda connection: _insert(connection, rows))
        except DatabaseUnavailable as error:
            self._failure = wording(error)
            raise LogUnavailable(joined(" ", [NOT_SAVED, wording(error)])) from error
        except sqlite3.IntegrityError as error:
            self._failure = NOT_ALONE
            raise LogUnavailable(NOT_ALONE) from error
        self._failure = ""
        self._publish(batch)

    def _publish(self, batch: Sequence[Waiting]) -> None:
        records: list[Record] = []
        last = seq = self.last_seq
        for entry in batch:
            for event in entry.events:
                seq += 1
                records.append(Record(seq, entry.at, event))
        # All together: followers are woken once.
        self._tail.publish(records)
        for entry in batch:
            last += len(entry.events)
            if entry.rid is not None:
                self._receipts.keep(entry.rid, last, entry.now)
            # The caller may have been cancelled meanwhile; the event is stored all the same.
            if not entry.stored.done():
                entry.stored.set_result(last)

    async def _stored(self, after: int) -> Sequence[Record]:
        sql = (
            "SELECT seq, at, kind, body FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        )
        rows = await self._read(sql, after, self.last_seq, CHUNK)
        return [Record(seq, at, decode(kind, body)) for seq, at, kind, body in rows]

    async def _recall_receipts(self) -> None:
        """Read the receipts of the last two minutes, from the newest back; keep oldest first."""
        sql = "SELECT seq, at, rid FROM event WHERE seq < ? ORDER BY seq DESC LIMIT ?"
        before, found = self.last_seq + 1, []
        while rows := await self._database.read(sql, (before, CHUNK)):
            found += [(rid, seq, at) for seq, at, rid in rows if rid is not None]
            before, at, _ = rows[-1]
            if at < self._at - RECEIPT_MS:
                break
        for receipt in reversed(found):
            self._receipts.keep(*receipt)

    async def _read(self, sql: str, *parameters: int | str) -> list[tuple[Any, ...]]:
        try:
            return await self._database.read(sql, parameters)
        except DatabaseUnavailable as error:
            raise LogUnavailable(joined(" ", [NOT_READ, wording(error)])) from error


def _insert(connection: sqlite3.Connection, rows: Sequence[EventRow]) -> None:
    insert_all(connection, "INSERT INTO event", rows)
    reach("inserted")


def _rows(batch: Sequence[Waiting], first: int) -> list[EventRow]:
    """Rows of `event`. The last one of an append has its rid, because its seq is the answer."""
    rows: list[EventRow] = []
    for entry in batch:
        left = len(entry.bodies)
        for kind, body in entry.bodies:
            left -= 1
            rows.append((first + len(rows), entry.at, kind, body, None if left else entry.rid))
    return rows
