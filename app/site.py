"""One running site: its parts, and the loops that must turn for as long as it is open."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from app.actions.aftermath import Aftermath
from app.assembly import opened_parts
from app.database import DatabaseTooNew, DatabaseUnavailable
from app.keeping import KeepingError
from app.log import LogUnavailable
from app.log.codec import EventUnreadable
from app.peers import PeerCounts
from app.settings import Settings
from app.web.parts import Parts

# Why a site can't be opened, in words.
REFUSALS = (DatabaseUnavailable, DatabaseTooNew, KeepingError, LogUnavailable, EventUnreadable)

Loop = Coroutine[Any, Any, None]
Death = Callable[[str], None]

logger = logging.getLogger(__name__)


@asynccontextmanager
async def running_site(
    settings: Settings,
    clock: Callable[[], int],
    on_death: Death,
    unparsable: PeerCounts | None = None,
) -> AsyncIterator[Parts]:
    """The site is open and its loops run until the block ends. Raises one of REFUSALS.

    `on_death` hears the name of a loop that has ended: a frozen board must not answer as if it
    lived.
    """
    async with opened_parts(settings, clock, unparsable) as parts:
        tasks = [_watched(name, loop, on_death) for name, loop in loops_of(parts).items()]
        try:
            yield parts
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def loops_of(parts: Parts) -> dict[str, Loop]:
    """All of a site's loops by name."""
    return {**_loops_of_the_board(parts), **_loops_of_the_owner(parts)}


def _loops_of_the_board(parts: Parts) -> dict[str, Loop]:
    return {
        "projector": parts.projector.run(),
        "ticks": parts.projector.tick(),
        "journal": parts.journal.run(),
        "history": parts.history.run(),
        "access": parts.access.keep(),
        "upkeep": parts.upkeep.run(parts.access.audit, parts.settings.keep, parts.journal),
    }


def _loops_of_the_owner(parts: Parts) -> dict[str, Loop]:
    """What reaches out of the board, and so must be done by one alone."""
    return {
        "reconciler": parts.reconciler.run(),
        "aftermath": Aftermath(parts.actions.desk).run(),
        "notifier": parts.notifier.run(),
    }


def _watched(name: str, loop: Loop, on_death: Death) -> asyncio.Task[None]:
    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            logger.critical("The %s ended.", name, exc_info=task.exception())
            on_death(name)

    task = asyncio.create_task(loop, name=name)
    task.add_done_callback(ended)
    return task
