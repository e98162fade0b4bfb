"""Puts one database in another's place, so that a crash at any moment leaves one of the two there.

First the new one lies whole on the disk, under a name that says what is to be done; then the old
one is moved aside, and the new one takes its name. What a crash interrupted, the next start ends.
"""

import os
import shutil
from pathlib import Path

from app.keeping import move_aside

REPLACEMENT = "replacement"


def replace(database: Path, new: Path | None, word: str, at: int) -> Path | None:
    """Put a copy of `new` there (None: an empty database); where the old one was moved to.

    `word` says in the old one's name why. Raises OSError; then nothing was changed.
    """
    finish(database, at)
    ready = database.with_name(f"{database.name}.{word}.{REPLACEMENT}")
    partial = ready.with_name(f".{ready.name}.partial")
    try:
        with os.fdopen(_made(partial), "wb") as copy:
            if new is not None:
                with new.open("rb") as source:
                    shutil.copyfileobj(source, copy)
        to_disk(partial)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    partial.rename(ready)
    return _finished(database, ready, word, at)


def finish(database: Path, at: int) -> Path | None:
    """End what a crash interrupted; where the old database was moved to. None: nothing was."""
    for ready in database.parent.glob(f"{database.name}.*.{REPLACEMENT}"):
        word = ready.name.removeprefix(f"{database.name}.").removesuffix(f".{REPLACEMENT}")
        return _finished(database, ready, word, at)
    return None


def _finished(database: Path, ready: Path, word: str, at: int) -> Path | None:
    to_disk(database.parent)
    aside = move_aside(database, word, at)
    ready.rename(database)
    to_disk(database.parent)
    return aside


def to_disk(path: Path) -> None:
    """Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _made(path: Path) -> int:
    path.unlink(missing_ok=True)
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
