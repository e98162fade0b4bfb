"""Before anything opens the database: is it sound, and if not, what takes its place.

A damaged file is moved aside, never overwritten and never continued; the newest good backup, or an
empty database, takes its place, and that is said.
"""

import logging
import math
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from app.database import MEMORY
from app.keeping import KeepingError
from app.keeping.backup import backups, is_sound
from app.keeping.replacing import finish, replace
from app.keeping.wal import frames_of

START_PATIENCE_S = 3.0
DAILY_PATIENCE_S = 600.0
DAMAGED = "damaged"
# A look at the clock each so many steps of SQLite's virtual machine.
STEPS = 20_000
NOT_SOUND = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

logger = logging.getLogger(__name__)


def ensure_sound(path: str, now: int, patience_s: float = START_PATIENCE_S) -> str:
    """Check the database before it is opened; return what was found wrong, "" for nothing.

    Raises KeepingError where it is damaged and nothing can be put in its place.
    """
    if path == MEMORY:
        return ""
    file = Path(path)
    _end_interrupted(file, now)
    # What can't be used is said in words by whoever opens it next.
    if not file.exists() or file.stat().st_size == 0 or not os.access(file, os.R_OK | os.W_OK):
        return ""
    mark, written = _mark(file), frames_of(file)
    problem, taken = _problem_at_start(file, math.inf if mark.exists() else patience_s)
    if problem:
        told = _replace(file, problem, now)
        mark.unlink(missing_ok=True)
        return told
    mark.unlink(missing_ok=True)
    if lost := written.lost_after(taken):
        told = (
            f"The disk lost what was written last: {lost} transactions of the write-ahead log are "
            f"damaged, so the database ends before them. Webhooks of that moment are missing."
        )
        logger.error(told)
        return told
    return ""


def suspect(file: Path) -> None:
    """Have the next start look at all of it, however long that takes: damage was found."""
    try:
        _mark(file).touch(mode=0o600)
    except OSError as error:
        logger.error("The next start will not look at the whole database: %s", error)


def problem_of(file: Path, patience_s: float) -> str:
    """What is wrong with the file; "" for nothing, or not enough time to see all of it.

    It only reads, so it may be asked while the database is in use.
    """
    return _problem_of(file, "?mode=ro", patience_s, _untouched)[0]


def _problem_at_start(file: Path, patience_s: float) -> tuple[str, int]:
    """The same, and how many frames of its write-ahead log SQLite could take over."""
    return _problem_of(file, "", patience_s, _taken_over)


def _problem_of(
    file: Path, mode: str, patience_s: float, before: Callable[[sqlite3.Connection], int]
) -> tuple[str, int]:
    deadline = time.monotonic() + patience_s
    try:
        with closing(sqlite3.connect(file.absolute().as_uri() + mode, uri=True)) as connection:
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            taken = before(connection)
            connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
            return _checked(connection), taken
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in NOT_SOUND:
            return str(error), 0
        if code != sqlite3.SQLITE_INTERRUPT:
            # Locked, read-only and the like: whoever opens it next says so in words.
            logger.warning("The database could not be checked: %s", error)
    return "", 0


def _untouched(connection: sqlite3.Connection) -> int:
    return 0


def _taken_over(connection: sqlite3.Connection) -> int:
    _, taken, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(taken)


def _checked(connection: sqlite3.Connection) -> str:
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            logger.info("The database is too large to be checked whole in the time that is given.")
            return ""
        raise
    return "" if found == "ok" else str(found)


def _mark(file: Path) -> Path:
    return file.with_name(f"{file.name}.suspect")


def _end_interrupted(file: Path, now: int) -> None:
    try:
        aside = finish(file, now)
    except OSError as error:
        raise KeepingError(f"The database could not be put into its place: {error}.") from error
    if aside:
        logger.warning("The database was being replaced; the one before it is %s.", aside.name)


def _replace(file: Path, problem: str, now: int) -> str:
    good = next((backup for backup in backups(file) if is_sound(backup)), None)
    try:
        aside = replace(file, good, DAMAGED, now)
    except OSError as error:
        raise KeepingError(
            f"The database is damaged ({problem}), and nothing could be put in its place: {error}. "
            "It was left where it is. See to the disk, and start again."
        ) from error
    instead = f"the backup {good.name} is used instead" if good else "an empty one is used instead"
    told = (
        f"The database was damaged ({problem}). It was moved to {aside.name if aside else '?'}, "
        f"and {instead}. What came since that backup is missing. Have the disk checked."
    )
    logger.critical(told)
    return told


def damaged_files(path: str) -> list[Path]:
    """Databases that were moved aside and that nobody has taken away yet, the newest first."""
    if path == MEMORY:
        return []
    file = Path(path)
    found = file.parent.glob(f"{file.name}.{DAMAGED}-*")
    return sorted(
        (each for each in found if not each.name.endswith(("-wal", "-shm"))), reverse=True
    )
