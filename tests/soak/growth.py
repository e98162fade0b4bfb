"""What grows in a process, line by line: two pictures of its memory, and what lies between them.

The process takes the first picture at its first `ASK`, and says what has grown since at the next.
"""

import signal
import tracemalloc
from pathlib import Path
from types import FrameType

ASK = signal.SIGUSR1
# Each is a line of code and those that called it.
FRAMES = 6
MOST_TOLD = 15
OUTSIDE = (tracemalloc.Filter(False, tracemalloc.__file__), tracemalloc.Filter(False, __file__))


class Growth:
    """Answers `ASK` by writing to `told`; nothing is traced, and nothing slower, before it."""

    def __init__(self, told: Path) -> None:
        self._told = told
        self._before: tracemalloc.Snapshot | None = None

    def listen(self) -> None:
        """From now on, in the main thread."""
        signal.signal(ASK, self._asked)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self._before is None:
            tracemalloc.start(FRAMES)
            self._before = tracemalloc.take_snapshot()
            return
        since = tracemalloc.take_snapshot().filter_traces(OUTSIDE)
        tracemalloc.stop()
        text = grown(self._before.filter_traces(OUTSIDE), since)
        self._before = None
        whole = self._told.with_suffix(".part")
        whole.write_text(text, encoding="utf-8")
        whole.rename(self._told)


def grown(before: tracemalloc.Snapshot, after: tracemalloc.Snapshot) -> str:
    """The lines whose memory grew most, each with its callers, the innermost first."""
    differences = after.compare_to(before, "traceback")
    most = sorted(differences, key=lambda one: one.size_diff, reverse=True)[:MOST_TOLD]
    return "\n".join(_line(one) for one in most if one.size_diff > 0)


def _line(one: tracemalloc.StatisticDiff) -> str:
    places = " < ".join(f"{_short(frame.filename)}:{frame.lineno}" for frame in one.traceback[::-1])
    return f"{one.size_diff / 1024:+9.1f} KiB in {one.count_diff:+d} pieces: {places}"


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-2:])
