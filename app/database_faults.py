"""What can be wrong with a database, in words: the disk's and the file's faults, not ours."""

import contextlib
import sqlite3
from collections.abc import Iterator

from app.sentences import Sentence, joined

# What SQLite may run into through no fault of the program, and what a person can do about it.
# Any other error is a bug in a statement, and passes as it is.
FAULTS = {
    sqlite3.SQLITE_FULL: Sentence(
        "The disk is full. Free some space; saving then goes on by itself."
    ),
    sqlite3.SQLITE_IOERR: Sentence(
        "The disk refuses to read or write. Check the disk and its quota."
    ),
    sqlite3.SQLITE_BUSY: Sentence(
        "Another program keeps the database locked. Find it and let it finish."
    ),
    sqlite3.SQLITE_LOCKED: Sentence("The database is locked. Try again in a moment."),
    sqlite3.SQLITE_READONLY: Sentence(
        "The database is read-only. Check who owns its file and folder."
    ),
    sqlite3.SQLITE_CANTOPEN: Sentence(
        "The database can't be opened. Check its folder and its owner."
    ),
    sqlite3.SQLITE_PERM: Sentence(
        "The database may not be opened. Check who owns its file and folder."
    ),
    sqlite3.SQLITE_PROTOCOL: Sentence(
        "The database's lock can't be taken. Is it on a network drive?"
    ),
    sqlite3.SQLITE_INTERRUPT: Sentence(
        "The database was closed before the statement could finish."
    ),
    sqlite3.SQLITE_CORRUPT: Sentence(
        "The database file is damaged. Restore the newest good backup."
    ),
    sqlite3.SQLITE_NOTADB: Sentence(
        "The file is not a database, or damaged. Restore the newest backup."
    ),
}

# A quota shows as a failed write.
NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})


class DatabaseUnavailable(Exception):
    """Nothing was stored or read: a sentence for the operator says why, and what to do."""


class DatabaseFull(DatabaseUnavailable):
    """There is no room to write; reading still works."""


class DatabaseTooNew(Exception):
    """A newer version of the program wrote this database; this one must not touch it."""


@contextlib.contextmanager
def faults_in_words() -> Iterator[None]:
    """Tell the world's faults (DatabaseUnavailable) from the program's (left as they are)."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code not in FAULTS:
            raise
        kind = DatabaseFull if error.sqlite_errorcode in NO_ROOM else DatabaseUnavailable
        raise kind(joined(" ", [FAULTS[code], f"({error.sqlite_errorname})"])) from error
