"""Chooses the log by its address: `memory:`, or `sqlite:` and the path of the file."""

from collections.abc import Callable

from app.database import MEMORY, Database
from app.log import EventLog
from app.log.memory import MemoryLog
from app.log.sqlite import SqliteLog


def database_path(url: str) -> str:
    """The path of the database that goes with a log's address. Raises ValueError."""
    if url == "memory:":
        return MEMORY
    scheme, _, path = url.partition(":")
    if scheme == "sqlite" and path:
        return path
    raise ValueError(f"'{url}' is no address of a log. Write memory: or sqlite:path/to/pitwall.db.")


async def open_log(url: str, database: Database, clock: Callable[[], int]) -> EventLog:
    """The log at this address. `database` is the one opened at `database_path(url)`."""
    if database_path(url) == MEMORY:
        return MemoryLog(clock)
    return await SqliteLog.open(database, clock)
