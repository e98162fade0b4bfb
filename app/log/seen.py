"""What this process has seen of a site's chain: its newest records, its last requests, its damage.

Messages come from the partition's consumer, from our own appends and from reading on, in whatever
order; each is taken once, and next after the one before it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from app.ending import end
from app.log import LogDamaged, LogUnavailable
from app.log.chain import Behind, Chain, Found
from app.log.codec import EventUnreadable
from app.log.marks import Mark
from app.log.message import Message, read
from app.log.receipts import RECEIPT_MS, Receipts
from app.log.stream import Raw, Stream, Unanswered
from app.log.tail import Tail
from app.sentences import wording

PAUSE_S = 0.25
# A site's followers are near its end, and there may be hundreds of sites.
KEEP = 500
FIRST_LOOK = 1000

logger = logging.getLogger(__name__)


class Seen:
    """`begin` comes first; messages that come before it are read afterwards.

    `at` is the newest record's time; `broken` is set when the chain can't go on, `failure` says so.
    """

    def __init__(self, stream: Stream, subject: str, mark: Mark | None) -> None:
        self.chain = Chain(stream, subject)
        self.mark = mark
        self.tail = Tail(keep=KEEP)
        self.receipts = Receipts()
        self.at = 0
        self.broken: LogDamaged | EventUnreadable | None = None
        self._heard = 0
        self._begun = False
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    @property
    def failure(self) -> str:
        """Why nothing more can be taken; "" when it can."""
        return "" if self.broken is None else wording(self.broken)

    async def begin(self, heard: int) -> None:
        """Know the newest record and the requests of the last two minutes.

        Messages up to number `heard` are known to be there. Raises LogUnavailable, LogDamaged.
        """
        message = await self.chain.begin(await self.mark.read() if self.mark else 0)
        self.tail = Tail(self.chain.last, KEEP)
        if message is not None:
            self.at = message.appends[-1].at
            await self._recall_receipts()
        self._begun = True
        self._heard = max(self._heard, heard)
        self._read_soon(self._read_heard)

    def hear(self, raw: Raw) -> None:
        """A message of this subject has come."""
        self._heard = max(self._heard, raw.number)
        if not self._begun or self.broken is not None or raw.number <= self.chain.reached:
            return
        try:
            self.take(Found(raw.number, read(raw.number, raw.body)))
        except Behind:
            self._read_soon(self._read_heard)
        except (LogDamaged, EventUnreadable) as error:
            self.give_up(error)

    def doubt(self) -> None:
        """Messages of the stream were missed, perhaps some of this subject."""
        self._read_soon(self._read_newest)

    def take(self, found: Found) -> None:
        """The next message; one that was taken already changes nothing.

        Raises Behind, LogDamaged, EventUnreadable.
        """
        # First of all, because what is no event stops the log before it.
        records = found.message.records() if found.number > self.chain.reached else []
        if self.chain.take(found):
            self.at = records[-1].at
            self.tail.publish(records)
            self._keep_receipts(found.message)
            self._news.set()

    async def pause(self, longest_s: float) -> None:
        """Until a message comes: whoever was overtaken must not wait longer, or is so for ever."""
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._news.wait()

    async def read_on(self) -> None:
        """Take what follows. Raises Unanswered where the server asked is not as far yet."""
        before = self.chain.reached
        for found in await self.chain.ahead():
            self.take(found)
        if self.chain.reached == before:
            await self.chain.check()
            raise Unanswered("a server is behind the others")

    def give_up(self, error: LogDamaged | EventUnreadable) -> None:
        """Nothing is taken any more; followers hear why."""
        logger.error("The log %s stops: %s", self.chain.subject, error)
        self.broken = error
        self.tail.close()

    async def close(self) -> None:
        """Followers end when they have seen all."""
        await end(self._reading)
        self.tail.close()

    async def _recall_receipts(self) -> None:
        """Read the messages of the last two minutes, by longer and longer looks back."""
        found: list[Found] = []
        end, span = self.chain.reached + 1, FIRST_LOOK
        while end > 1:
            first = max(end - span, 1)
            found = await self.chain.between(first, end) + found
            if found and found[0].message.appends[0].at < self.at - RECEIPT_MS:
                break
            end, span = first, 4 * span
        for _, message in found:
            self._keep_receipts(message)

    def _keep_receipts(self, message: Message) -> None:
        for receipt in message.receipts():
            self.receipts.keep(*receipt)

    def _read_soon(self, read_all: Callable[[], Awaitable[None]]) -> None:
        # Whoever reads already goes on until it has all that was heard.
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._reading_on(read_all))

    async def _reading_on(self, read_all: Callable[[], Awaitable[None]]) -> None:
        while self.broken is None:
            try:
                await read_all()
                break
            except (LogDamaged, EventUnreadable) as error:
                self.give_up(error)
            except LogUnavailable as error:
                logger.debug("Reading on in %s: %s", self.chain.subject, error)
                await asyncio.sleep(PAUSE_S)

    async def _read_newest(self) -> None:
        newest = await self.chain.stream.newest(self.chain.subject)
        self._heard = max(self._heard, newest.number if newest else 0)
        await self._read_heard()

    async def _read_heard(self) -> None:
        while self._heard > self.chain.reached:
            for found in await self.chain.ahead(self._heard):
                self.take(found)
