"""A tick that looks only at what is due leaves the floor as one that looks at everything."""

import pytest
from hypothesis.stateful import invariant

from app.domain.days import BusinessDay
from app.domain.diary import Agenda, Diary
from app.domain.events import Event, Tick
from app.domain.floor import Floor
from app.domain.model import Agent, Call
from app.replay import Replay
from tests.story import UTC_ZONE, Story
from tests.test_disorder import FEW, Disorder
from tests.test_traces import TRACES, told_in

HOUR_MS = 3_600_000


class Thorough(Diary):
    """Everything is always due."""

    def due(self, at: int) -> tuple[list[Agent], list[Call]]:
        super().due(at)
        return list(self._state.agents.values()), list(self._state.calls.values())


def thorough(floor: Floor) -> Floor:
    floor._diary = Thorough(floor.state)
    return floor


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_and_the_days_after_it_come_out_the_same(name: str) -> None:
    run, checked = Replay(BusinessDay(UTC_ZONE)), Replay(BusinessDay(UTC_ZONE))
    thorough(checked.floor)
    for at, path, params in told_in(name):
        for each in (run, checked):
            each.webhook(at, path, params)
        assert run.floor.state == checked.floor.state
    for hours in (0.1, 1, 2, 6, 13, 25, 50):
        for each in (run, checked):
            each.floor.apply(each.floor.state.seq + 1, at + int(hours * HOUR_MS), Tick())
        assert run.floor.state == checked.floor.state


class Doubled(Story):
    """A story that happens on two floors."""

    def __init__(self) -> None:
        super().__init__()
        self.checked = thorough(Floor(self.floor.days))

    def happens(self, event: Event) -> None:
        super().happens(event)
        self.checked.apply(self.checked.state.seq + 1, self.now, event)


class DoubledDisorder(Disorder):
    def __init__(self) -> None:
        super().__init__()
        self.story: Doubled = Doubled()

    @invariant()
    def both_floors_are_the_same(self) -> None:
        assert self.story.floor.state == self.story.checked.state
        assert list(self.story.floor.state.tombstones) == list(self.story.checked.state.tombstones)


TestDoubledDisorder = DoubledDisorder.TestCase
TestDoubledDisorder.settings = FEW


def test_what_is_due_comes_once_and_in_the_order_of_the_floor() -> None:
    agenda = Agenda()
    for name, when in (("b", 30), ("a", 40), ("c", 20), ("a", 10), ("a", 50)):
        agenda.put(name, when)

    assert agenda.take(9) == []
    assert agenda.take(25) == ["a", "c"]
    assert agenda.take(25) == []
    agenda.drop("b")
    assert agenda.take(99) == []


def test_what_is_over_leaves_no_line_behind_however_far_ahead_it_was_put() -> None:
    agenda = Agenda()
    agenda.put("stays", 7)
    for number in range(20_000):
        agenda.put(f"call {number}", 10_000_000)
        agenda.drop(f"call {number}")

    assert len(agenda._heap) < 2_000
    assert agenda.take(8) == ["stays"]
