"""Webhooks come in any order, twice, or not at all: the figures are those of the natural order.

Statuses that phones report carry no time, so the last one heard is believed until the PBX is asked.
"""

from collections.abc import Iterable, Sequence
from itertools import permutations, product

import pytest

from app.domain.events import Event, PhoneVerified, Tick
from app.domain.states import CallState, LegState
from tests.story import Story, event_of, restored

GAP_MS = 400
# Whatever the order, after so long all is settled that time settles.
LATER_MS = (5_000, 65_000, 125_000, 190_000)

# What happened, in its natural order → what counts: per queue offered, answered, abandoned, other.
STORIES: dict[str, tuple[str, str]] = {
    "answered": (
        "1 rings 101 in 999, 1 answered 101 in 999, 1 hangs up, 1 record ANSWER 101 9/7 inbound",
        "999 1/1/0/0",
    ),
    "answered with the phone's words": (
        "101 ring, 1 rings 101 in 999, 101 talk, 1 answered 101 in 999, 101 on, 1 hangs up",
        "999 1/1/0/0",
    ),
    "ring-all": (
        "1 rings 101 in 999, 1 rings 102 in 999, 1 rings 103 in 999, 1 answered 102 in 999,"
        "1 hangs up",
        "999 1/1/0/0",
    ),
    "abandoned": (
        "1 rings 101 in 999, 1 rings 102 in 999, 1 abandons 999 after 7, 1 hangs up",
        "999 1/0/1/0",
    ),
    "abandoned, and the record": (
        "1 waits in 999, 1 rings 101 in 999, 1 hangs up, 1 abandons 999 after 7,"
        "1 record NOANSWER 101 7/0 inbound",
        "999 1/0/1/0",
    ),
    "a round in vain": (
        "1 rings 101 in 999, 1 missed 101 in 999, 1 rings 102 in 999, 1 answered 102 in 999,"
        "1 hangs up",
        "999 1/1/0/0",
    ),
    "overflow": (
        "1 rings 101 in 999, 1 abandons 999 after 8, 1 rings 201 in 888, 1 answered 201 in 888,"
        "1 hangs up",
        "888 1/1/0/0, 999 1/0/1/0",
    ),
    "two callers, one agent": (
        "1 rings 101 in 999, 1 answered 101 in 999, 1 hangs up, 2 rings 101 in 999,"
        "2 answered 101 in 999, 2 hangs up",
        "999 2/2/0/0",
    ),
    "outbound": ("101 dials 2, 101 reaches 2, 2 hangs up, 2 record ANSWER 101 9/7 outbound", ""),
    "direct": ("1 rings 101, 1 answered 101, 1 hangs up", ""),
}
NAMES = sorted(STORIES)
# Six events and one of them twice are 15,120 orders: too many for what they tell.
SHORT = [name for name in NAMES if STORIES[name][0].count(",") < 5]


def events_of(words: str) -> list[Event]:
    return [event_of(step.strip()) for step in words.split(",")]


def played(events: Iterable[Event]) -> Story:
    """The floor after all that, in quick succession, and after time has settled it."""
    story = Story()
    for event in events:
        story.now += GAP_MS
        story.happens(event)
    began = story.now
    for later in LATER_MS:
        story.now = began + later
        story.happens(Tick())
    return story


def figures(story: Story) -> str:
    rows = ((tile.queue, tile.today) for tile in story.floor.queue_tiles())
    return ", ".join(
        f"{queue} {today.offered}/{today.answered}/{today.abandoned}/{today.otherwise}"
        for queue, today in rows
        if today.offered
    )


def nothing_goes_on(story: Story) -> bool:
    calls, agents = story.state.calls.values(), story.state.agents.values()
    return all(call.state is CallState.ENDED for call in calls) and not any(
        agent.legs for agent in agents
    )


def unlike(orders: Iterable[Sequence[Event]], expected: str) -> list[tuple[str, Sequence[Event]]]:
    """The first orders whose figures are others, or that leave something going on."""
    found = []
    for events in orders:
        story = played(events)
        if figures(story) != expected or not nothing_goes_on(story):
            found.append((figures(story), events))
            if len(found) == 3:
                break
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_order_counts_the_same(name: str) -> None:
    words, expected = STORIES[name]

    assert unlike(permutations(events_of(words)), expected) == []


@pytest.mark.parametrize("name", SHORT)
def test_every_order_with_one_told_twice_counts_the_same(name: str) -> None:
    words, expected = STORIES[name]
    events = events_of(words)
    orders = {order for event in events for order in permutations([*events, event])}

    assert unlike(orders, expected) == []


