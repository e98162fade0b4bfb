"""How many boards may open in one second: when all come back at once, the PBX must still be heard.

Who is turned away comes again a little later, by the page's own rule; a board costs a whole page.
"""

import time
from collections.abc import Callable


class Admission:
    """`per_s` may enter a second, and as many at once after a quiet second."""

    def __init__(self, per_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._monotonic = monotonic
        self._left = per_s
        self._counted_at = monotonic()
        self.refused = 0

    def admits(self) -> bool:
        """Count one who wants to enter; False: not now."""
        now = self._monotonic()
        earned = (now - self._counted_at) * self._per_s
        self._left, self._counted_at = min(self._per_s, self._left + earned), now
        if self._left < 1:
            self.refused += 1
            return False
        self._left -= 1
        return True
