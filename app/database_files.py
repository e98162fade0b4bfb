"""Are a database's files still those that were opened? SQLite writes into deleted ones for ever."""

import os
from pathlib import Path

from app.database_faults import DatabaseUnavailable
from app.sentences import Sentence

MOVED = Sentence(
    "The database file was deleted, moved or replaced while in use. Put it back, and saving goes "
    "on by itself; restart to go on with the file that is there now."
)
# The write-ahead log is part of the database: what was saved last is only there.
PARTS = ("", "-wal")

Identity = tuple[int, int]


class DatabaseFiles:
    """The files of the database at `path`, as they were when first seen."""

    def __init__(self, path: Path) -> None:
        self._paths = [f"{path}{part}" for part in PARTS]
        self._known: dict[str, Identity] = {}

    def check(self) -> None:
        """Raises DatabaseUnavailable when one of them is no longer the same file."""
        for path in self._paths:
            found = _identity(path)
            known = self._known.get(path)
            if known is None and found is not None:
                self._known[path] = found
            elif found != known:
                raise DatabaseUnavailable(MOVED)


def _identity(path: str) -> Identity | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
