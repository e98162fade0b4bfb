"""Pitwall with a clock that runs many times as fast, so that what is kept an hour is kept minutes.

`python -m tests.soak.server`, with PITWALL_TEST_SPEED and the settings of the environment. What
grows in it is written to PITWALL_TEST_GROWN when it is asked (see `growth`).
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from app import projector, server
from app.access import sessions
from app.clock import passed_ms, wall_ms
from app.settings import Settings
from tests.soak.growth import Growth

YEAR_S = 366 * 86_400


def fast_clock(speed: float) -> Callable[[], int]:
    """Right at the start, and then so many times too fast."""
    began, passed = wall_ms(), passed_ms()
    return lambda: began + round((passed_ms() - passed) * speed)


def main() -> int:
    speed = float(os.environ["PITWALL_TEST_SPEED"])
    clock = fast_clock(speed)
    vars(server)["SteadyClock"] = lambda: clock
    vars(projector)["TICK_S"] = projector.TICK_S / speed
    vars(projector)["SNAPSHOT_MS"] = round(projector.SNAPSHOT_MS * speed)
    # Viewers sign in once, before the start.
    vars(sessions)["LONGEST_S"] = vars(sessions)["IDLE_S"] = YEAR_S
    Growth(Path(os.environ["PITWALL_TEST_GROWN"])).listen()
    return server.serve(Settings.from_env(os.environ))


if __name__ == "__main__":
    sys.exit(main())
