"""Reads the changes of all nodes in the one order of the log and applies those that count.

A change counts if nothing was applied since its author looked. Every node decides so by the same
log alone, and keeps the place of the last one that counted in the transaction that applied it.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping

from app.database import Database, DatabaseTooNew, DatabaseUnavailable
from app.domain.table_changes import RowsChanged, TablesChanged
from app.faults import reach
from app.log import EventLog, LogDamaged, LogUnavailable, Record
from app.log.codec import EventUnreadable
from app.sentences import Sentence, wording
from app.sharing.applying import apply, refuse_unknown
from app.sharing.pieces import Pieces
from app.sharing.schema import Table

AGAIN_S = 1.0
STEPS = (
    """CREATE TABLE shared_position (
        number INTEGER PRIMARY KEY CHECK (number = 1),
        version INTEGER NOT NULL
    ) STRICT""",
    "INSERT INTO shared_position VALUES (1, 0)",
)
VERSION = "SELECT version FROM main.shared_position"
DIFFERENT = Sentence(
    "The users, walls and audit of this node are not those of the other nodes. Stop it, and start "
    "it with an empty database or with a copy of another node's."
)
LACKING = Sentence(
    "The cluster no longer has all that this node missed. Start it with a copy of another node's "
    "database."
)

logger = logging.getLogger(__name__)


class TablesDiffer(DatabaseUnavailable):
    """This node's rows are not what the log says they are; it must not go on with them."""


class Follower:
    """One node's follower. `version` is the seq of the last change that counted, 0 for none.

    `has_own`: there are rows already though nothing was applied yet. `tell` hears which tables
    were changed.
    """

    def __init__(
        self,
        database: Database,
        log: EventLog,
        tables: Mapping[str, Table],
        version: int,
        tell: Callable[[Iterable[str]], None],
    ) -> None:
        self._database = database
        self._log = log
        self._tables = tables
        self._tell = tell
        self._pieces = Pieces()
        self._outcomes: dict[str, asyncio.Future[bool]] = {}
        self._moved = asyncio.Event()
        self.version = version
        self.seen = version
        self.has_own = False
        self.failure = ""
        self.refusal: Exception | None = None
        """Why it has ended: nothing but a new start helps."""

    def outcome(self, change: str) -> asyncio.Future[bool]:
        """Whether this change, which is about to be appended, counted. Raises DatabaseUnavailable.

        Ask before it is appended, and `forget` it at the end.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._outcomes[change] = future
        return future

    def forget(self, change: str) -> None:
        future = self._outcomes.pop(change, None)
        if future is not None and not future.cancel() and not future.cancelled():
            # Looked at, or else the loop complains of an error that nobody waited for.
            future.exception()

    def moved(self) -> Awaitable[bool]:
        """Wait for the next records that were read, or for a failure."""
        return self._moved.wait()

    async def run(self) -> None:
        """Follow until cancelled, or until it has a `refusal`."""
        while self.refusal is None:
            try:
                await self._follow()
                return
            except (DatabaseTooNew, TablesDiffer, LogDamaged, EventUnreadable) as error:
                self.refusal = error
                self._fail(error)
            except DatabaseUnavailable as error:
                self._fail(error)
                await asyncio.sleep(AGAIN_S)
            except LogUnavailable as error:
                self._fail(error)
                await asyncio.sleep(AGAIN_S)
                # Perhaps there is nothing more to read, whose arrival would end the failure.
                self.failure = ""

    def ended(self, following: asyncio.Task[None]) -> None:
        """Say so where it ended by a fault of the program: nobody else would hear of it."""
        error = None if following.cancelled() else following.exception()
        if isinstance(error, Exception):
            logger.critical("The shared tables are no longer followed.", exc_info=error)
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        sentence = wording(error)
        if sentence != self.failure:
            logger.error("The shared tables stand still: %s", sentence)
        self.failure = sentence
        for future in self._outcomes.values():
            if not future.done():
                future.set_exception(DatabaseUnavailable(sentence))
        self._ring()

    def _ring(self) -> None:
        rung, self._moved = self._moved, asyncio.Event()
        rung.set()

    async def _follow(self) -> None:
        self._pieces.clear()
        self.seen = self.version
        async for records in self._log.follow(self.version):
            for record in records:
                await self._read(record)
            self.failure = ""
            self._ring()

    async def _read(self, record: Record) -> None:
        if record.seq != self.seen + 1:
            raise LogDamaged(LACKING)
        if isinstance(record.event, TablesChanged):
            await self._judge(record.seq, record.event)
        self.seen = record.seq

    async def _judge(self, seq: int, piece: TablesChanged) -> None:
        if piece.base != self.version:
            self._decide(piece.change, counted=False)
            return
        refuse_unknown(self._tables, piece.tables)
        changes = self._pieces.whole(piece)
        if changes is not None:
            await self._apply(seq, piece.change, changes)

    async def _apply(self, seq: int, change: str, changes: tuple[RowsChanged, ...]) -> None:
        if self.has_own and change not in self._outcomes:
            raise TablesDiffer(DIFFERENT)
        reach("before applied")
        try:
            await self._database.write_at_once(
                lambda connection: self._store(connection, seq, changes)
            )
        except sqlite3.IntegrityError as error:
            raise TablesDiffer(DIFFERENT) from error
        self.has_own = False
        self.version = seq
        self._pieces.clear()
        self._decide(change, counted=True)
        self._tell({change.table for change in changes})

    def _store(
        self, connection: sqlite3.Connection, seq: int, changes: tuple[RowsChanged, ...]
    ) -> None:
        [version] = connection.execute(VERSION).fetchone()
        if version >= seq:
            # Another program on the same file was faster.
            return
        apply(connection, self._tables, changes)
        connection.execute("UPDATE main.shared_position SET version = ?", (seq,))

    def _decide(self, change: str, *, counted: bool) -> None:
        future = self._outcomes.get(change)
        if future is not None and not future.done():
            future.set_result(counted)
