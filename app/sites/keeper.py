"""Keeps one of several sites open: opens it when it is wanted, and again after it has died.

From the moment on in which one of its loops has ended nobody is let in: what looks alive is alive.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

from app.ownership import Ownership
from app.settings import Settings
from app.sites.files import host_of
from app.sites.lines import SITE
from app.web.parts import Parts

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
# Having lived for so long, a site that dies is opened again at once.
LIVED_S = 60.0
# For how long, and how many, requests wait for a site that is being opened.
HELD_S = 10.0
MOST_HELD = 500
IDLE_S = 600.0
LEAVE_S = 3.0

Opening = Callable[[Settings, Callable[[str], None]], AbstractAsyncContextManager[Parts]]

logger = logging.getLogger(__name__)


class Keeper:
    """One site. `parts` are there while it is open and lives, `failure` says why it does not.

    While `ownership` is held it is open whether or not anybody visits it; else as long as somebody
    does, and `idle_s` longer.
    """

    def __init__(
        self, settings: Settings, opening: Opening, ownership: Ownership, idle_s: float = IDLE_S
    ) -> None:
        self.settings = settings
        self.host = host_of(settings)
        self.parts: Parts | None = None
        self.failure = ""
        self.visits: set[asyncio.Task[object]] = set()
        self._ownership = ownership
        self._waiting = 0
        self._opening = opening
        self._idle_s = idle_s
        self._wanted = asyncio.Event()
        # Whether the attempt under way has come to something, good or bad.
        self._settled = asyncio.Event()
        self._over = asyncio.Event()
        self._seen = time.monotonic()

    @property
    def is_held(self) -> bool:
        """It should be open, visited or not."""
        return self._ownership.is_held

    async def for_a_visit(self) -> Parts | None:
        """The parts, opened if need be; None when that can't be had within some seconds."""
        if self.parts is None:
            self._wanted.set()
            if not self.failure and self._waiting < MOST_HELD:
                self._waiting += 1
                await self.settled(HELD_S)
                self._waiting -= 1
        return self.parts

    async def settled(self, patience_s: float) -> None:
        """Return once it is open or has failed, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._settled.wait()

    def left(self) -> None:
        """A visit is over."""
        self._seen = time.monotonic()

    async def run(self) -> None:
        """Until cancelled, which closes it."""
        SITE.set(self.settings.site)
        holding = asyncio.create_task(self._hold_while_owned())
        try:
            await self._keep_open()
        finally:
            holding.cancel()
            self._settled.set()

    async def _hold_while_owned(self) -> None:
        while True:
            await self._ownership.wait_held()
            self._wanted.set()
            await self._ownership.wait_lost()
            self._seen = time.monotonic()

    async def _keep_open(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            await self._wanted.wait()
            began = time.monotonic()
            await self._live()
            if time.monotonic() - began > LIVED_S:
                pause_s = FIRST_PAUSE_S
            if self.failure:
                if not self.is_held:
                    self._wanted.clear()
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _live(self) -> None:
        """Once: opened, used, closed."""
        self._over.clear()
        try:
            async with self._opening(self.settings, self._die) as parts:
                self._let_in(parts)
                try:
                    await self._wait_over()
                finally:
                    await self._send_away()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other sites go on
            self._fail(error)
        finally:
            self.parts = None

    def _let_in(self, parts: Parts) -> None:
        # A loop may have ended while the rest was opened.
        if not self._over.is_set():
            self.parts, self.failure = parts, ""
            self._seen = time.monotonic()
            self._settled.set()
            logger.info("Site %s is open.", self.settings.site)

    def _die(self, loop: str) -> None:
        self.parts = None
        self.failure = f"Its {loop} ended."
        self._over.set()
        self._settled.set()
        logger.critical("Site %s is closed: its %s ended.", self.settings.site, loop)

    def _fail(self, error: Exception) -> None:
        self.failure = self.failure or str(error) or type(error).__name__
        self._settled.set()
        # Words of ours need no traceback.
        unforeseen = None if type(error).__module__.startswith("app.") else error
        site = self.settings.site
        logger.error("Site %s can't be kept open: %s", site, error, exc_info=unforeseen)

    async def _wait_over(self) -> None:
        """Return when it has died, or nobody has needed it for a while."""
        while not self._over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._idle_s / 10):
                    await self._over.wait()
            if not self._over.is_set() and self._is_idle():
                logger.info("Site %s is closed: nobody has used it.", self.settings.site)
                self._wanted.clear()
                self._settled.clear()
                return

    def _is_idle(self) -> bool:
        idle_s = time.monotonic() - self._seen
        return not self.is_held and not self.visits and idle_s >= self._idle_s

    async def _send_away(self) -> None:
        """End what is asked of it: nothing could be answered that is true."""
        self.parts = None
        visits = set(self.visits)
        for visit in visits:
            visit.cancel()
        if visits:
            await asyncio.wait(visits, timeout=LEAVE_S)
