"""Tables that all nodes of a site share: in SQLite on every node, changed through one log.

    shared = await SharedDatabase.open(database, await cluster.sys_log(site), SHARED)
    access = await Access.open(shared, clock, …)   # and WebhookTokens, Channels: as with a Database
    …
    await shared.close()                           # before the log and the database

`database` is the node's own; whatever is not shared goes on using it. `SHARED` (app.sharing.parts)
names the parts. `open` returns when this node has what the log had. `failure` says why nothing can
be changed at the moment, for the page of health.
"""

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import aiosqlite

from app.database import CLOSED, Database, DatabaseUnavailable
from app.domain.table_changes import RowsChanged
from app.log import EventLog, LogUnavailable
from app.sentences import Sentence, wording
from app.sharing.capture import captured, watch
from app.sharing.content import digest_of, everything, is_fresh, version_of
from app.sharing.follower import DIFFERENT, STEPS, Follower, TablesDiffer
from app.sharing.news import News
from app.sharing.pieces import pieces_of
from app.sharing.schema import Table, tables_of

__all__ = ["SharedDatabase", "TablesDiffer"]

T = TypeVar("T")

TRIES = 40
LONGEST_PAUSE_S = 0.25
PATIENCE_S = 30.0
CLOSE_PATIENCE_S = 10.0
# A line about each browser and each wall for so long is little enough to be kept for ever.
ROUGH_S = 900.0
SILENT = Sentence("The cluster does not let this node read what was changed. Are its servers up?")
AHEAD = Sentence(
    "This node's database is ahead of the cluster: it belongs to another one, or the cluster has "
    "lost its memory. Start the node with an empty database, or the cluster with its own streams."
)
OVERTAKEN = Sentence("Other nodes change the same things all the time. Try again in a moment.")


