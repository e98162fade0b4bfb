"""What the floor makes of requests, claims and results, in whatever order they come."""

from itertools import permutations

import pytest

from app.domain.commands import MOST, REMEMBERED
from app.domain.events import (
    CommandClaimed,
    CommandRequested,
    CommandResult,
    CommandWithdrawn,
    Event,
    OwnershipTaken,
    Tick,
)
from app.domain.floor import Floor
from tests.logs import NOON
from tests.owning import DAYS

# The floor, whatever comes in whatever order

REQUEST = CommandRequested(command="1", action="spy", agent="101", supervisor="200")
CLAIM = CommandClaimed(command="1", epoch=3)
RESULT = CommandResult(command="1", done=True, epoch=3)
WITHDRAWAL = CommandWithdrawn(command="1")


def floor_after(*events: Event, spans_s: int = 1) -> Floor:
    floor = Floor(DAYS)
    for seq, event in enumerate(events, 1):
        floor.apply(seq, NOON + seq * spans_s * 1000, event)
    return floor


def told(floor: Floor) -> tuple[int, str | None]:
    """Whose claim counts, and how it ended."""
    command = floor.state.commands["1"]
    ended = command.conclusion
    return command.claimed, None if ended is None else "done" if ended.done else ended.kind


@pytest.mark.parametrize("order", [*permutations([REQUEST, CLAIM, RESULT, WITHDRAWAL])])
def test_in_any_order_a_command_is_done_or_taken_back_and_not_both(
    order: tuple[Event, ...],
) -> None:
    claimed, ended = told(floor_after(*order))
    # It is claimed where the claim comes next after the request, or after what is before both.
    assert bool(claimed) == (order.index(CLAIM) == order.index(REQUEST) + 1)
    if ended == "withdrawn":
        assert not claimed
    # A second request of the same name, or its later parts, change nothing.
    again = floor_after(*order, REQUEST, CLAIM, RESULT)
    assert told(again)[0] == claimed or ended is None


@pytest.mark.parametrize(
    ("events", "truth"),
    [
        ([REQUEST], (0, None)),
        ([REQUEST, CLAIM], (3, None)),
        ([REQUEST, CLAIM, CommandClaimed(command="1", epoch=6)], (3, None)),
        ([REQUEST, OwnershipTaken(epoch=6), CLAIM], (0, None)),
        ([REQUEST, CLAIM, OwnershipTaken(epoch=6), RESULT], (3, None)),
        ([REQUEST, CommandClaimed(command="1")], (0, None)),
        ([REQUEST, CLAIM, CommandResult(command="1", done=True)], (3, None)),
        ([REQUEST, CLAIM, RESULT, CommandResult(command="1", kind="x", epoch=3)], (3, "done")),
        ([REQUEST, WITHDRAWAL, CLAIM, RESULT], (0, "withdrawn")),
        ([REQUEST, CLAIM, WITHDRAWAL], (3, None)),
        ([REQUEST, *[Tick()] * 11], (0, "expired")),
        ([REQUEST, *[Tick()] * 9, CLAIM], (3, None)),
        ([REQUEST, *[CLAIM, Tick()] * 20], (3, None)),
    ],
)
def test_a_command_is(events: list[Event], truth: tuple[int, str | None]) -> None:
    assert told(floor_after(*events)) == truth


def test_a_claim_that_comes_too_late_is_none_even_before_the_next_tick() -> None:
    assert told(floor_after(REQUEST, CLAIM, spans_s=11)) == (0, None)


def test_commands_are_forgotten_after_a_minute_and_are_never_too_many() -> None:
    floor = Floor(DAYS)
    for number in range(MOST + 50):
        floor.apply(number + 1, NOON, CommandRequested(command=str(number), action="pause"))
    assert len(floor.state.commands) == MOST

    floor.apply(MOST + 51, NOON + REMEMBERED, CommandRequested(command="late", action="pause"))
    floor.apply(MOST + 52, NOON + REMEMBERED, Tick())
    assert len(floor.state.commands) == MOST

    floor.apply(MOST + 53, NOON + REMEMBERED + 1, Tick())
    assert floor.state.commands == {}
