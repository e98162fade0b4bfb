"""The sites that one process serves, each complete and for itself; found by their host.

What is in the folder of their files is followed while the process runs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from app.settings import Settings, SettingsError
from app.sites.files import Sign, read_sites, sign_of
from app.sites.keeper import Keeper

LOOK_S = 2.0
# The start waits this long for the sites to be open; whoever asks later waits by itself.
START_S = 15.0

logger = logging.getLogger(__name__)


class Sites:
    """All sites of `installation`. `on_read` hears their settings before any of them is used.

    `on_death` is called when what keeps the sites has ended, which nothing in them can bring about.
    """

    def __init__(
        self,
        installation: Settings,
        on_read: Callable[[Iterable[Settings]], None] = lambda settings: None,
        on_death: Callable[[], None] = lambda: None,
        look_s: float = LOOK_S,
    ) -> None:
        self._installation = installation
        self._on_read = on_read
        self._on_death = on_death
        self._look_s = look_s
        self._make: Callable[[Settings], Keeper]
        self._keepers: dict[str, Keeper] = {}
        self._by_host: dict[str, Keeper] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # Everything under way, sites that are being closed among them.
        self._running: set[asyncio.Task[None]] = set()

    @property
    def all(self) -> list[Keeper]:
        """Every site, by its name."""
        return [self._keepers[name] for name in sorted(self._keepers)]

    def at(self, host: str) -> Keeper | None:
        """The site of this host, which is in lower case and without port."""
        return self._by_host.get(host)

    @asynccontextmanager
    async def running(self, make: Callable[[Settings], Keeper]) -> AsyncIterator[None]:
        """Each site is kept by what `make` makes, until the block ends. Raises SettingsError."""
        sign = sign_of(self._installation.sites)
        self._make = make
        self._fit(read_sites(self._installation))
        self._start(self._watch(sign), "sites")
        try:
            held = [keeper for keeper in self.all if keeper.is_held]
            await asyncio.gather(*(keeper.settled(START_S) for keeper in held))
            yield
        finally:
            tasks = set(self._running)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, applied: Sign) -> None:
        """Follow the files; a change counts once it has stood for one look."""
        seen = applied
        while True:
            await asyncio.sleep(self._look_s)
            sign = await asyncio.to_thread(sign_of, self._installation.sites)
            if sign != applied and sign == seen:
                applied = sign
                await self._follow()
            seen = sign

    async def _follow(self) -> None:
        try:
            self._fit(await asyncio.to_thread(read_sites, self._installation))
        except SettingsError as error:
            logger.error("The sites stay as they are: %s", error)

    def _fit(self, wanted: Mapping[str, Settings]) -> None:
        """Have exactly these sites; one that is as before goes on undisturbed."""
        self._on_read(wanted.values())
        known = {name: keeper.settings for name, keeper in self._keepers.items()}
        ended = {name: self._end(name) for name in known if known[name] != wanted.get(name)}
        for name in wanted.keys() - self._keepers.keys():
            self._keepers[name] = keeper = self._make(wanted[name])
            self._tasks[name] = self._start(_run_after(ended.get(name), keeper), name)
        self._by_host = {keeper.host: keeper for keeper in self._keepers.values()}

    def _end(self, name: str) -> asyncio.Task[None]:
        logger.info("Site %s is closed: its settings have changed or are gone.", name)
        del self._keepers[name]
        task = self._tasks.pop(name)
        task.cancel()
        return task

    def _start(self, job: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(job, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            logger.critical("Nobody keeps %s any more.", task.get_name(), exc_info=task.exception())
            self._on_death()


async def _run_after(before: asyncio.Task[None] | None, keeper: Keeper) -> None:
    """The database is only free once the site as it was has been closed."""
    if before is not None:
        await asyncio.wait([before])
    await keeper.run()