class SharedDatabase:
    """Tables, as those of a Database. A job given to `write` may run several times."""

    def __init__(
        self, database: Database, log: EventLog, tables: Mapping[str, Table], version: int
    ) -> None:
        self._database = database
        self._log = log
        self._tables = tables
        self._news = News()
        self._follower = Follower(database, log, tables, version, self._news.tell)
        self._following: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._parts: Mapping[str, Sequence[str]] = {}
        self._closed = False
        self.rough_s = ROUGH_S

    @classmethod
    async def open(
        cls, database: Database, log: EventLog, parts: Mapping[str, Sequence[str]]
    ) -> "SharedDatabase":
        """Make the parts' tables, read what other nodes changed, and go on following.

        A database that has rows from before there was a cluster gives them to the others, if none
        has given any. Raises DatabaseUnavailable, DatabaseTooNew, TablesDiffer.
        """
        await database.migrate("sharing", STEPS)
        for name, steps in parts.items():
            await database.migrate(name, steps)
        tables = tables_of(parts)
        await database.write_at_once(lambda connection: watch(connection, tables))
        version = await database.rehearse(version_of)
        if version > log.last_seq:
            raise DatabaseUnavailable(AHEAD)
        shared = cls(database, log, tables, version)
        shared._parts = parts
        try:
            await shared._begin()
        except BaseException:
            await shared.close()
            raise
        return shared

    @property
    def failure(self) -> str:
        """Why this node's tables stand still, as a sentence; "" when they do not."""
        return self._follower.failure

    @property
    def version(self) -> int:
        """The log's seq of the newest change that is in the tables; 0 for none."""
        return self._follower.version

    @property
    def seen(self) -> int:
        """The seq of the newest record that was read, whether it counted or not."""
        return self._follower.seen

    async def migrate(self, name: str, steps: Sequence[str]) -> None:
        """The tables were made by `open`. Raises ValueError for a part that was not named there."""
        if tuple(self._parts.get(name, ())) != tuple(steps):
            raise ValueError(f"The part '{name}' is not among those that the nodes share.")

    async def write(self, job: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        """Run the job, and return its result once the change is in the log and in the tables here.

        The job goes on when the caller is cancelled. Raises DatabaseUnavailable, or what the job
        raises. What the log did not confirm may have been stored all the same.
        """
        return await self._to_the_end(self._in_turn(job))

    async def read(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, as this node knows them. Raises DatabaseUnavailable."""
        return await self._database.read(sql, parameters)

    def on_changed(self, tables: Sequence[str], refresh: Callable[[], Awaitable[object]]) -> None:
        """Call `refresh` after rows of these tables were changed, by this node or another."""
        self._news.subscribe(tables, refresh)

    async def digest(self) -> str:
        """Equal on two nodes of the same `version`, or one of them is damaged."""
        return await self._database.rehearse(lambda connection: digest_of(connection, self._tables))

    async def close(self) -> None:
        """Let the changes under way finish, for some seconds at most, and follow no more."""
        self._closed = True
        if self._jobs:
            _, late = await asyncio.wait(self._jobs, timeout=CLOSE_PATIENCE_S)
            for job in late:
                job.cancel()
        await self._news.close()
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following

    # Inside

    async def _begin(self) -> None:
        fresh = await self._database.rehearse(lambda connection: is_fresh(connection, self._tables))
        self._follower.has_own = self.version == 0 and not fresh
        self._following = asyncio.create_task(self._follower.run(), name="shared tables")
        self._following.add_done_callback(self._follower.ended)
        await self._catch_up(self._log.last_seq)
        if self._follower.has_own:
            await self._give()

    async def _catch_up(self, seq: int) -> None:
        while self._follower.seen < seq and not self._follower.failure:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._follower.moved()
            except TimeoutError:
                raise DatabaseUnavailable(SILENT) from None
        if self._follower.refusal is not None:
            raise self._follower.refusal
        self._refuse_when_stopped()

    async def _give(self) -> None:
        """The rows from before there was a cluster become everybody's."""
        tables = await self._database.rehearse(
            lambda connection: everything(connection, self._tables)
        )
        if not await self._counted(0, tables):
            raise TablesDiffer(DIFFERENT)

    async def _to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        if self._closed:
            work.close()
            raise DatabaseUnavailable(CLOSED)
        task = asyncio.create_task(work)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        return await asyncio.shield(task)

    async def _in_turn(self, job: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        async with self._turn:
            for number in range(TRIES):
                self._refuse_when_stopped()
                base, (result, tables) = await self._database.rehearse(
                    lambda connection: self._tried(connection, job)
                )
                if not tables or await self._counted(base, tables):
                    return result
                # All who lost to one winner would meet again.
                await asyncio.sleep(random.uniform(0, min(LONGEST_PAUSE_S, 0.005 * 2**number)))  # noqa: S311 (no secret)
        raise DatabaseUnavailable(OVERTAKEN)

    async def _tried(
        self, connection: aiosqlite.Connection, job: Callable[[aiosqlite.Connection], Awaitable[T]]
    ) -> tuple[int, tuple[T, tuple[RowsChanged, ...]]]:
        return await version_of(connection), await captured(connection, self._tables, job)

    async def _counted(self, base: int, tables: Sequence[RowsChanged]) -> bool:
        """Append the change and wait for what became of it. Raises DatabaseUnavailable."""
        change = uuid.uuid4().hex
        outcome = self._follower.outcome(change)
        try:
            for piece in pieces_of(change, base, tables):
                await self._log.append([piece], f"{change}-{piece.piece}")
            async with asyncio.timeout(PATIENCE_S):
                return await outcome
        except LogUnavailable as error:
            raise DatabaseUnavailable(
                Sentence("The cluster can't store this now: {why}", why=wording(error))
            ) from error
        except TimeoutError:
            raise DatabaseUnavailable(SILENT) from None
        finally:
            self._follower.forget(change)

    def _refuse_when_stopped(self) -> None:
        if self._follower.failure:
            raise DatabaseUnavailable(self._follower.failure)
