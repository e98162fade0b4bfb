"""The clock of the program: right, and steady even when the machine's is set.

A clock that jumps would end calls, sign people out and show timers below zero. This one goes on
from the wall's time at the start as fast as time really passes, and comes round to the wall's
time again so slowly (1 %) that no duration suffers. A restart takes the wall's time at once; but
what is in a log was before now, whatever the machine says, so a site's time goes on from there.
"""

import logging
import time
from collections.abc import Callable

SLOWNESS = 100
TOLD_MS = 10_000

logger = logging.getLogger(__name__)


def wall_ms() -> int:
    """What the machine's clock says, ms since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def passed_ms() -> int:
    """Time that only passes: ms since the machine started, asleep or awake."""
    source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(source) // 1_000_000


class SteadyClock:
    """Call it for the time in ms since the epoch, UTC. It never goes back."""

    def __init__(
        self, wall: Callable[[], int] = wall_ms, passed: Callable[[], int] = passed_ms
    ) -> None:
        self._wall = wall
        self._passed = passed
        self._seen = passed()
        self._offset = wall() - self._seen
        self._is_off = False

    def __call__(self) -> int:
        """The time now."""
        passed = self._passed()
        error = self._wall() - passed - self._offset
        if error:
            self._correct(error, passed)
        else:
            self._seen = passed
        return passed + self._offset

    def _correct(self, error: int, passed: int) -> None:
        """Come a little nearer to the wall's time: by a hundredth of what has passed since."""
        most = (passed - self._seen) // SLOWNESS
        if most:
            self._offset += max(-most, min(most, error))
            self._seen = passed
        if (abs(error) > TOLD_MS) is not self._is_off:
            self._is_off = not self._is_off
            if self._is_off:
                logger.warning(
                    "The machine's clock was set by %d s. Pitwall follows slowly; restart it, "
                    "when nobody calls, to follow at once.",
                    error // 1000,
                )


class ContinuedClock:
    """The time at a site: `clock`, or where that is behind the site's log the time that the log
    reached and what passed since. It never goes back, and what it is ahead dwindles slowly.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._ahead_ms = self._since = 0

    def __call__(self) -> int:
        """The time now, in ms since the epoch, UTC."""
        now = self._clock()
        return now + self._ahead(now)

    def go_on_from(self, at: int) -> int:
        """Be at `at` or later from now on. How far it is ahead of `clock`, in ms."""
        now = self._clock()
        self._ahead_ms, self._since = max(self._ahead(now), at - now), now
        if self._ahead_ms > TOLD_MS:
            logger.warning(
                "The machine's clock is %d s behind the newest event in the log. Time goes on from "
                "that event. Set the clock right, if it is wrong, and restart.",
                self._ahead_ms // 1000,
            )
        return self._ahead_ms

    def _ahead(self, now: int) -> int:
        passed = max(0, now - self._since)
        return max(0, self._ahead_ms - passed // SLOWNESS)
