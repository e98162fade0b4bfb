"""Opens and closes one SQLite connection as everything here wants it: durable, and never for ever.

Nothing that hangs in a disk may keep the program from ending.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import aiosqlite

from app.database_faults import DatabaseUnavailable, faults_in_words

CLOSE_PATIENCE_S = 10.0

PRAGMAS = (
    "busy_timeout=5000",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "wal_autocheckpoint=1000",
    "journal_size_limit=67108864",
)
READS = ("busy_timeout=5000", "query_only=ON")


def prepared_file(path: str) -> Path:
    """The file, made (0600, its folder 0700) if missing. Raises DatabaseUnavailable."""
    file = Path(path).absolute()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseUnavailable(
            f"The database {path} can't be opened for writing: {error.strerror}. "
            "Check that its folder exists and belongs to the user who runs the program."
        ) from error
    return file


async def connected(uri: str, pragmas: Sequence[str]) -> aiosqlite.Connection:
    """A connection with these settings. Raises DatabaseUnavailable."""
    connection = aiosqlite.connect(uri, uri=True, isolation_level=None)
    # Private, for want of a public way: a forgotten close must not keep the process alive.
    connection._thread.daemon = True
    with faults_in_words():
        await connection
        try:
            for pragma in pragmas:
                await connection.execute_fetchall(f"PRAGMA {pragma}")
        except BaseException:
            await disconnect(connection)
            raise
    return connection


async def disconnect(connection: aiosqlite.Connection) -> None:
    """Close it, and wait for that some seconds at most."""
    # `connection.close()` can't be given up, and a disk that hangs must not hang the program.
    if stopped := connection.stop():
        await asyncio.wait([stopped], timeout=CLOSE_PATIENCE_S)
