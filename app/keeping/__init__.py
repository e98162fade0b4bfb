"""What keeps the database sound, small and restorable: checks, backups, retention, erasure."""

from datetime import UTC, datetime
from pathlib import Path

# The write-ahead log first: with a database that is not its own it would be the end of that.
PIECES = ("-wal", "-shm", "")


class KeepingError(Exception):
    """A backup, a restore or an erasure was not done; the sentence says why and what to do."""


def stamp(at: int) -> str:
    """A moment (ms) as it stands in file names, UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%d-%H%M%S")


def move_aside(path: Path, word: str, at: int) -> Path | None:
    """Rename the database, with what SQLite keeps beside it; None where there is none.

    Nothing is ever overwritten. Raises OSError.
    """
    pieces = [suffix for suffix in PIECES if _piece(path, suffix).exists()]
    aside, number = path.with_name(f"{path.name}.{word}-{stamp(at)}"), 1
    while any(_piece(aside, suffix).exists() for suffix in PIECES):
        number += 1
        aside = path.with_name(f"{path.name}.{word}-{stamp(at)}-{number}")
    for suffix in pieces:
        _piece(path, suffix).rename(_piece(aside, suffix))
    return aside if pieces else None


def _piece(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
