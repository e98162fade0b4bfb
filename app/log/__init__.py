"""Where events live: append, then follow. The domain never learns which log it lives on."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from app.domain.events import Event


class LogUnavailable(Exception):
    """The event could not be made durable; it is not stored, and the sender must hear so."""


class LogDamaged(LogUnavailable):
    """Something that was stored is missing or can't be right; the log stops rather than skip it."""


class Record(msgspec.Struct, frozen=True):
    """An event with its place in the log (`seq`, from 1, no gaps) and time (`at`, ms)."""

    seq: int
    at: int
    event: Event


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The floor after `seq`, as bytes. A cache: without it a start is slower, never different."""

    seq: int
    body: bytes


class EventLog(Protocol):
    """One contract for every kind of log; `tests/test_log.py` holds it."""

    @property
    def last_seq(self) -> int:
        """The newest stored record's seq, 0 for an empty log."""

    @property
    def failure(self) -> str:
        """Why nothing can be stored at the moment, as a sentence; "" when it can."""

    @property
    def waiting(self) -> float:
        """How much of the room for events that wait for the disk is taken, from 0 to 1."""

    async def append(self, events: Sequence[Event], rid: str | None = None) -> int:
        """Store the events together; return the last one's seq once they are on disk.

        The same `rid` again within two minutes stores nothing and returns the first seq.
        Raises LogUnavailable when the events could not be stored, or when too many wait.
        """

    def follow(self, after: int = 0) -> AsyncIterator[Sequence[Record]]:
        """Yield every record after `after`, in order, in batches: stored, then live, for ever."""

    async def records(self, seqs: Sequence[int]) -> Sequence[Record]:
        """The stored records of these seqs, in order; those that are not there are left out."""

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep the snapshot; older ones may go."""

    async def latest_snapshot(self, before: int | None = None) -> Snapshot | None:
        """The newest snapshot kept, of those before the seq `before` where that is given."""

    async def close(self) -> None:
        """Finish what was appended and let go of the files."""
