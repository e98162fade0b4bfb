"""The log as the owner writes to it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from app.domain.events import Event
from app.log import EventLog, LogUnavailable, Record, Snapshot
from app.ownership.holding import Ownership
from app.sentences import Sentence

NOT_OWNER = Sentence("Another node has taken over what this one was about to do.")


class OwnersLog:
    """The site's log in the owner's name: what is appended bears its epoch. Else as `log`."""

    def __init__(self, log: EventLog, ownership: Ownership) -> None:
        self._log = log
        self._ownership = ownership

    @property
    def last_seq(self) -> int:
        return self._log.last_seq

    @property
    def failure(self) -> str:
        return self._log.failure

    @property
    def waiting(self) -> float:
        return self._log.waiting

    async def append(self, events: Sequence[Event], rid: str | None = None) -> int:
        """As the owner. Raises LogUnavailable where somebody else is by now."""
        epoch = self._ownership.epoch
        if not self._ownership.is_held:
            raise LogUnavailable(NOT_OWNER)
        stamped = [replace(event, epoch=epoch) for event in events] if epoch else events
        return await self._log.append(stamped, rid)

    def follow(self, after: int = 0) -> AsyncIterator[Sequence[Record]]:
        return self._log.follow(after)

    async def records(self, seqs: Sequence[int]) -> Sequence[Record]:
        return await self._log.records(seqs)

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        await self._log.save_snapshot(snapshot)

    async def latest_snapshot(self, before: int | None = None) -> Snapshot | None:
        return await self._log.latest_snapshot(before)

    async def close(self) -> None:
        """Nothing of its own is open; whoever opened the log closes it."""
