"""One program at a time serves a database: a lock on a file beside it, gone with the process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.database import MEMORY
from app.keeping import KeepingError


@contextmanager
def holding(path: str) -> Iterator[None]:
    """Hold the database at `path`. Raises KeepingError where another program does."""
    if path == MEMORY:
        yield
        return
    try:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise KeepingError(
            f"The folder of the database {path} can't be written to: {error.strerror}. "
            "Check that it exists and belongs to the user who runs the program."
        ) from error
    try:
        _take(lock, path)
        yield
    finally:
        os.close(lock)


def _take(lock: int, path: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise KeepingError(
            f"Another Pitwall is running on the database {path}. Stop it first."
        ) from error
