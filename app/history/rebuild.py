"""Builds the history anew from the log: after an upgrade that counts differently, or a doubt."""

from collections.abc import Callable

from app.database import Database
from app.domain.caps import USUAL, Caps
from app.domain.days import BusinessDay
from app.history.follower import History, Superseded, wipe
from app.history.tables import STEPS
from app.log import EventLog
from app.log.open import database_path, open_log


async def rebuild(url: str, days: BusinessDay, clock: Callable[[], int], caps: Caps = USUAL) -> int:
    """Drop and rebuild the history of the log at `url`; how many events it was made of.

    A running server notices and takes part, so it need not be stopped. Raises DatabaseUnavailable,
    DatabaseTooNew, LogUnavailable or EventUnreadable.
    """
    database = await Database.open(database_path(url))
    try:
        log = await open_log(url, database, clock)
        try:
            return await rebuild_from(log, database, days, caps)
        finally:
            await log.close()
    finally:
        await database.close()


async def rebuild_from(
    log: EventLog, database: Database, days: BusinessDay, caps: Caps = USUAL
) -> int:
    """The same where both are open already."""
    await database.migrate("history", STEPS)
    await wipe(database)
    await _follow(await History.open(database, log, days, caps))
    return log.last_seq


async def _follow(history: History) -> None:
    """Where a running server writes as well, whoever is first wins and the other goes on there."""
    while True:
        try:
            await history.catch_up()
        except Superseded:
            history = await History.open(history.database, history.log, history.days, history.caps)
        else:
            return
