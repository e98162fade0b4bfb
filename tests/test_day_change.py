"""The business day, what a new one leaves behind, and what is remembered of ended calls."""

from datetime import date, time
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from app.domain.books import MINUTE
from app.domain.caps import USUAL
from app.domain.days import BusinessDay
from app.domain.events import CallRecorded
from app.domain.figures import window_figures
from app.domain.report import status_seconds
from app.domain.states import Status
from tests.story import Story, lies

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_MS = 3_600_000


def hours(rule: BusinessDay, day: date) -> float:
    _, began, ends = rule.span(rule.begins(day))
    return (ends - began) / HOUR_MS


@pytest.mark.parametrize(
    ("day", "starts", "length"),
    [
        (date(2026, 10, 24), time(0), 24),
        (date(2026, 10, 25), time(0), 25),
        (date(2026, 3, 29), time(0), 23),
        (date(2026, 10, 24), time(4), 25),
        (date(2026, 10, 25), time(4), 24),
        # 2:30 does not exist that night; the day begins at what the zone makes of it, 3:30.
        (date(2026, 3, 29), time(2, 30), 24 - 1),
        (date(2026, 3, 28), time(2, 30), 24),
    ],
)
def test_a_day_is_as_long_as_its_zone_has_it(day: date, starts: time, length: float) -> None:
    assert hours(BusinessDay(BERLIN, starts), day) == length


@pytest.mark.parametrize("starts", [time(0), time(2, 30), time(4), time(23, 59)])
@pytest.mark.parametrize("day", [date(2026, 3, 28), date(2026, 10, 24), date(2026, 6, 1)])
def test_days_follow_each_other_without_gap(day: date, starts: time) -> None:
    rule = BusinessDay(BERLIN, starts)
    at = rule.begins(day)
    for _ in range(3):
        _, began, ends = rule.span(at)
        assert began <= at < ends
        assert rule.span(ends)[1] == ends
        assert rule.of(ends - 1) == rule.of(began) != rule.of(ends)
        at = ends


def test_a_new_day_starts_with_nothing() -> None:
    story = Story("2026-03-02 23:58:00").tell(
        "101 on, 1 rings 101 in 999, +4s, 1 answered 101 in 999, +9s, 1 hangs up,"
        "2 rings 101 in 999, 2 missed 101 in 999, 2 abandons 999 after 3, 101 dials 3, 3 hangs up"
    )
    assert lies(story, "999 answered 1, 999 abandoned 1, 101 outbound 1, 101 missed 1") == []

    story.tell("+2m")
    assert story.state.day == "2026-03-03"
    assert (
        lies(
            story,
            "999 offered 0, all offered 0, 101 answered 0, 101 missed 0, 101 outbound 0, 0 gave up,"
            "101 talked 0s, 101 on",
        )
        == []
    )


def test_a_new_day_counts_its_own_repairs() -> None:
    story = Story("2026-03-02 23:58:00").tell("101 on, +10s, 101 verified pause")
    assert story.state.reconciled.repairs_today == 1

    story.tell("+2m")
    assert story.state.reconciled.repairs_today == 0
    assert len(story.state.repairs) == 1


def test_until_the_day_ends_it_is_today() -> None:
    story = Story("2026-03-02 23:58:00").tell("1 abandons 999 after 3, +1m, +55s")
    assert lies(story, "999 abandoned 1") == []
    assert lies(story.tell("+5s"), "999 abandoned 0") == []


def test_a_day_may_begin_at_four() -> None:
    story = Story("2026-03-03 03:58:00", starts=time(4)).tell("1 abandons 999 after 3")
    assert (story.state.day, lies(story, "999 abandoned 1")) == ("2026-03-02", [])

    story.tell("+2m")
    assert (story.state.day, lies(story, "999 abandoned 0")) == ("2026-03-03", [])


