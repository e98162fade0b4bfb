"""The newest records, in memory, and those who follow them.

No queue per follower: each holds a seq and asks for what comes after it, so nobody who is slow
costs memory or makes an append wait.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from app.log import Record

CHUNK = 1000
KEEP = 5000


async def _nothing_older(_: int) -> Sequence[Record]:
    return ()


class Tail:
    """The records after the seq `began`, or at least the newest `keep` of them."""

    def __init__(self, began: int = 0, keep: int | None = KEEP) -> None:
        self._began = began
        self._keep = keep
        self._records: list[Record] = []
        self._bell = asyncio.Event()
        self._closed = False

    @property
    def last_seq(self) -> int:
        """The newest record's seq."""
        return self._began + len(self._records)

    def publish(self, records: Sequence[Record]) -> None:
        """Add records, which follow `last_seq` without a gap, and wake everybody."""
        self._records.extend(records)
        if self._keep is not None and len(self._records) > 2 * self._keep:
            surplus = len(self._records) - self._keep
            del self._records[:surplus]
            self._began += surplus
        self._ring()

    def close(self) -> None:
        """Nothing will be published any more: followers end when they have seen all."""
        self._closed = True
        self._ring()

    async def follow(
        self, after: int, stored: Callable[[int], Awaitable[Sequence[Record]]] = _nothing_older
    ) -> AsyncIterator[Sequence[Record]]:
        """Yield every record after `after`; `stored` reads some of those that were let go."""
        while True:
            if after >= (began := self._began):
                records = self._since(after)
            elif not (records := await stored(after)):
                # They were deleted.
                after = began
                continue
            if records:
                after = records[-1].seq
                yield records
            elif self._closed:
                return
            else:
                await self._bell.wait()

    def records(self, seqs: Sequence[int]) -> Sequence[Record]:
        """Those of these seqs that are still in memory, in order."""
        known = [seq for seq in sorted(set(seqs)) if self._began < seq <= self.last_seq]
        return [self._records[seq - self._began - 1] for seq in known]

    def _since(self, after: int) -> Sequence[Record]:
        start = after - self._began
        return self._records[start : start + CHUNK]

    def _ring(self) -> None:
        rung, self._bell = self._bell, asyncio.Event()
        rung.set()
