"""How much of the last thirty days the board was live, as it says itself."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.domain.events import Tick
from app.history.availability import Availability, availability
from app.history.days import DayBook
from app.language import Writing
from tests.history_setup import DAYS, NINE, Site, site
from tests.past_site import past_site

pytestmark = pytest.mark.anyio

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
MIDNIGHT = NINE - 9 * HOUR_MS
TICK_MS = 10_000


def ticks(began: int, ended: int) -> list[tuple[int, Tick]]:
    return [(at, Tick()) for at in range(began, ended, TICK_MS)]


async def found(here: Site, now: int) -> Availability:
    return await availability(DayBook(here.database, DAYS), DAYS, now)


async def test_a_day_without_a_pause_was_live_throughout():
    async with site() as here:
        await here.told(ticks(MIDNIGHT, MIDNIGHT + 2 * HOUR_MS))
        was = await found(here, MIDNIGHT + DAY_MS)

    assert (was.recorded_ms, was.down_ms, was.share) == (2 * HOUR_MS - TICK_MS, 0, 1.0)


async def test_an_outage_counts_from_the_last_sign_of_life_to_the_next():
    async with site() as here:
        await here.told(ticks(MIDNIGHT, MIDNIGHT + HOUR_MS))
        back = MIDNIGHT + HOUR_MS + 5 * MINUTE_MS
        await here.told(ticks(back, MIDNIGHT + 2 * HOUR_MS))
        was = await found(here, MIDNIGHT + DAY_MS)

    assert [(gap.began, gap.ended) for gap in was.outages] == [(MIDNIGHT + HOUR_MS - TICK_MS, back)]
    assert was.share == pytest.approx(1 - (5 * MINUTE_MS + TICK_MS) / (2 * HOUR_MS - TICK_MS))
    assert was.down_ms > was.allowed_ms


async def test_today_and_what_is_older_than_thirty_days_do_not_count():
    async with site() as here:
        for began in (MIDNIGHT, MIDNIGHT + HOUR_MS, MIDNIGHT + 40 * DAY_MS):
            await here.told(ticks(began, began + MINUTE_MS))
        today = MIDNIGHT + 41 * DAY_MS
        await here.told(ticks(today + HOUR_MS, today + 2 * HOUR_MS))
        was = await found(here, today + 2 * HOUR_MS)

    assert (was.began, was.ended) == (today - 30 * DAY_MS, today)
    [before, since] = was.outages
    assert (before.began, before.ended) == (was.began, today - DAY_MS)
    assert since.ended == today


async def test_of_a_first_day_nothing_is_said():
    async with site() as here:
        await here.told(ticks(NINE, NINE + HOUR_MS))
        was = await found(here, NINE + HOUR_MS)

    assert was.share is None


def test_an_administrator_reads_it_with_its_formula(tmp_path: Path) -> None:
    with past_site(tmp_path) as site:
        first = site.get("/admin/availability", "admin")
        began = site.clock.now
        site.clock.now += 20 * MINUTE_MS
        site.append([Tick()])
        for hour in range(1, 31):
            site.clock.now = began + hour * HOUR_MS
            site.append([Tick()])
        page = site.get("/admin/availability", "admin")

    assert "No full day is recorded yet" in first.text
    assert "The promise of 99.90 % is not kept." in page.text
    assert "When it was down" in page.text
    assert "recorded, from" in page.text


@pytest.mark.parametrize(("share", "shown"), [(0.99999, "99.99"), (1.0, "100.00"), (None, "–")])
def test_what_was_not_reached_does_not_look_reached(share: float | None, shown: str) -> None:
    assert Writing.of("en", ZoneInfo("UTC")).promised_percent(share) == shown
