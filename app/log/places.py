"""In which message of a chain a record is.

A message holds one record or more, and between two messages of a chain are those of others. So a
record is found by its seq between two messages whose first seqs are known; every message that is
read makes the next search shorter.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable
from typing import NamedTuple

MOST = 256


class Spot(NamedTuple):
    """Message `number` begins with record `first`."""

    first: int
    number: int


class Places:
    """`look` tells the first message of the chain from a number on."""

    def __init__(self, look: Callable[[int], Awaitable[Spot]]) -> None:
        self._look = look
        # Not a message: all are at number 1 or after it.
        self._known: list[Spot] = [Spot(1, 1)]

    def learn(self, spot: Spot) -> None:
        """This message was read."""
        index = bisect_left(self._known, spot)
        if self._known[index : index + 1] != [spot]:
            self._known.insert(index, spot)
        if len(self._known) > MOST:
            # The beginning stays; of the others every second one goes.
            del self._known[1::2]

    async def find(self, seq: int, last: int, number: int) -> int:
        """From which number on the message with record `seq` is the first of the chain.

        The newest message has this number and ends with record `last`.
        """
        index = bisect_right(self._known, (seq, number + 1))
        low = self._known[index - 1]
        high = self._known[index] if index < len(self._known) else Spot(last + 1, number + 1)
        halving = False
        while low.first != seq and high.number - low.number > 1:
            middle = _between(seq, low, high, halving)
            found = await self._look(middle)
            self.learn(found)
            if found.first > seq:
                # There is none between the two numbers.
                high = Spot(found.first, middle)
            else:
                low = found
            halving = not halving
        return low.number


def _between(seq: int, low: Spot, high: Spot, halving: bool) -> int:
    """In proportion, which is soon there, by turns with the middle, which can't be misled."""
    if halving:
        return (low.number + high.number) // 2
    guess = low.number + (seq - low.first) * (high.number - low.number) // (high.first - low.first)
    return min(max(guess, low.number + 1), high.number - 1)
