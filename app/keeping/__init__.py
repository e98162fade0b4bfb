"""What keeps the database sound, small and restorable: checks, backups, retention, erasure."""

from datetime import UTC, datetime
from pathlib import Path

BESIDE = ("", "-wal", "-shm")


class KeepingError(Exception):
    """A backup, a restore or an erasure was not done; the sentence says why and what to do."""


def stamp(at: int) -> str:
    """A moment (ms) as it stands in file names, UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%d-%H%M%S")


def move_aside(path: Path, word: str, at: int) -> Path:
    """Rename the database, with what SQLite keeps beside it; nothing is ever overwritten."""
    aside = path.with_name(f"{path.name}.{word}-{stamp(at)}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.{word}-{stamp(at)}-{number}")
    for suffix in BESIDE:
        piece = path.with_name(path.name + suffix)
        if piece.exists():
            piece.rename(aside.with_name(aside.name + suffix))
    return aside
