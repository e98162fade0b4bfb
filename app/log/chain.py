"""One site's messages within a stream: each begins with the record after the last one before it.

What one replica lacks is asked of the others; what the leader lacks too is damage.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from app.log import LogDamaged, Record
from app.log.message import Message, read
from app.log.places import Places, Spot
from app.log.stream import Raw, Stream, Unanswered
from app.log.tail import CHUNK
from app.sentences import Sentence

TRIES = 12
PAUSE_S = 0.05
# Whether a message that begins with this seq may be the next one.
Fits = Callable[[int], bool]


class Found(NamedTuple):
    """A message and its number in the stream."""

    number: int
    message: Message


class Behind(Exception):
    """Messages are missing between this one and those that were taken."""


class Chain:
    """What is known of it: up to message number `reached`, which ends with record `last`.

    Whatever reads raises LogUnavailable when no server answers, LogDamaged for what can't be right.
    """

    def __init__(self, stream: Stream, subject: str) -> None:
        self.stream = stream
        self.subject = subject
        self._places = Places(self._look)
        self._density = 1.0
        self.reached = 0
        self.last = 0

    async def begin(self, mark: int = 0) -> Message | None:
        """Know the newest message. None where there is none: then records go on after `mark`."""
        raw = await self.stream.newest(self.subject)
        if raw is None:
            self.last = mark
            return None
        found = _found(raw)
        self._note(found)
        return found.message

    def take(self, found: Found) -> bool:
        """This is the newest message now; False where it was taken already.

        Raises Behind where there are others before it, LogDamaged.
        """
        if found.number <= self.reached:
            return False
        if found.message.first > self.last + 1:
            raise Behind
        if found.message.first <= self.last:
            raise LogDamaged(_out_of_step(found))
        self._note(found)
        return True

    async def ahead(self, heard: int = 0) -> Sequence[Found]:
        """What follows, if anything; something, where there is a message of number `heard`."""
        following = self.last + 1
        return await self._run(
            self.reached + 1, lambda first: first == following, is_there=heard > self.reached
        )

    async def check(self) -> None:
        """Raises LogDamaged where all messages went by age under those who are at work."""
        if self.stream.ages and self.reached and not await self.stream.newest(self.subject):
            raise LogDamaged(
                Sentence("All events of this log went by age meanwhile. Start the program again.")
            )

    async def since(self, seq: int) -> Sequence[Record]:
        """Records after this seq, in order; EventUnreadable for what is no event."""
        number = await self._places.find(seq + 1, self.last, self.reached)
        while number <= self.reached:
            # About as many messages as hold so many records.
            found = await self._from(number, seq, 1 + int(CHUNK / self._density))
            held = found[-1].message.last - found[0].message.first + 1
            self._density = max(held / len(found), 1.0)
            records = [each for _, message in found for each in message.records()]
            if records[-1].seq > seq:
                return [record for record in records if record.seq > seq][:CHUNK]
            # The search asked a replica that is behind.
            number = found[-1].number + 1
        return ()

    async def between(self, first: int, end: int) -> list[Found]:
        """The messages from number `first` on and before number `end`."""
        found: list[Found] = []
        while first < end:
            more = await self._run(first, lambda _: True, CHUNK, is_there=first <= self.reached)
            found += [each for each in more if each.number < end]
            first = more[-1].number + 1 if more else end
        return found

    async def holding(self, seq: int) -> Message | None:
        """The message in which this record is; None where it has gone by age."""
        number = await self._places.find(seq, self.last, self.reached)
        found = await self._from(number, seq - 1, 1)
        while found[-1].message.last < seq:
            found = await self._from(found[-1].number + 1, seq - 1, 1)
        message = found[-1].message
        return message if message.first <= seq else None

    async def _from(self, number: int, seq: int, count: int) -> list[Found]:
        """Messages from this number on, which is known to be there, without a gap after `seq`."""
        try:
            return await self._run(number, lambda first: first <= seq + 1, count)
        except LogDamaged:
            if number >= await self.stream.first_number():
                raise
            # Not damaged: too old.
            return await self._run(number, lambda _: True, count)

    async def _look(self, number: int) -> Spot:
        found, message = (await self._run(number, lambda _: True, 1))[0]
        return Spot(message.first, found)

    def _note(self, found: Found) -> None:
        self.reached = found.number
        self.last = found.message.last
        self._places.learn(Spot(found.message.first, found.number))

    async def _run(
        self, number: int, fits: Fits, count: int = CHUNK, *, is_there: bool = True
    ) -> list[Found]:
        """Messages from this number on, in step; none only if nothing `is_there`."""
        for _ in range(TRIES):
            try:
                raws = await self.stream.read(self.subject, number, count)
            except Unanswered:
                raws = None
            if raws and (run := _in_step(raws, fits)):
                for each in run:
                    self._places.learn(Spot(each.message.first, each.number))
                return run
            if raws == [] and not is_there:
                return []
            # Another replica may have it.
            await asyncio.sleep(PAUSE_S)
        return await self._from_leader(number, fits, is_there)

    async def _from_leader(self, number: int, fits: Fits, is_there: bool) -> list[Found]:
        raw = await self.stream.next_from_leader(self.subject, number)
        if raw is None:
            if is_there:
                raise LogDamaged(_gap(number))
            return []
        found = _found(raw)
        if not fits(found.message.first):
            raise LogDamaged(_out_of_step(found))
        return [found]


def _found(raw: Raw) -> Found:
    return Found(raw.number, read(raw.number, raw.body))


def _in_step(raws: Sequence[Raw], fits: Fits) -> list[Found]:
    """The first of them that fit one after another."""
    run: list[Found] = []
    for raw in raws:
        try:
            found = _found(raw)
        except LogDamaged:
            break
        if not (
            found.message.first == run[-1].message.last + 1 if run else fits(found.message.first)
        ):
            break
        run.append(found)
    return run


def _gap(number: int) -> Sentence:
    return Sentence(
        "The log is damaged: message {number} is missing on every server. Nothing is skipped and "
        "nothing is stored until somebody has looked.",
        number=number,
    )


def _out_of_step(found: Found) -> Sentence:
    return Sentence(
        "The log is damaged: message {number} says that it begins with record {first}, which does "
        "not follow the one before it.",
        number=found.number,
        first=found.message.first,
    )
