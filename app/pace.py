"""How soon the next frame may leave: at once after quiet, and at most ten a second in the long run.

Ten evenly spaced frames a second would let half of all changes wait for 50 ms even where there are
few. So frames are counted, not spaced: what was not used lately may be used close together.
"""

import time
from collections.abc import Callable

FRAMES_PER_S = 10
# This many seconds' frames can be saved up …
SAVED_S = 5.0
# … and even then they come no closer than this.
CLOSEST_S = 0.04
# One report of the PBX seldom comes alone: those of the same moment go into one frame.
GATHER_S = 0.002


class Pace:
    """Tells each frame how long it has to wait."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last = float("-inf")
        # When the frames so far would have left at an even pace.
        self._even = float("-inf")

    def wait_s(self) -> float:
        """Seconds from now until the next frame; it counts as sent."""
        now = self._monotonic()
        leaves = max(
            now + GATHER_S, self._last + CLOSEST_S, self._even + 1 / FRAMES_PER_S - SAVED_S
        )
        self._even = max(self._even + 1 / FRAMES_PER_S, leaves)
        self._last = leaves
        return leaves - now
