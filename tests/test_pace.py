"""The frames of a second: the first ones at once, never more than ten on average."""

from itertools import pairwise

from app.pace import FRAMES_PER_S, GATHER_S, Pace


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def frames(pace: Pace, watch: Watch, seconds: float) -> list[float]:
    """When frames leave while there is always something new."""
    left, end = [], watch.now + seconds
    while watch.now < end:
        watch.now += pace.wait_s()
        left.append(watch.now)
    return left


def test_a_first_change_leaves_as_soon_as_its_companions_are_there() -> None:
    assert Pace(Watch()).wait_s() == GATHER_S


def test_a_second_soon_after_does_not_wait_either() -> None:
    watch = Watch()
    pace = Pace(watch)
    pace.wait_s()
    watch.now += 0.03

    assert pace.wait_s() == GATHER_S


def test_a_flood_gets_ten_frames_a_second() -> None:
    watch = Watch()
    pace = Pace(watch)
    frames(pace, watch, 2)

    left = frames(pace, watch, 10)

    assert len(left) in range(10 * FRAMES_PER_S - 1, 10 * FRAMES_PER_S + 2)
    assert max(b - a for a, b in pairwise(left)) < 2 / FRAMES_PER_S


def test_after_quiet_changes_leave_at_once_again() -> None:
    watch = Watch()
    pace = Pace(watch)
    frames(pace, watch, 5)
    watch.now += 1

    assert pace.wait_s() == GATHER_S
