"""Who owns something: one holder at a time, by a message that ends unless it is renewed.

Whoever stores a message where there is none has the lease, and its number is the epoch. A renewal
is stored only next after the holder's own last message. The holder believes in the lease no longer
than the time told, counted by its own clock from before the renewal left: the servers count from
when it came, so the holder is always the first to know.
"""

import asyncio
import logging
import math
import time
import uuid

import msgspec

from app.ending import end
from app.log import LogUnavailable
from app.log.stream import Overtaken, Raw, Stream, Unanswered

TTL_S = 15.0
# Three renewals may fail, or the servers elect a leader, before the lease is lost.
RENEWALS = 3.75
RETRY_S = 0.25
ASK_AGAIN_S = 1.0

logger = logging.getLogger(__name__)


class Claim(msgspec.Struct, frozen=True):
    """What the message says. `token` tells one lease of a holder from another."""

    holder: str
    token: str


class Lease:
    """Held from `acquire` on. `epoch` is greater than that of every holder before."""

    def __init__(self, stream: Stream, subject: str, holder: str, ttl_s: float) -> None:
        self._stream = stream
        self._subject = subject
        self._claim = Claim(holder, uuid.uuid4().hex)
        self._ttl_s = ttl_s
        self._until = 0.0
        self._number = 0
        self._lost = asyncio.Event()
        self._renewing: asyncio.Task[None] | None = None
        self.epoch = 0

    @property
    def is_held(self) -> bool:
        """Whether nobody else can have it. Ask just before each thing only its holder may do."""
        return self._left_s > 0

    async def acquire(self) -> None:
        """Wait until it is ours, however long. To stop waiting, cancel."""
        # Whoever else waits asks at other moments, because each began at its own.
        await self._store(ASK_AGAIN_S)
        self.epoch = self._number
        self._renewing = asyncio.create_task(self._keep())

    async def wait_lost(self) -> None:
        """Return when it is not ours any more: not renewed in time, taken over, or released."""
        await self._lost.wait()

    async def release(self) -> None:
        """Let others have it at once, or, where no server answers, when its time is over."""
        was_held, self._until = self.is_held, 0.0
        await end(self._renewing)
        self._lost.set()
        if was_held:
            await self._stream.delete(self._number)

    @property
    def _left_s(self) -> float:
        return self._until - time.monotonic()

    async def _keep(self) -> None:
        try:
            while self.is_held:
                await asyncio.sleep(min(self._ttl_s / RENEWALS, self._left_s))
                await self._store(RETRY_S)
        finally:
            logger.info("%s has the lease %s no more.", self._claim.holder, self._subject)
            self._until = 0.0
            self._lost.set()

    async def _store(self, pause_s: float) -> None:
        """Until it is stored or, after it was ours, lost."""
        while True:
            if await self._stored() or (self.epoch and not self.is_held):
                return
            await asyncio.sleep(pause_s)

    async def _stored(self) -> bool:
        """Whether the next message is stored. Where another's is there, the lease is over."""
        began = time.monotonic()
        body, name = msgspec.json.encode(self._claim), uuid.uuid4().hex
        try:
            place = await self._stream.offer(
                self._subject, body, self._number, name, expires_s=math.ceil(self._ttl_s)
            )
        except Overtaken:
            await self._look()
            return False
        except Unanswered as error:
            logger.debug("The lease %s is not stored: %s", self._subject, error)
            return False
        self._number, self._until = place.number, began + self._ttl_s
        return True

    async def _look(self) -> None:
        """Perhaps it is our own message, whose acknowledgement was lost, that overtook."""
        try:
            newest = await self._stream.newest(self._subject)
        except LogUnavailable:
            return
        if newest is not None and _claim_of(newest) == self._claim:
            self._number = newest.number
        else:
            self._number, self._until = 0, 0.0


def _claim_of(raw: Raw) -> Claim | None:
    try:
        return msgspec.json.decode(raw.body, type=Claim)
    except msgspec.MsgspecError:
        return None
