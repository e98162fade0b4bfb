"""The records that are in the stream, found by their seqs and read message by message."""

from collections.abc import Sequence

from app.log import LogDamaged, Record
from app.log.message import Message, read
from app.log.places import Places
from app.log.stream import Stream
from app.log.tail import CHUNK
from app.sentences import Sentence


class Archive:
    """What is stored up to message number `reached`, which ends with record `last`.

    Whatever reads raises LogUnavailable when no server answers, LogDamaged for what can't be right.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._places = Places(self._first_seq)
        self.reached = 0
        self.last = 0

    async def begin(self, reached: int) -> Message:
        """Know the newest message, which has this number."""
        self.reached = reached
        message = await self.message(reached)
        self.last = message.last
        self._places.learn(message.first, reached)
        return message

    def note(self, number: int, message: Message) -> None:
        """This is the newest message now. Raises LogDamaged where it does not follow."""
        if message.first != self.last + 1:
            raise LogDamaged(_out_of_step(number, message))
        self.reached, self.last = number, message.last
        self._places.learn(message.first, number)

    async def message(self, number: int) -> Message:
        """The message with this number."""
        return read(*(await self._stream.read(number, 1, self.reached))[0])

    async def messages(self, first: int, count: int) -> list[tuple[int, Message]]:
        """Messages with their numbers, from number `first` on: one at least, `count` at most."""
        raws = await self._stream.read(first, count, self.reached)
        return [(raw.number, read(*raw)) for raw in raws]

    async def since(self, seq: int) -> Sequence[Record]:
        """Records after this seq, in order; EventUnreadable for what is no event."""
        number = await self._places.find(seq + 1, self.last, self.reached)
        # About as many messages as hold so many records.
        count = 1 + CHUNK * self.reached // self.last
        records: list[Record] = []
        for each, message in await self.messages(number, count):
            if records and message.first != records[-1].seq + 1:
                raise LogDamaged(_out_of_step(each, message))
            records += [record for record in message.records() if record.seq > seq]
            self._places.learn(message.first, each)
        return records[:CHUNK]

    async def holding(self, seq: int) -> Message:
        """The message in which this record is."""
        return await self.message(await self._places.find(seq, self.last, self.reached))

    async def _first_seq(self, number: int) -> int:
        return (await self.message(number)).first


def _out_of_step(number: int, message: Message) -> Sentence:
    return Sentence(
        "The log is damaged: message {number} says that it begins with record {first}, which does "
        "not follow the one before it.",
        number=number,
        first=message.first,
    )
