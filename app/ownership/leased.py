"""The ownership of a partition of sites: a lease that is applied for again whenever it is lost."""

import asyncio
import logging
from contextlib import suppress
from hashlib import blake2b
from typing import Protocol

from app.log import LogUnavailable

RETRY_S = 1.0
# Nodes that start together wait up to so long, each partition otherwise, so that they share.
SPREAD_S = 3.0
LOOK_S = 0.1

logger = logging.getLogger(__name__)


class HeldLease(Protocol):
    """A lease as `app.log.lease.Lease` is one."""

    epoch: int

    @property
    def is_held(self) -> bool: ...
    async def wait_lost(self) -> None: ...
    async def release(self) -> None: ...


class Leases(Protocol):
    """Where leases are to be had: `app.log.cluster.Cluster`."""

    async def lease(self, name: str, holder: str) -> HeldLease:
        """The lease, once it is ours. Raises LogUnavailable."""


class Leased:
    """Over one lease, applied for again whenever it is lost. `holder` names this process."""

    def __init__(self, leases: Leases, name: str, holder: str, spread_s: float = SPREAD_S) -> None:
        self._leases = leases
        self._name = name
        self._holder = holder
        self._hesitation_s = hesitation(name, holder) * spread_s
        self._lease: HeldLease | None = None
        self._held = asyncio.Event()
        self.epoch = 0

    @property
    def is_held(self) -> bool:
        return self._lease is not None and self._lease.is_held

    async def wait_held(self) -> None:
        while not self.is_held:
            await self._held.wait()
            if not self.is_held:
                # Its time is over, but nobody has noticed yet.
                await asyncio.sleep(LOOK_S)

    async def wait_lost(self) -> None:
        if self._lease is not None:
            await self._lease.wait_lost()

    async def run(self) -> None:
        """For ever. Cancelled, it lets others have the lease: end what needs it before."""
        while True:
            await asyncio.sleep(self._hesitation_s)
            try:
                lease = await self._leases.lease(self._name, self._holder)
            except LogUnavailable as reason:
                logger.warning("The lease “%s” can't be had: %s", self._name, reason)
                await asyncio.sleep(RETRY_S)
            else:
                await self._hold(lease)

    async def _hold(self, lease: HeldLease) -> None:
        self.epoch, self._lease = lease.epoch, lease
        self._held.set()
        logger.info("%s owns “%s” (epoch %d).", self._holder, self._name, self.epoch)
        try:
            await lease.wait_lost()
        finally:
            self._held.clear()
            self._lease = None
            with suppress(LogUnavailable):
                await lease.release()


def hesitation(name: str, holder: str) -> float:
    """How reluctant that holder is to take the lease of that name, from 0 to 1; always the same."""
    digest = blake2b(f"{name}\0{holder}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32
