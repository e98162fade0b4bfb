"""Appends on their way into messages: checked one by one, gathered up to a size."""

from collections.abc import Iterator, Sequence

from app.domain.events import Event
from app.log import LogUnavailable
from app.log.codec import read_back
from app.log.commits import Waiting
from app.sentences import Sentence

# One message; a server takes a megabyte at most.
MOST_BYTES = 256 * 1024
TOO_MANY_BYTES = 900 * 1024
# What an append and an event take in a message besides their text.
AROUND = 100


def entry_of(events: Sequence[Event], rid: str, now: int) -> Waiting:
    """The append. Raises ValueError for what can't be read back, LogUnavailable for too much."""
    entry = Waiting(*read_back(events), now, now, rid)
    if _size(entry) > TOO_MANY_BYTES:
        raise LogUnavailable(Sentence("These events are too large to be stored together."))
    return entry


def pieces(batch: Sequence[Waiting]) -> Iterator[Sequence[Waiting]]:
    """The batch in messages of no more than MOST_BYTES, unless one append alone has more."""
    piece: list[Waiting] = []
    size = 0
    for entry in batch:
        more = _size(entry)
        if piece and size + more > MOST_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(entry)
        size += more
    yield piece


def _size(entry: Waiting) -> int:
    return AROUND + sum(len(body.encode()) + len(kind) + 8 for kind, body in entry.bodies)
