"""How many boards may open in one second: when all come back at once, the PBX must still be heard.

Who is turned away comes again a little later, by the page's own rule; a board costs a whole page.
"""

import time
from collections.abc import Callable


class Admission:
    """`per_s` may enter a second, and a quarter of that at once after a quiet moment."""

    def __init__(self, per_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._at_once = max(1.0, per_s / 4)
        self._monotonic = monotonic
        self._left = self._at_once
        self._counted_at = monotonic()
        self.refused = 0

    def admits(self) -> bool:
        """Count one who wants to enter; False: not now."""
        now = self._monotonic()
        earned = (now - self._counted_at) * self._per_s
        self._left, self._counted_at = min(self._at_once, self._left + earned), now
        if self._left < 1:
            self.refused += 1
            return False
        self._left -= 1
        return True

    def give_back(self) -> None:
        """One who was let in got no board: whoever may have none must take none from the others."""
        self._left = min(self._at_once, self._left + 1)

    def close(self) -> None:
        """Nobody enters any more."""
        self._per_s = self._at_once = self._left = 0.0
