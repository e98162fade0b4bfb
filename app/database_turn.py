"""Whose turn it is to write a database: the running program's, or a command's beside it.

SQLite's own locks keep transactions apart, and until 3.51.3 that is not enough: a checkpoint of one
connection and a write of another at the same instant can damage the file (its "WAL-reset bug").
"""

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

from app.database_faults import FAULTS, DatabaseUnavailable

PATIENCE_S = 5.0
LOOK_S = 0.001


class Turn:
    """One at a time, over all programs that write the database `file`."""

    def __init__(self, file: Path) -> None:
        """Raises DatabaseUnavailable."""
        try:
            self._lock = open(f"{file}.turn", "wb", opener=_for_its_owner)  # noqa: SIM115 - close()
        except OSError:
            raise DatabaseUnavailable(FAULTS[sqlite3.SQLITE_CANTOPEN]) from None

    @contextlib.asynccontextmanager
    async def taken(self, patience_s: float = PATIENCE_S) -> AsyncIterator[None]:
        """Ours until the block ends. Raises DatabaseUnavailable where others keep it for long."""
        await self._take(time.monotonic() + patience_s)
        try:
            yield
        finally:
            # Closed meanwhile, it went with the file.
            with contextlib.suppress(ValueError):
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    async def _take(self, deadline: float) -> None:
        while True:
            try:
                return fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DatabaseUnavailable(FAULTS[sqlite3.SQLITE_BUSY]) from None
            except OSError:
                # A network's drive may have no locks to give.
                raise DatabaseUnavailable(FAULTS[sqlite3.SQLITE_IOERR]) from None
            await asyncio.sleep(LOOK_S)

    def close(self) -> None:
        """It is never asked for again."""
        self._lock.close()


class NoTurn:
    """What is in memory has no other programs."""

    @contextlib.asynccontextmanager
    async def taken(self, patience_s: float = PATIENCE_S) -> AsyncIterator[None]:
        """At once."""
        yield

    def close(self) -> None:
        """Nothing was opened."""


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
