"""Days of the past in figures: what they add up to, their gaps, and what an agent did in them."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from app.domain.events import PauseNoted, Tick
from app.domain.figures import queue_figures
from app.domain.report import status_seconds
from app.domain.states import Status
from app.history.agents import agent_day, queue_agents
from app.history.days import QUARTER_MS, DayBook
from tests.history_setup import (
    DAYS,
    NINE,
    TRACES,
    floor_of,
    of_story,
    of_trace,
    simulated,
    site,
    with_ticks,
)

pytestmark = pytest.mark.anyio
MARCH_2 = date(2026, 3, 2)
EVENTS = simulated(hours=1)


def date_of(at: int) -> date:
    return datetime.fromtimestamp(at / 1000, UTC).date()


async def test_a_days_figures_are_those_the_board_showed():
    floor = floor_of(EVENTS)
    async with site() as place:
        await place.told(EVENTS)
        day = await DayBook(place.database, DAYS).day(MARCH_2, floor.state.queues)

    assert day.figures() == floor.totals().today
    for name, queue in floor.state.queues.items():
        own = day.by_queue[name].figures(queue.variant, queue.service_level_s)
        assert own == queue_figures(queue)
    assert sum(slot.counts.answered for slot in day.slots if slot.counts) == day.whole.answered


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.stem)
async def test_a_traces_day_adds_up_to_the_board(trace):
    events = of_trace(trace)
    floor = floor_of(events)
    async with site() as place:
        await place.told(events)
        day = await DayBook(place.database, DAYS).day(date_of(events[0][0]), floor.state.queues)

    assert day.figures() == floor.totals().today


async def test_one_queues_day_has_only_its_own_visits_and_its_own_limits():
    floor = floor_of(EVENTS)
    name = next(iter(floor.state.queues))
    queue = floor.state.queues[name]
    queue.service_level_s, queue.variant = 3, "offered"
    async with site() as place:
        await place.told(EVENTS)
        day = await DayBook(place.database, DAYS).day(MARCH_2, floor.state.queues, [name])
        agents = await queue_agents(place.database, DAYS, name, MARCH_2)

    assert day.figures() == queue_figures(queue)
    assert day.t == 3
    assert sum(agent.answered for agent in agents) == day.whole.answered


async def test_a_time_in_which_the_program_was_down_has_no_figures():
    story = "1 rings 101 in 999, 1 answered 101 in 999, +14m, ~45m, 2 rings 101 in 999, +10m"
    async with site() as place:
        await place.told(of_story(story))
        day = await DayBook(place.database, DAYS).day(MARCH_2, {})

    ten = next(n for n, slot in enumerate(day.slots) if slot.at == NINE + 4 * QUARTER_MS)
    known = [slot.counts is not None for slot in day.slots]
    assert known[ten : ten + 5] == [True, False, False, True, True]
    assert [slot.partial for slot in day.slots[ten : ten + 5]] == [True, True, True, True, True]
    assert not any(known[:ten])
    assert not any(known[ten + 5 :])
    assert [gap.kind for gap in day.gaps] == ["down"]


async def test_a_day_of_which_nothing_is_known_is_empty():
    async with site() as place:
        await place.told(EVENTS[:50])
        book = DayBook(place.database, DAYS)
        day = await book.day(date(2026, 3, 1), {})
        before = await book.same_weekday(MARCH_2, {})

    assert day.figures().offered == 0
    assert day.figures().service_level is None
    assert all(slot.counts is None for slot in day.slots)
    assert before == []


async def test_the_same_weekday_before_is_the_day_a_week_ago():
    week = 7 * 24 * 3_600_000
    async with site() as place:
        await place.told([*EVENTS, *[(at + week, event) for at, event in EVENTS[:300]]])
        book = DayBook(place.database, DAYS)
        [before] = await book.same_weekday(date(2026, 3, 9), {})

    assert before.date == MARCH_2
    assert before.whole.answered > 100


async def test_the_heat_map_has_local_hours_of_the_weekday():
    async with site() as place:
        await place.told(EVENTS)
        heat = await DayBook(place.database, DAYS).heat_map(MARCH_2, date(2026, 3, 15), {})

    assert set(heat.cells) <= {(0, 9), (0, 10)}
    assert heat.cells[0, 9].answered > 100
    assert heat.days[0] == heat.days[6] == 2


async def test_hours_before_the_first_record_and_after_the_newest_were_not_seen():
    hour, week = 3_600_000, 7 * 24 * 3_600_000
    installed = with_ticks([(NINE + 6 * hour, Tick())], beyond_ms=hour)
    async with site() as place:
        await place.told([*installed, *[(at + week, event) for at, event in EVENTS]])
        heat = await DayBook(place.database, DAYS).heat_map(MARCH_2, date(2026, 3, 15), {})

    assert {hour: seen for (day, hour), seen in heat.seen.items() if day == 0} == {9: 1, 15: 1}


async def test_an_agents_day_is_what_the_board_counted():
    floor = floor_of(EVENTS)
    now = floor.state.at
    async with site() as place:
        await place.told(EVENTS)
        for extension, agent in floor.state.agents.items():
            day = await agent_day(place.database, DAYS, extension, MARCH_2, now)
            spent = {status: ms / 1000 for status, ms in day.status_ms.items()}
            assert spent == pytest.approx(status_seconds(agent, now))
            assert (day.answered, day.outbound) == (agent.day.answered, agent.day.outbound)
            assert day.queue_talk_ms == agent.day.queue_talk_ms
            assert all(one.until == next_.since for one, next_ in pairwise(day.spans))


async def test_pauses_are_kept_with_their_reasons():
    async with site() as place:
        events = of_story(
            "101 on, +10s, 101 pause, +1s", PauseNoted(extension="101", reason="lunch"),
            "+19s, 101 on, +5s, 101 pause, +7s, 101 on, +1s",
        )  # fmt: skip
        await place.told(events)
        day = await agent_day(place.database, DAYS, "101", MARCH_2, events[-1][0])

    assert day.pause_ms == {"lunch": 20_000, "": 7_000}
    assert [span.status for span in day.spans][:3] == [Status.ON, Status.PAUSE, Status.ON]


async def test_a_paused_agent_who_talks_has_a_mark_from_then_on():
    async with site() as place:
        story = "101 on, 1 rings 101 in 999, 1 answered 101 in 999, +9s, 101 pause, 101 talk, +4s"
        events = of_story(story)
        await place.told(events)
        day = await agent_day(place.database, DAYS, "101", MARCH_2, events[-1][0])

    assert [(span.status, span.paused) for span in day.spans][-2:] == [
        (Status.TALK, False),
        (Status.TALK, True),
    ]


async def test_a_span_over_midnight_is_cut_into_both_days():
    async with site() as place:
        await place.told(of_story("101 on, +16h"))
        monday = await agent_day(place.database, DAYS, "101", MARCH_2, NINE + 17 * 3_600_000)
        tuesday = await agent_day(
            place.database, DAYS, "101", date(2026, 3, 3), NINE + 17 * 3_600_000
        )

    assert monday.status_ms[Status.ON] == 14 * 3_600_000
    assert tuesday.status_ms[Status.ON] == 2 * 3_600_000
    assert tuesday.spans[0].open


async def test_an_agents_calls_are_those_taken_missed_and_dialled():
    story = (
        "101 on, 1 rings 101 in 999, +3s, 1 answered 101 in 999, +9s, 1 hangs up,"
        "2 rings 101 in 999, +20s, 2 missed 101 in 999, 2 rings 102 in 999, +1s,"
        "2 answered 102 in 999, 101 dials 3, +5s, 3 hangs up, +2m"
    )
    async with site() as place:
        await place.told(of_story(story))
        day = await agent_day(place.database, DAYS, "101", MARCH_2, NINE + 2 * 3_600_000)

    assert [(call.call.callid, call.missed) for call in day.calls] == [
        ("1", False),
        ("2", True),
        ("3", False),
    ]
    assert (day.answered, day.missed, day.outbound) == (1, 1, 1)
