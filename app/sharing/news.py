"""Tells those who keep rows in memory that other rows are in the tables now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from app.database import DatabaseUnavailable

Refresh = Callable[[], Awaitable[object]]

logger = logging.getLogger(__name__)


class News:
    """Each listener is called in a task of its own: it may write, and nobody waits for it."""

    def __init__(self) -> None:
        self._listeners: list[tuple[frozenset[str], Refresh]] = []
        self._again: set[Refresh] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[Refresh] = set()

    def subscribe(self, tables: Iterable[str], refresh: Refresh) -> None:
        """Call `refresh` after each change of one of these tables; many at once are one call."""
        self._listeners.append((frozenset(tables), refresh))

    def tell(self, tables: Iterable[str]) -> None:
        """Rows of these tables were changed."""
        changed = set(tables)
        for wanted, refresh in self._listeners:
            if wanted & changed:
                self._call(refresh)

    async def close(self) -> None:
        """Whoever is being called is left alone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _call(self, refresh: Refresh) -> None:
        # What it reads at the moment may be older than this change.
        self._again.add(refresh)
        if refresh not in self._busy:
            self._busy.add(refresh)
            task = asyncio.create_task(self._refresh(refresh))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _refresh(self, refresh: Refresh) -> None:
        try:
            while refresh in self._again:
                self._again.discard(refresh)
                await refresh()
        except DatabaseUnavailable as error:
            logger.warning("What another node changed is seen a little later here: %s", error)
        finally:
            self._busy.discard(refresh)