# The story without one of these still tells what counts. The hangup after an abandon is not among
# them: without it, a ring that comes after the abandon can't be told from the caller's return.
DISPENSABLE = {
    "answered": "1 rings 101 in 999; 1 hangs up; 1 record ANSWER 101 9/7 inbound",
    "answered with the phone's words": "101 ring; 1 rings 101 in 999; 101 talk; 101 on",
    "ring-all": "1 rings 101 in 999; 1 rings 102 in 999; 1 rings 103 in 999",
    "abandoned": "1 rings 101 in 999; 1 rings 102 in 999; 1 abandons 999 after 7",
    "abandoned, and the record": "1 waits in 999; 1 rings 101 in 999; 1 hangs up;"
    "1 abandons 999 after 7; 1 record NOANSWER 101 7/0 inbound",
    "a round in vain": "1 rings 101 in 999; 1 missed 101 in 999; 1 rings 102 in 999",
    "overflow": "1 rings 101 in 999; 1 rings 201 in 888",
    "two callers, one agent": "1 rings 101 in 999; 2 rings 101 in 999",
    "outbound": "101 dials 2; 101 reaches 2; 2 hangs up; 2 record ANSWER 101 9/7 outbound",
    "direct": "1 rings 101",
}


@pytest.mark.parametrize("name", NAMES)
def test_every_order_with_one_lost_counts_the_same(name: str) -> None:
    words, expected = STORIES[name]
    events = events_of(words)
    for lost in events_of(DISPENSABLE[name].replace(";", ",")):
        heard = list(events)
        heard.remove(lost)
        assert unlike(permutations(heard), expected) == []


def test_an_answer_that_only_the_record_tells_counts_in_every_order() -> None:
    words = "1 rings 101 in 999, 1 hangs up, 1 record ANSWER 101 9/7 inbound"

    assert unlike(permutations(events_of(words)), "999 1/1/0/0") == []


def test_statuses_in_any_order_are_right_once_the_pbx_is_asked() -> None:
    words = "101 on, 101 ring, 101 talk, 101 pause, 1 answered 101 in 999, 1 hangs up"
    for order in permutations(events_of(words)):
        story = played(order)
        story.happens(PhoneVerified(extension="101", status="pause", paused=True))
        assert story.state.agents["101"].status == "pause"
        assert not story.state.agents["101"].in_doubt


STEPS = events_of(
    "101 on, 101 talk, 101 pause, 1 rings 101 in 999, 1 rings 102 in 999, 1 answered 101 in 999,"
    "1 answered 102 in 888, 1 missed 101 in 999, 1 abandons 999 after 3, 1 hangs up,"
    "1 record ANSWER 101 5/3 inbound, 101 dials 1, 2 rings 101 in 888, 101 verified on"
)


def contradictions(story: Story) -> list[str]:
    """What can't be true of any floor."""
    state, found = story.state, []
    for extension, agent in state.agents.items():
        live = {
            callid
            for callid, call in state.calls.items()
            if extension in call.legs and call.legs[extension].state is not LegState.OVER
        }
        if live != set(agent.legs) or len(agent.legs) != len(set(agent.legs)):
            found.append(f"{extension} is in {agent.legs}, its calls are {sorted(live)}")
        if min(agent.day.answered, agent.day.missed, agent.day.queue_talk_ms) < 0:
            found.append(f"{extension} counts less than nothing")
    for callid, call in state.calls.items():
        legs = {leg.state for leg in call.legs.values()}
        if (call.state is CallState.ANSWERED) < (LegState.TALKING in legs):
            found.append(f"{callid} talks and is {call.state}")
        if call.state is CallState.ENDED and legs - {LegState.OVER}:
            found.append(f"{callid} is over and {legs}")
    for name, queue in state.queues.items():
        counts = [*queue.today.answered.values(), *queue.today.abandoned.values()]
        if min([0, *counts, queue.today.otherwise, queue.today.wait_ms, queue.today.talk_ms]) < 0:
            found.append(f"{name} counts less than nothing")
    return found


def test_agents_and_calls_agree_whatever_is_told() -> None:
    for steps in product(STEPS, repeat=4):
        story = Story()
        for step in steps:
            story.now += GAP_MS
            story.happens(step)
        assert (contradictions(story), steps) == ([], steps)


def ledger(story: Story) -> list[tuple[object, ...]]:
    """All that is counted: the queues' figures and the agents' own."""
    days = [(extension, agent.day) for extension, agent in sorted(story.state.agents.items())]
    return [
        (figures(story),),
        *((who, day.answered, day.missed, day.outbound, day.direct) for who, day in days),
    ]


def test_told_twice_at_once_is_told_once() -> None:
    for steps in product(STEPS, repeat=3):
        once, twice = played(steps), played(step for step in steps for _ in range(2))
        assert (ledger(twice), steps) == (ledger(once), steps)


def test_every_floor_goes_on_from_its_snapshot_as_if_nothing_had_been() -> None:
    for *steps, last in product(STEPS, repeat=3):
        story = Story()
        for step in steps:
            story.now += GAP_MS
            story.happens(step)
        copy = Story()
        copy.floor.state, copy.now = restored(story.state), story.now
        assert copy.state == story.state
        copy.happens(last)
        story.happens(last)
        assert copy.state == story.state
