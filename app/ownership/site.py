"""The ownership of one site, which begins in the site's log."""

import asyncio
import logging
from typing import Protocol

from app.domain.events import OwnershipTaken
from app.domain.floor import Floor
from app.log import EventLog, LogUnavailable
from app.ownership.holding import Ownership, run_while_owned

RETRY_S = 1.0

logger = logging.getLogger(__name__)


class Watched(Protocol):
    """The site's floor and the news of it: `app.projector.Projector`."""

    @property
    def floor(self) -> Floor: ...
    @property
    def applied(self) -> int: ...
    async def wait_for(self, seq: int) -> None: ...


class SiteOwnership:
    """One site's, as soon as its log says so: what the owner before wrote is known by then.

    From its `OwnershipTaken` on, whatever an earlier owner still writes is void on every floor.
    """

    def __init__(self, partition: Ownership, log: EventLog, watched: Watched, holder: str) -> None:
        self._partition = partition
        self._log = log
        self._watched = watched
        self._holder = holder
        self._held = asyncio.Event()
        self._lost = asyncio.Event()
        self.epoch = 0

    @property
    def is_held(self) -> bool:
        return (
            self._held.is_set()
            and self._partition.is_held
            and self._partition.epoch == self.epoch
            and self._watched.floor.state.epoch == self.epoch
        )

    async def wait_held(self) -> None:
        await self._held.wait()

    async def wait_lost(self) -> None:
        if self._held.is_set():
            await self._lost.wait()

    async def run(self) -> None:
        """For ever: take the site over whenever the partition is ours."""
        await run_while_owned(self._partition, self._own)

    async def _own(self) -> None:
        epoch = self._partition.epoch
        # Servers send no word when they are back.
        while not await self._has_taken(epoch):  # noqa: ASYNC110 (see above)
            await asyncio.sleep(RETRY_S)
        self.epoch = epoch
        self._lost.clear()
        self._held.set()
        try:
            await self._outdone()
        finally:
            self._held.clear()
            self._lost.set()

    async def _has_taken(self, epoch: int) -> bool:
        taken = OwnershipTaken(epoch=epoch, holder=self._holder)
        try:
            await self._watched.wait_for(await self._log.append([taken], f"owner-{epoch}"))
        except LogUnavailable as reason:
            logger.warning("The site can't be taken over yet: %s", reason)
            return False
        newest = self._watched.floor.state.epoch
        if newest > epoch:
            logger.error(
                "The log has a later owner (epoch %d) than the lease (epoch %d). If this stays so, "
                "the leases were restored from an older backup than the log: nothing asks the PBX.",
                newest,
                epoch,
            )
        return newest == epoch

    async def _outdone(self) -> None:
        """Return, never to be the owner again in this epoch, when a later one has written."""
        while self._watched.floor.state.epoch == self.epoch:
            await self._watched.wait_for(self._watched.applied + 1)
        self._held.clear()
        self._lost.set()
        await self._partition.wait_lost()
