"""The business day in five zones with five kinds of trouble, by a table and by chance (R17).

Hồ Chí Minh never changes its clocks; Berlin does at 02:00; St. John's is half an hour off and did
so a minute after midnight until 2011; Kathmandu is three quarters off; Cairo does at midnight, so
that one midnight a year does not exist.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.days import BusinessDay
from app.domain.floor import Floor
from app.history.days import QUARTER_MS, DayBook
from tests.history_setup import site
from tests.story import Story, event_of

HOUR_MS = 3_600_000
ZONES = (
    "Asia/Ho_Chi_Minh",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Africa/Cairo",
)
# zone, day → when it begins (UTC), and its hours.
TABLE = [
    ("Asia/Ho_Chi_Minh", "2026-03-29", "2026-03-28T17:00", 24),
    ("Asia/Kathmandu", "2026-03-29", "2026-03-28T18:15", 24),
    ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00", 23),
    ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00", 25),
    ("America/St_Johns", "2026-03-08", "2026-03-08T03:30", 23),
    ("America/St_Johns", "2026-11-01", "2026-11-01T02:30", 25),
    # At 00:01 the clocks go back to 23:01: two midnights, and the day begins with the first.
    ("America/St_Johns", "2010-11-06", "2010-11-06T02:30", 24),
    ("America/St_Johns", "2010-11-07", "2010-11-07T02:30", 25),
    # At 24:00 they go forward to 01:00: no midnight, and the day begins at 01:00.
    ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00", 23),
    ("Africa/Cairo", "2026-10-29", "2026-10-28T21:00", 25),
    ("Africa/Cairo", "2026-10-30", "2026-10-29T22:00", 24),
]
EARLIEST = round(datetime(2000, 1, 1, tzinfo=UTC).timestamp() * 1000)
LATEST = round(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000)

moments = st.integers(EARLIEST, LATEST)
zones = st.sampled_from(ZONES)
starts = st.one_of(st.just(time(0)), st.times().map(lambda at: at.replace(second=0, microsecond=0)))


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(("zone", "day", "begins", "hours"), TABLE)
def test_a_day_begins_and_ends_where_its_zone_says(zone: str, day: str, begins: str, hours: int):
    rule, when = BusinessDay(ZoneInfo(zone)), date.fromisoformat(day)
    began = rule.begins(when)

    assert began == ms(begins)
    assert rule.span(began) == (when, began, began + hours * HOUR_MS)
    assert rule.of(began - 1) == when - timedelta(days=1)
    assert rule.of(began + hours * HOUR_MS) == when + timedelta(days=1)


@given(at=moments, zone=zones, begin=starts)
@example(at=ms("2010-11-07T02:30:30"), zone="America/St_Johns", begin=time(0))
@example(at=ms("2010-11-07T03:00"), zone="America/St_Johns", begin=time(0))
@example(at=ms("2026-04-23T21:59:59"), zone="Africa/Cairo", begin=time(0, 30))
@example(at=ms("2026-04-23T22:00"), zone="Africa/Cairo", begin=time(0, 30))
def test_every_moment_is_in_one_day_and_days_follow_each_other(at: int, zone: str, begin: time):
    rule = BusinessDay(ZoneInfo(zone), begin)
    day, began, ends = rule.span(at)

    assert began <= at < ends
    assert rule.of(began) == rule.of(ends - 1) == day
    assert rule.of(ends) == day + timedelta(days=1)
    assert rule.of(began - 1) == day - timedelta(days=1)
    assert 22.5 <= (ends - began) / HOUR_MS <= 25.5


@given(at=moments, later=st.integers(0, 3 * 24 * HOUR_MS), zone=zones, begin=starts)
@example(at=ms("2010-11-07T02:30:30"), later=30 * 60_000, zone="America/St_Johns", begin=time(0))
def test_a_later_moment_is_in_no_earlier_day(at: int, later: int, zone: str, begin: time):
    rule = BusinessDay(ZoneInfo(zone), begin)

    assert rule.of(at) <= rule.of(at + later)


@given(day=st.dates(date(2000, 1, 2), date(2099, 12, 30)), zone=zones)
def test_noon_is_in_the_day_of_its_date(day: date, zone: str):
    noon = datetime.combine(day, time(12), ZoneInfo(zone))

    assert BusinessDay(ZoneInfo(zone)).of(round(noon.timestamp() * 1000)) == day


@given(
    day=st.dates(date(2000, 1, 2), date(2099, 12, 30)),
    zone=zones,
    around=st.integers(-3 * HOUR_MS, 3 * HOUR_MS),
    lasts=st.integers(0, 8 * HOUR_MS),
)
def test_a_call_counts_once_and_in_the_day_in_which_it_was_first_seen(
    day: date, zone: str, around: int, lasts: int
):
    rule = BusinessDay(ZoneInfo(zone))
    came = rule.begins(day) + around
    # An hour after midnight what came before it is forgotten by the minute: nothing is counted.
    gone = came + min(lasts, HOUR_MS)
    floor = Floor(rule)
    told = [(came - 60_000, "101 on"), (came, "1 rings 101 in 999"), (gone, "tick")]
    told += [(gone, "1 answered 101 in 999"), (gone, "1 hangs up"), (gone + 90_000, "tick")]
    for seq, (at, words) in enumerate(told, 1):
        floor.apply(seq, at, event_of(words, at, rule.zone))
    today = floor.totals().today

    assert floor.state.day == rule.of(gone + 90_000).isoformat()
    assert today.offered == today.answered == (rule.of(came) == rule.of(gone + 90_000))


@pytest.mark.parametrize("zone", ZONES)
def test_a_second_before_midnight_is_yesterday_and_midnight_is_today(zone: str):
    story = Story("2026-06-01 23:59:59", zone)
    assert story.tell("101 on, 1 waits in 999, tick").state.day == "2026-06-01"
    assert story.floor.totals().waiting == 1

    story.tell("~1s, 2 waits in 999, tick, 1 hangs up, 2 hangs up, ~61s, tick")
    assert story.state.day == "2026-06-02"
    assert story.floor.totals().today.offered == 1


@pytest.mark.parametrize(("zone", "day", "begins", "hours"), TABLE)
@pytest.mark.anyio
async def test_a_day_of_the_past_has_as_many_quarters_as_it_lasted(
    zone: str, day: str, begins: str, hours: int
):
    rule, when = BusinessDay(ZoneInfo(zone)), date.fromisoformat(day)
    async with site() as place:
        shown = await DayBook(place.database, rule).day(when, {})

    assert (shown.began, shown.ended) == (ms(begins), ms(begins) + hours * HOUR_MS)
    assert [slot.at for slot in shown.slots] == list(range(shown.began, shown.ended, QUARTER_MS))


@pytest.mark.anyio
async def test_another_zone_puts_the_same_calls_into_its_own_days():
    # 16:30 and 17:30 UTC: on both sides of midnight in Hồ Chí Minh, one day everywhere else.
    story = [(ms("2026-06-01T16:30"), "1 waits in 999"), (ms("2026-06-01T16:30:09"), "1 hangs up")]
    story += [(ms("2026-06-01T17:30"), "2 waits in 999"), (ms("2026-06-01T17:30:09"), "2 hangs up")]
    story.append((ms("2026-06-01T17:40"), "tick"))
    counts: dict[str, list[int]] = {}
    async with site() as place:
        await place.told((at, event_of(words, at)) for at, words in story)
        for zone in ("Asia/Ho_Chi_Minh", "Europe/Berlin"):
            book = DayBook(place.database, BusinessDay(ZoneInfo(zone)))
            days = [await book.day(date(2026, 6, number), {}) for number in (1, 2)]
            counts[zone] = [day.whole.abandoned for day in days]

    assert counts == {"Asia/Ho_Chi_Minh": [1, 1], "Europe/Berlin": [2, 0]}
