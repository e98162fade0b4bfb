"""A log that lives as long as the process: for tests, and for a look around without a disk."""

from collections.abc import AsyncIterator, Callable, Sequence

from app.domain.events import Event
from app.log import LogUnavailable, Record, Snapshot
from app.log.codec import decode, encode
from app.log.receipts import Receipts
from app.log.tail import Tail
from app.sentences import Sentence


class MemoryLog:
    """An EventLog. `clock` tells ms since the epoch, UTC."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._at = 0
        self._tail = Tail(keep=None)
        self._receipts = Receipts()
        self._snapshot: Snapshot | None = None
        self._closed = False

    @property
    def last_seq(self) -> int:
        """The newest record's seq, 0 for an empty log."""
        return self._tail.last_seq

    @property
    def failure(self) -> str:
        """Memory takes everything."""
        return ""

    @property
    def waiting(self) -> float:
        """Nothing waits."""
        return 0.0

    async def append(self, events: Sequence[Event], rid: str | None = None) -> int:
        """Keep the events; see EventLog."""
        if self._closed:
            raise LogUnavailable(Sentence("The log is closed: the program is about to end."))
        now = self._clock()
        if rid is not None and (seq := self._receipts.find(rid, now)) is not None:
            return seq
        # Through the codec, so that nothing passes here which a log on disk would refuse.
        kept = [decode(*encode(event)) for event in events]
        if not kept:
            return self.last_seq
        self._at = max(self._at, now)
        first = self.last_seq + 1
        self._tail.publish([Record(seq, self._at, event) for seq, event in enumerate(kept, first)])
        if rid is not None:
            self._receipts.keep(rid, self.last_seq, now)
        return self.last_seq

    def follow(self, after: int = 0) -> AsyncIterator[Sequence[Record]]:
        """Yield every record after `after`, then live; ends when the log is closed."""
        return self._tail.follow(after)

    async def records(self, seqs: Sequence[int]) -> Sequence[Record]:
        """The records of these seqs, in order."""
        return self._tail.records(seqs)

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep the snapshot in place of an older one."""
        if self._snapshot is None or snapshot.seq >= self._snapshot.seq:
            self._snapshot = snapshot

    async def latest_snapshot(self, before: int | None = None) -> Snapshot | None:
        """The snapshot kept, if any."""
        if self._snapshot is None or (before is not None and self._snapshot.seq >= before):
            return None
        return self._snapshot

    async def close(self) -> None:
        """Append nothing more; followers end when they have seen all."""
        self._closed = True
        self._tail.close()
