"""In which message of the stream a record is.

A message holds one record or more, so a record is found by its seq between two messages whose
first seqs are known; every message that is read makes the next search shorter.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable

MOST = 8192


class Places:
    """`first_seq` tells the seq of a message's first record, by the message's number."""

    def __init__(self, first_seq: Callable[[int], Awaitable[int]]) -> None:
        self._first_seq = first_seq
        self._known: list[tuple[int, int]] = [(1, 1)]

    def learn(self, first: int, number: int) -> None:
        """The message of this number begins with this seq."""
        place = (first, number)
        index = bisect_left(self._known, place)
        if self._known[index : index + 1] != [place]:
            self._known.insert(index, place)
        if len(self._known) > MOST:
            # The beginning stays; of the others every second one goes.
            del self._known[1::2]

    async def find(self, seq: int, last: int, number: int) -> int:
        """The number of the message with record `seq`; the newest are `last` and `number`."""
        index = bisect_right(self._known, (seq, number + 1))
        low = self._known[index - 1]
        high = self._known[index] if index < len(self._known) else (last + 1, number + 1)
        halving = False
        while low[0] != seq and high[1] - low[1] > 1:
            middle = _between(seq, low, high, halving)
            found = (await self._first_seq(middle), middle)
            self.learn(*found)
            low, high = (found, high) if found[0] <= seq else (low, found)
            halving = not halving
        return low[1]


def _between(seq: int, low: tuple[int, int], high: tuple[int, int], halving: bool) -> int:
    """In proportion, which is soon there, by turns with the middle, which can't be misled."""
    if halving:
        return (low[1] + high[1]) // 2
    guess = low[1] + (seq - low[0]) * (high[1] - low[1]) // (high[0] - low[0])
    return min(max(guess, low[1] + 1), high[1] - 1)
