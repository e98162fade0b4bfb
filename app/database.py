"""The one SQLite file: one connection that writes, one that only reads; it knows no tables.

Every write is a job of its own: BEGIN IMMEDIATE … COMMIT, one after the other, all or nothing.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, Self, TypeVar, cast

import aiosqlite

from app.database_connections import (
    CLOSE_PATIENCE_S,
    PRAGMAS,
    READS,
    connected,
    disconnect,
    prepared_file,
)
from app.database_faults import (
    DatabaseFull,
    DatabaseTooNew,
    DatabaseUnavailable,
    faults_in_words,
)
from app.database_files import DatabaseFiles
from app.database_turn import NoTurn, Turn
from app.faults import reach
from app.sentences import Sentence

__all__ = ["Database", "DatabaseFull", "DatabaseTooNew", "DatabaseUnavailable"]

T = TypeVar("T")

MEMORY = ":memory:"
CLOSED = Sentence("The database is closed: the program is about to end.")
OLDEST_SQLITE = (3, 37, 0)


class Database:
    """Reads and writes of one file, safe to share between all tasks of one event loop."""

    def __init__(
        self,
        writer: aiosqlite.Connection,
        reader: aiosqlite.Connection,
        files: DatabaseFiles | None = None,
        turn: Turn | NoTurn | None = None,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._files = files
        self._turn = asyncio.Lock()
        self._among_programs = turn or NoTurn()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._closed = False
        self.on_full: Callable[[], None] = lambda: None
        """Called each time there was no room to write."""
        self.failure = ""
        """What is here is all there is; see Tables."""
        self.rough_s = 0.0
        """Everything may be written down as often as is asked; see Tables."""

    @classmethod
    async def open(cls, path: str) -> Self:
        """Open the file, made (0600, its folder 0700) if missing; ":memory:" is gone when closed.

        Raises DatabaseUnavailable when it can't be opened for reading and writing.
        """
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise DatabaseUnavailable(
                f"This Python brings SQLite {sqlite3.sqlite_version}; 3.37 or newer is needed."
            )
        if path == MEMORY:
            writer = await connected(MEMORY, PRAGMAS)
            return cls(writer, writer)
        file = await asyncio.to_thread(prepared_file, path)
        async with contextlib.AsyncExitStack() as undone:
            turn = undone.enter_context(contextlib.closing(Turn(file)))
            writer = await connected(file.as_uri(), PRAGMAS)
            undone.push_async_callback(disconnect, writer)
            reader = await connected(f"{file.as_uri()}?mode=ro", READS)
            undone.pop_all()
        return cls(writer, reader, DatabaseFiles(file), turn)

    async def migrate(self, name: str, steps: Sequence[str]) -> None:
        """Bring the tables of the part `name` up to date: `steps` are SQL scripts, run once each.

        A released step never changes. Raises DatabaseTooNew when more steps than these were run.
        """

        async def job(connection: aiosqlite.Connection) -> None:
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS migration "
                "(part TEXT NOT NULL, step INTEGER NOT NULL, PRIMARY KEY (part, step)) STRICT"
            )
            sql = "SELECT coalesce(max(step), 0) FROM migration WHERE part = ?"
            [[done]] = await connection.execute_fetchall(sql, (name,))
            if done > len(steps):
                raise DatabaseTooNew(
                    f"The database was written by a newer version: its part '{name}' is at step "
                    f"{done}, this version knows {len(steps)}. Start the newer version again, or "
                    "restore a backup made before the upgrade."
                )
            for number, script in enumerate(steps[done:], done + 1):
                for statement in _statements(script):
                    await connection.execute(statement)
                await connection.execute("INSERT INTO migration VALUES (?, ?)", (name, number))

        await self.write(job)

    async def write(self, job: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        """Run the job in a transaction of its own and return its result once that is on disk.

        When the job or the commit fails nothing is stored. The job goes on when the caller is
        cancelled. It must read through the connection it gets, never through `read` or `write`.
        Raises DatabaseUnavailable, or what the job raises.
        """
        return await self._to_the_end(self._transaction(job, "COMMIT"))

    async def rehearse(self, job: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        """Run the job as `write` does, return what it found, and store nothing of it."""
        return await self._to_the_end(self._transaction(job, "ROLLBACK"))

    async def write_at_once(self, job: Callable[[sqlite3.Connection], object]) -> None:
        """The same for a job that needs no loop: it has the writing thread to itself.

        One way there and back instead of one for each statement, which is most of what a small
        transaction costs. Raises DatabaseUnavailable, or what the job raises.
        """
        await self._to_the_end(self._transaction_at_once(job))

    async def read(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, as last committed. Raises DatabaseUnavailable."""
        if self._closed:
            raise DatabaseUnavailable(CLOSED)
        async with self._reading():
            rows = await self._reader.execute_fetchall(sql, parameters)
        return cast(list[tuple[Any, ...]], rows)

    def on_changed(self, tables: Sequence[str], refresh: Callable[[], Awaitable[object]]) -> None:
        """Nobody but this process writes here while it runs, and it knows what it wrote."""

    async def close(self) -> None:
        """Let the jobs under way finish, for some seconds at most, and close the file."""
        if self._closed:
            return
        self._closed = True
        try:
            if late := await self._unfinished():
                await self._writer.interrupt()
                for job in late:
                    job.cancel()
                await self._unfinished()
        finally:
            # Also when the caller is cancelled meanwhile: nobody comes back to close the file.
            await self._close_connections()

    async def _close_connections(self) -> None:
        try:
            if self._reader is not self._writer:
                await self._reader.interrupt()
                await disconnect(self._reader)
        finally:
            # The last one to close folds the WAL into the file, and gives that up when interrupted.
            with contextlib.closing(self._among_programs), contextlib.suppress(DatabaseUnavailable):
                async with self._among_programs.taken():
                    await disconnect(self._writer)

    async def _to_the_end(self, transaction: Coroutine[Any, Any, T]) -> T:
        """Its result; it goes on when the caller is cancelled."""
        if self._closed:
            transaction.close()
            raise DatabaseUnavailable(CLOSED)
        task = asyncio.create_task(transaction)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        return await asyncio.shield(task)

    async def _unfinished(self) -> set[asyncio.Task[Any]]:
        if not self._jobs:
            return set()
        _, late = await asyncio.wait(self._jobs, timeout=CLOSE_PATIENCE_S)
        return late

    async def _transaction(
        self, job: Callable[[aiosqlite.Connection], Awaitable[T]], ending: str
    ) -> T:
        async with self._writing():
            return await self._ended(job, ending)

    @contextlib.asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        async with self._turn, self._among_programs.taken():
            try:
                if self._files:
                    self._files.check()
                with faults_in_words():
                    yield
            except DatabaseFull:
                self.on_full()
                raise

    async def _ended(self, job: Callable[[aiosqlite.Connection], Awaitable[T]], ending: str) -> T:
        try:
            await self._writer.execute("BEGIN IMMEDIATE")
            reach("begun")
            result = await job(self._writer)
            reach("before commit")
            await self._writer.execute(ending)
        except BaseException:
            # Does nothing where SQLite rolled back by itself.
            await self._writer.rollback()
            raise
        reach("after commit")
        return result

    async def _transaction_at_once(self, job: Callable[[sqlite3.Connection], object]) -> None:
        async with self._writing():
            # Private, for want of a public way to run a function where the connection lives.
            await self._writer._execute(_transact, self._writer._conn, job)  # type: ignore[no-untyped-call]

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[None]:
        # In memory both connections are one, and half a transaction would be seen.
        turn = self._turn if self._reader is self._writer else contextlib.nullcontext()
        async with turn:
            with faults_in_words():
                yield


def _transact(connection: sqlite3.Connection, job: Callable[[sqlite3.Connection], object]) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE")
        reach("begun")
        job(connection)
        reach("before commit")
        connection.execute("COMMIT")
    except BaseException:
        # Does nothing where SQLite rolled back by itself.
        connection.rollback()
        raise
    reach("after commit")


def _statements(script: str) -> Iterator[str]:
    """Split at the semicolons that end a statement: `executescript` would commit first."""
    pending = ""
    for piece in script.split(";"):
        pending += piece + ";"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending:
        yield pending
