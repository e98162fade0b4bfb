"""Backups: a whole database in one file, checked after it was written, readable by its owner."""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.keeping import KeepingError, stamp
from app.keeping.replacing import replace, to_disk

FOLDER = "backups"
PREFIX = "pitwall-"
# Of a moment, as `stamp` writes it.
STAMP = "[0-9]" * 8 + "-" + "[0-9]" * 6
BEFORE_RESTORE = "before-restore"


def backups(database: Path) -> list[Path]:
    """The nightly backups of a database, the newest first; what has another name is none."""
    return sorted((database.parent / FOLDER).glob(f"{PREFIX}{STAMP}.db"), reverse=True)


def nightly(database: Path, now: int) -> Path:
    """Make a backup beside the database. Raises KeepingError."""
    folder = database.parent / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise KeepingError(f"The backup was not made: {folder}: {error.strerror}.") from error
    target = folder / f"{PREFIX}{stamp(now)}.db"
    back_up(database, target)
    return target


def forget_old(database: Path, now: int, days: int) -> int:
    """Delete nightly backups older than that, never the newest one; how many.

    Raises KeepingError.
    """
    oldest = datetime.fromtimestamp(now / 1000, UTC) - timedelta(days=days)
    last = f"{PREFIX}{oldest:%Y%m%d-%H%M%S}"
    try:
        old = [each for each in backups(database)[1:] if each.stem < last]
        for each in old:
            each.unlink(missing_ok=True)
    except OSError as error:
        raise KeepingError(f"Old backups can't be deleted: {error}.") from error
    return len(old)


def back_up(database: Path, target: Path) -> None:
    """Write all of the database into the new file `target` (0600), also while it is in use.

    Raises KeepingError; then there is no such file.
    """
    partial = target.with_name(f".{target.name}.partial")
    try:
        if not database.exists():
            raise KeepingError(f"There is no database {database}.")
        if target.exists():
            raise KeepingError(f"{target} is there already; a backup overwrites nothing.")
        partial.unlink(missing_ok=True)
        # VACUUM INTO takes an empty file and keeps its mode.
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _vacuum_into(database, partial)
        if not is_sound(partial):
            raise KeepingError(f"The backup of {database} is damaged, so it was not kept.")
        to_disk(partial)
        partial.rename(target)
        to_disk(target.parent)
    except (OSError, sqlite3.DatabaseError) as error:
        raise KeepingError(f"The backup was not made: {error}.") from error
    finally:
        # Where the folder may not be written to there is none, and even this is refused.
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def restore(backup: Path, database: Path, now: int) -> Path | None:
    """Put the backup in the database's place; returns where the present one was moved to.

    Raises KeepingError; then nothing was changed. The program must not run meanwhile.
    """
    if not backup.is_file():
        raise KeepingError(f"There is no backup {backup}.")
    if not is_sound(backup):
        raise KeepingError(f"{backup} is damaged or no database; nothing was changed.")
    try:
        return replace(database, backup, BEFORE_RESTORE, now)
    except OSError as error:
        raise KeepingError(
            f"The backup could not be copied: {error}. The database is as it was."
        ) from error


def is_sound(file: Path) -> bool:
    """It is a whole, undamaged database."""
    uri = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    except sqlite3.DatabaseError:
        return False
    return bool(found == "ok" and tables)


def _vacuum_into(database: Path, target: Path) -> None:
    uri = f"{database.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("VACUUM INTO ?", (str(target),))
