"""The frames of a second: the first ones at once, never more than ten on average."""

from itertools import pairwise

from app.pace import CLOSEST_S, FRAMES_PER_S, GATHER_S, SAVED_S, Pace


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
    assert Pace(Watch()).wait_s() < GATHER_S * 1.01


def test_a_second_one_soon_after_hardly_waits_either() -> None:
    watch = Watch()
    pace = Pace(watch)
    watch.now += pace.wait_s() + 0.001

    assert GATHER_S < pace.wait_s() < CLOSEST_S


def test_a_flood_gets_ten_frames_a_second_once_what_was_saved_is_used() -> None:
    watch = Watch()
    pace = Pace(watch)
    frames(pace, watch, 2 * SAVED_S)

    left = frames(pace, watch, 10)

    assert len(left) in range(10 * FRAMES_PER_S - 1, 10 * FRAMES_PER_S + 2)
    assert max(b - a for a, b in pairwise(left)) < 2 / FRAMES_PER_S


def test_no_flood_gets_frames_close_together_or_more_than_was_saved() -> None:
    watch = Watch()
    pace = Pace(watch)

    left = frames(pace, watch, 60)

    assert min(b - a for a, b in pairwise(left)) > CLOSEST_S * 0.99
    assert len(left) <= (60 + SAVED_S) * FRAMES_PER_S + 2


def test_after_quiet_changes_leave_at_once_again() -> None:
    watch = Watch()
    pace = Pace(watch)
    frames(pace, watch, 20)
    watch.now += SAVED_S

    for _ in range(20):
        assert pace.wait_s() < GATHER_S * 1.01
        watch.now += 0.05