def test_what_came_before_the_first_tick_of_the_day_is_of_that_day() -> None:
    story = Story("2026-03-02 23:58:00").tell("1 abandons 999 after 3, ~3m, 2 abandons 999 after 0")

    assert (
        lies(story.tell("tick"), "999 abandoned 1, 2 gave up 999 after 0s exactly, 1 gave up") == []
    )


def test_a_call_over_midnight_counts_on_the_day_it_arrived() -> None:
    story = Story("2026-03-02 23:59:50").tell(
        "1 rings 101 in 999, +4s, 1 answered 101 in 999, +20s, 1 hangs up, +70s"
    )

    assert (
        lies(
            story, "999 answered 0, 999 aht –, all offered 0, 101 answered 0, 101 talked 0s, 101 on"
        )
        == []
    )


def test_and_is_not_taken_from_the_new_day_by_its_record() -> None:
    story = Story("2026-03-02 23:59:20").tell(
        "1 rings 101 in 999, +20s, 1 answered 101 in 999, +40s, 1 hangs up,"
        "1 record ANSWER 101 60/40 inbound"
    )

    assert lies(story, "999 answered 0, 999 offered 0, 101 answered 0, 101 talked 0s") == []


@pytest.mark.parametrize(("starts", "counted"), [(time(0), 0), (time(6), 1)])
def test_a_record_fetched_after_midnight_counts_on_the_day_of_its_call(
    starts: time, counted: int
) -> None:
    story = Story("2026-03-03 00:30:00", starts=starts)
    began = story.now - 40 * MINUTE
    record = partial(CallRecorded, status="ANSWER", started=began, duration=60, billsec=50)
    for callid, direction in (("1", "inbound"), ("2", "outbound")):
        story.tell(record(callid=callid, direction=direction, extension="101"))

    claims = f"all answered {counted}, 101 answered {counted}, 101 outbound {counted}, 2 calls"
    assert lies(story, claims) == []


def test_a_call_that_waits_over_midnight_still_waits() -> None:
    story = Story("2026-03-02 23:59:50").tell("1 rings 101 in 999, +20s")

    assert lies(story, "999 waiting 1, 1 waits in 999 for 20s, 101 ring for 20s") == []
    assert lies(story.tell("1 answered 101 in 999"), "999 talking 1, 999 answered 0") == []


def test_time_over_midnight_is_of_the_new_day_from_midnight_on() -> None:
    story = Story("2026-03-02 23:59:00").tell("101 on, +3m")
    spent = status_seconds(story.state.agents["101"], story.now)
    assert spent[Status.ON] == 120

    story.tell("101 pause")
    assert lies(story, "101 was on 120s") == []


def test_the_last_hour_of_yesterday_is_in_the_windows() -> None:
    story = Story("2026-03-02 23:58:00").tell("1 abandons 999 after 3, +4m")
    queue = story.state.queues["999"]

    assert window_figures([queue], 15, story.now).abandoned == 1
    assert queue.today.abandoned == {}


def test_a_correction_of_a_visit_of_hours_ago_is_counted_in_its_day() -> None:
    story = Story("2026-03-02 10:00:00").tell("1 rings 101 in 999, +7s, 1 hangs up, +70s")
    assert lies(story, "999 abandoned 1") == []
    story.tell("~3h, tick, 1 answered 101 in 999")

    assert story.state.queues["999"].minutes == {}
    assert lies(story, "999 abandoned 0, 999 answered 1, 101 answered 1") == []


def test_minutes_of_more_than_an_hour_ago_are_forgotten() -> None:
    story = Story("2026-03-02 22:30:00").tell(
        "1 abandons 999 after 3, ~80m, 2 abandons 999 after 0"
    )
    story.tell("~20m, tick")

    began = story.state.day_began // MINUTE
    assert [minute - began for minute in story.state.queues["999"].minutes] == [-10]


def test_a_correction_of_a_forgotten_minute_takes_nothing_from_it() -> None:
    story = Story("2026-03-02 21:00:00").tell("1 rings 101 in 999, +7s, 1 hangs up, +70s")
    story.tell("~3h, tick, 1 answered 101 in 999")

    assert story.state.queues["999"].minutes == {}
    assert lies(story, "999 offered 0, 101 answered 0") == []


