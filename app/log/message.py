"""What one message of the stream holds: appends that were stored together, in order.

Like the events of `codec`, this shape is for ever; new fields need a default.
"""

from collections.abc import Sequence

import msgspec

from app.domain.events import Event
from app.log import LogDamaged, Record
from app.log.codec import decode
from app.log.commits import Waiting
from app.sentences import Sentence


class Stored(msgspec.Struct, frozen=True):
    """One append. `at` is the time of its records, `now` what the appender's clock said (ms)."""

    rid: str
    at: int
    now: int
    events: list[tuple[str, msgspec.Raw]]


class Message(msgspec.Struct, frozen=True):
    """`first` is the seq of the first event in it."""

    first: int
    appends: list[Stored]

    @property
    def last(self) -> int:
        """The seq of the last event in it."""
        return self.first + sum(len(append.events) for append in self.appends) - 1

    def records(self) -> list[Record]:
        """What a follower gets of it. Raises EventUnreadable."""
        events = [(append.at, *told) for append in self.appends for told in append.events]
        return [
            Record(seq, at, _decoded(kind, body))
            for seq, (at, kind, body) in enumerate(events, self.first)
        ]

    def receipts(self) -> list[tuple[str, int, int]]:
        """Of each append: its rid, the seq that is its answer, and when it was made."""
        receipts, seq = [], self.first - 1
        for append in self.appends:
            seq += len(append.events)
            receipts.append((append.rid, seq, append.now))
        return receipts


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Message)


def written(entries: Sequence[Waiting], first: int, at: int) -> bytes:
    """The message of these appends; `at` is the time of the newest record before them."""
    appends = []
    for entry in entries:
        at = max(at, entry.now)
        told = [(kind, msgspec.Raw(body.encode())) for kind, body in entry.bodies]
        appends.append(Stored(entry.rid or "", at, entry.now, told))
    return _ENCODER.encode(Message(first, appends))


def read(number: int, body: bytes) -> Message:
    """The message with this number in the stream. Raises LogDamaged."""
    try:
        message = _DECODER.decode(body)
    except msgspec.MsgspecError as error:
        raise LogDamaged(
            Sentence("The log is damaged: message {number} can't be read.", number=number)
        ) from error
    return message


def _decoded(kind: str, body: msgspec.Raw) -> Event:
    return decode(kind, bytes(body))
