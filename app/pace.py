"""How soon the next frame may leave: at once after quiet, and at most ten in any second."""

import time
from collections.abc import Callable

FRAMES_PER_S = 10
# One report of the PBX seldom comes alone: those of the same moment go into one frame.
GATHER_S = 0.004


class Pace:
    """Spaces frames out. Up to ten may follow one another closely when there were few lately."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        # When the frames allowed so far would be used up at an even pace.
        self._used_until = 0.0

    def wait_s(self) -> float:
        """Seconds from now until the next frame; it counts as sent."""
        now = self._monotonic()
        # All but one of a second's frames may be used before their time.
        wait = max(GATHER_S, self._used_until - (1 - 1 / FRAMES_PER_S) - now)
        self._used_until = max(self._used_until, now) + 1 / FRAMES_PER_S
        return wait
