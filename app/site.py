"""One running site: its parts, and the loops that must turn for as long as it is open."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from app.assembly import assembled
from app.database import DatabaseTooNew, DatabaseUnavailable
from app.ending import END_S, end
from app.ground import Ground
from app.keeping import KeepingError
from app.keeping.upkeep import DatabaseDamaged
from app.log import LogDamaged, LogUnavailable
from app.log.codec import EventUnreadable
from app.peers import PeerCounts
from app.settings import Settings
from app.sharing import TablesDiffer
from app.web.parts import Parts

# Why a site can't be opened, in words.
REFUSALS = (
    DatabaseUnavailable,
    DatabaseTooNew,
    KeepingError,
    LogUnavailable,
    LogDamaged,
    EventUnreadable,
    TablesDiffer,
)

Death = Callable[[str], None]

logger = logging.getLogger(__name__)


@asynccontextmanager
async def running_site(
    ground: Ground,
    settings: Settings,
    clock: Callable[[], int],
    on_death: Death,
    unparsable: PeerCounts | None = None,
) -> AsyncIterator[Parts]:
    """The site is open and its loops run until the block ends. Raises one of REFUSALS.

    `on_death` hears the name of a loop that has ended: a frozen board must not answer as if it
    lived.
    """
    async with assembled(ground, settings, clock, unparsable) as site:
        tasks = [_watched(name, loop(), on_death) for name, loop in site.loops.items()]
        try:
            yield site.parts
        finally:
            # The last first: what it began it may finish, and for that it needs those before it.
            for task in reversed(tasks):
                await end(task, END_S)


def _watched(name: str, loop: Coroutine[Any, Any, None], on_death: Death) -> asyncio.Task[None]:
    def ended(task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, DatabaseDamaged):
            # No fault of ours, and all that a person can use is in its sentence.
            logger.critical("%s", error)
        else:
            logger.critical("The %s ended.", name, exc_info=error)
        on_death(name)

    task = asyncio.create_task(loop, name=name)
    task.add_done_callback(ended)
    return task
