"""Counts kept up to date from changes are the counts that counting anew would give, at any time."""

import pytest
from hypothesis.stateful import invariant

from app.domain import board
from app.domain.days import BusinessDay
from app.domain.events import QueueNamed
from app.domain.floor import Floor
from app.replay import Replay
from tests.story import UTC_ZONE, Story, after
from tests.test_disorder import FEW, Disorder
from tests.test_traces import TRACES, told_in

SCOPES: tuple[frozenset[str] | None, ...] = (
    None,
    frozenset({"999"}),
    frozenset({"888", "666"}),
    frozenset(),
)


def disagreements(floor: Floor) -> list[str]:
    state = floor.state
    pairs = {
        "tiles": (floor.queue_tiles(), board.queue_tiles(state)),
        "waiting": (floor.waiting_rows(), board.waiting_rows(state)),
        **{str(scope): (floor.totals(scope), board.totals(state, scope)) for scope in SCOPES},
    }
    return [f"{name}: {kept} != {anew}" for name, (kept, anew) in pairs.items() if kept != anew]


@pytest.mark.parametrize("name", TRACES)
def test_the_counts_agree_after_each_webhook_of_a_trace(name: str) -> None:
    run = Replay(BusinessDay(UTC_ZONE))
    for at, path, params in told_in(name):
        run.webhook(at, path, params)
        assert disagreements(run.floor) == []
    run.run_until(at + 2 * 3_600_000)

    assert disagreements(run.floor) == []


class CountedDisorder(Disorder):
    @invariant()
    def counts_agree(self) -> None:
        assert disagreements(self.story.floor) == []


TestCountedDisorder = CountedDisorder.TestCase
TestCountedDisorder.settings = FEW


def test_a_new_limit_of_a_queue_shows_in_its_figures_and_in_the_totals() -> None:
    story = after("101 on, 1 rings 101 in 999, +15s, 1 answered 101 in 999, +5s, 1 hangs up, +2m")
    assert story.floor.totals().today.answered_in_t == 1

    story.tell(QueueNamed(queue="999", name="Sales", service_level_s=10))

    assert story.floor.totals().today.answered_in_t == 0
    assert disagreements(story.floor) == []


def test_another_day_empties_the_counts() -> None:
    story = Story(at="2026-03-02 23:59:00")
    story.tell("101 on, 1 rings 101 in 999, 1 answered 101 in 999, +5s, 1 hangs up")
    assert story.floor.totals().today.offered == 1

    story.tell("+3m")

    assert story.floor.totals().today.offered == 0
    assert disagreements(story.floor) == []


def test_some_tiles_are_those_asked_for_that_exist() -> None:
    story = after("101 on, 1 rings 101 in 999, 2 rings 101 in 888")

    assert [tile.queue for tile in story.floor.some_tiles({"999", "nowhere", ""})] == ["999"]