def test_a_day_that_passed_while_the_program_was_down_is_over() -> None:
    story = Story().tell("1 abandons 999 after 3, ~50h, tick")

    assert lies(story, "999 abandoned 0, 0 gave up") == []
    assert story.state.day == "2026-03-04"


def test_the_hour_that_comes_twice_is_one_day() -> None:
    story = Story("2026-10-25 01:30:00", "Europe/Berlin").tell("1 abandons 999 after 3, ~90m, tick")
    story.tell("2 abandons 999 after 3, ~60m, tick, 3 abandons 999 after 3")

    assert (story.state.day, lies(story, "999 abandoned 3")) == ("2026-10-25", [])


def test_the_first_event_begins_the_day() -> None:
    story = Story("2026-03-02 10:00:00").tell("101 on")

    assert (story.state.day, story.state.day_began) == ("2026-03-02", story.began - 10 * HOUR_MS)


REMEMBERED = "1 rings 101 in 999, 1 answered 101 in 999, +9s, 1 hangs up, 1 record ANSWER 101 9/9"


def test_a_recorded_call_is_forgotten_after_an_hour() -> None:
    story = Story().tell(REMEMBERED, "+1h")
    assert lies(story, "1 calls") == []
    assert lies(story.tell("+10s"), "0 calls, 999 answered 1") == []


def test_an_abandoned_call_is_forgotten_after_an_hour_too() -> None:
    story = Story().tell("1 rings 101 in 999, 1 abandons 999 after 9, 1 hangs up, +1h")
    assert lies(story, "1 calls") == []
    assert lies(story.tell("+2m"), "0 calls, 999 abandoned 1") == []


@pytest.mark.parametrize("where", [" in 888", ""])
def test_an_abandoned_call_that_went_on_elsewhere_waits_for_its_record(where: str) -> None:
    story = Story().tell(f"1 rings 101 in 999, 1 abandons 999 after 9, 1 rings 102{where}")
    story.tell(f"1 answered 102{where}, +9s, 1 hangs up, ~23h, tick")
    assert lies(story, "1 calls") == []


def test_a_call_without_a_record_is_remembered_for_a_day() -> None:
    story = Story().tell("1 rings 101 in 999, 1 hangs up, ~23h, tick")
    assert lies(story, "1 calls") == []
    assert lies(story.tell("~61m, tick"), "0 calls") == []


@pytest.mark.parametrize(
    "copy",
    [
        "1 rings 101 in 999",
        "1 answered 101 in 999",
        "1 missed 101 in 999",
        "1 abandons 999 after 9",
        "1 hangs up",
        "1 record ANSWER 101 9/9",
        "101 reaches 1",
    ],
)
def test_a_forgotten_call_is_not_brought_back_by_a_copy(copy: str) -> None:
    story = Story().tell(REMEMBERED, "~2h, tick, tick", copy, "~2m, tick")

    assert lies(story, "0 calls, 101 on, 999 offered 1, 999 waiting 0, 101 missed 0") == []


def test_yesterday_told_again_counts_nothing_today() -> None:
    story = Story().tell(REMEMBERED, "~24h, tick, tick", REMEMBERED, "~2m, tick")

    assert lies(story, "all offered 0, 101 answered 0, 101 on, 999 waiting 0") == []


def test_two_days_later_even_that_is_forgotten() -> None:
    story = Story().tell(REMEMBERED, "~2h, tick, tick, ~48h, tick")
    assert "1" in story.state.tombstones
    assert "1" not in story.tell("~5s, tick").state.tombstones


def test_only_so_many_forgotten_calls_are_known_by_name() -> None:
    story = Story().tell("101 on")
    for number in range(USUAL.tombstones + 3):
        story.state.tombstones[str(number)] = story.now
    story.tell("tick")

    assert len(story.state.tombstones) == USUAL.tombstones
    assert next(iter(story.state.tombstones)) == "3"
