"""Group commit: all appends that wait at one moment are written together, one batch at a time.

What is added while a batch is under way forms the next one; order of arrival is order of writing.
After a large batch the next one waits for those who were just answered and have more to say,
a moment at most: otherwise many connections fall into halves that take turns with small batches.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec

from app.domain.events import Event
from app.log import LogUnavailable
from app.sentences import Sentence, wording

MOST_WAITING = 10_000
CLOSE_PATIENCE_S = 12.0
# From so many on a batch tells of senders that take turns with us.
CROWD = 16
GATHER_S = 0.002

logger = logging.getLogger(__name__)


class Waiting(msgspec.Struct, eq=False):
    """One append that is not on disk yet. `bodies` are (kind, JSON), one for each event.

    `at` is the time its records will have, `now` what the clock said (ms); `stored` becomes the
    last event's seq.
    """

    events: Sequence[Event]
    bodies: Sequence[tuple[str, str]]
    at: int
    now: int
    rid: str | None
    stored: "asyncio.Future[int]" = msgspec.field(default_factory=asyncio.Future)


class GroupCommit:
    """The queue in front of `write`, which stores a batch and sets each entry's `stored`.

    Where `write` raises LogUnavailable, the whole batch is refused with it.
    """

    def __init__(self, write: Callable[[Sequence[Waiting]], Awaitable[None]]) -> None:
        self._write = write
        self._next: list[Waiting] = []
        self._by_rid: dict[str, Waiting] = {}
        self._events = 0
        # How many the batch before had; the event rings when as many wait again.
        self._before = 0
        self._as_many = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    @property
    def fill(self) -> float:
        """How full the queue is, from 0 to 1."""
        return self._events / MOST_WAITING

    def find(self, rid: str) -> Waiting | None:
        """The append of this request, while it waits."""
        entry = self._by_rid.get(rid)
        return None if entry is None or entry.stored.done() else entry

    def add(self, entry: Waiting) -> None:
        """Let it be written with the next batch. Raises LogUnavailable when too many wait."""
        if self._events + len(entry.events) > MOST_WAITING:
            raise LogUnavailable(
                Sentence(
                    "More than {number} events wait for the disk. Is it slow, or locked?",
                    number=MOST_WAITING,
                )
            )
        self._next.append(entry)
        if len(self._next) == self._before:
            self._as_many.set()
        self._events += len(entry.events)
        if entry.rid is not None:
            self._by_rid[entry.rid] = entry
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())

    async def close(self) -> None:
        """Wait, for some seconds at most, until all is written; refuse what is not."""
        if self._writing is not None and not self._writing.done():
            await asyncio.wait([self._writing], timeout=CLOSE_PATIENCE_S)
            self._writing.cancel()
        left, self._next = self._next, []
        self._let_go(left, Sentence("The program ended before these events were on disk."))

    async def _write_all(self) -> None:
        while self._next:
            await self._gather()
            batch, self._next = self._next, []
            self._before = len(batch)
            why: str = Sentence("Writing broke off; the program's error log says why.")
            try:
                await self._write(batch)
            except LogUnavailable as error:
                why = wording(error)
            except Exception:
                # What waits behind this batch must not wait for ever because of it.
                logger.exception("Writing broke off")
            finally:
                # Even after a bug or at the end of the program nobody may wait for ever.
                self._let_go(batch, why)

    async def _gather(self) -> None:
        """Wait, for a moment at most, until as many are here as a large batch before had."""
        if self._before < CROWD or len(self._next) >= self._before:
            return
        self._as_many.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_S):
                await self._as_many.wait()

    def _let_go(self, batch: Sequence[Waiting], why: str) -> None:
        for entry in batch:
            self._events -= len(entry.events)
            # One that was refused early may have been repeated since, under the same name.
            if entry.rid is not None and self._by_rid.get(entry.rid) is entry:
                del self._by_rid[entry.rid]
            if not entry.stored.done():
                entry.stored.set_exception(LogUnavailable(why))
