"""Records of calls that no webhook told of: all of them reach the log, and each its own day."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from app.domain.events import CallRecorded, Tick
from app.domain.floor import Floor
from app.history.agents import agent_day
from app.history.days import DayBook
from app.missing_records import MissingRecords
from app.pbx import PbxError
from tests.asked_pbx import AskedPbx, follow
from tests.history_setup import DAYS, NINE, Site, site
from tests.logs import take, told
from tests.story import UTC_ZONE

pytestmark = pytest.mark.anyio
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
MARCH_2, MARCH_3 = date(2026, 3, 2), date(2026, 3, 3)
MIDNIGHT = NINE + 15 * HOUR_MS
LATE, EARLY, NOW = MIDNIGHT - HOUR_MS // 6, MIDNIGHT + HOUR_MS // 6, MIDNIGHT + HOUR_MS // 2
TOO_LONG = PbxError("too_large", "The PBX's answer is longer than 4096 KiB.")


@dataclass
class Asking:
    """Whoever asks for records, and the site whose floor tells what is known already."""

    place: Site
    floor: Floor
    missing: MissingRecords

    async def ask(self, at: int) -> None:
        """At that time; then all see what came of it."""
        await follow(self.place.log, self.floor)
        self.place.clock.now = at
        try:
            await self.missing.of_the_days()
        finally:
            await follow(self.place.log, self.floor)
            await self.place.history.catch_up()

    async def stored(self) -> list[str]:
        """The calls of which there is a record in the log, in its order."""
        seen = await take(self.place.log.follow(), self.place.log.last_seq)
        return [event.callid for event in told(seen) if isinstance(event, CallRecorded)]


@asynccontextmanager
async def asking(pbx: AskedPbx, url: str = "memory:") -> AsyncIterator[Asking]:
    """A site to which no webhook came."""
    async with site(url) as place:
        floor = Floor(DAYS)
        missing = MissingRecords(pbx, place.log, lambda: floor.state, place.clock, UTC_ZONE)
        yield Asking(place, floor, missing)


def recorded(callid: str, started: int, direction: str = "inbound") -> CallRecorded:
    """The record of a call in which 101 talked for 50 s."""
    return CallRecorded(
        callid=callid,
        status="ANSWER",
        direction=direction,
        extension="101",
        started=started,
        duration=60,
        billsec=50,
    )


async def test_more_records_than_a_log_takes_at_once_all_reach_it(tmp_path: Path) -> None:
    calls = [str(number) for number in range(10_001)]
    pbx = AskedPbx(*[recorded(callid, NINE) for callid in calls])
    async with asking(pbx, f"sqlite:{tmp_path / 'pitwall.db'}") as desk:
        await desk.ask(NINE + HOUR_MS)

        assert await desk.stored() == calls


async def test_calls_of_before_midnight_are_in_the_history_and_figures_of_their_day() -> None:
    pbx = AskedPbx(recorded("in", LATE), recorded("out", LATE, "outbound"), recorded("new", EARLY))
    async with asking(pbx) as desk:
        await desk.ask(NOW)
        database = desk.place.database
        agent = partial(agent_day, database, DAYS, "101", now=NOW)
        days = [await DayBook(database, DAYS).day(when, {}) for when in (MARCH_2, MARCH_3)]
        agents = [await agent(when) for when in (MARCH_2, MARCH_3)]

    assert [day.whole.answered for day in days] == [1, 1]
    assert [(day.answered, day.outbound) for day in agents] == [(1, 1), (1, 0)]
    assert [{one.call.callid for one in day.calls} for day in agents] == [{"in", "out"}, {"new"}]
    today = desk.floor.state.agents["101"].day
    assert (today.answered, today.outbound) == (1, 0)
    assert desk.floor.totals().today.answered == 1


async def test_what_was_told_is_stored_and_counted_once() -> None:
    pbx = AskedPbx(recorded("old", LATE), recorded("new", EARLY))
    async with asking(pbx) as desk:
        await desk.ask(NOW)
        await desk.ask(NOW + HOUR_MS)

        assert await desk.stored() == ["new", "old"]
        assert desk.floor.totals().today.answered == 1


async def test_a_call_that_the_floor_has_forgotten_since_yesterday_is_not_stored_again() -> None:
    call = recorded("1", NINE)
    async with asking(AskedPbx(call)) as desk:
        spans = (0, MINUTE_MS, HOUR_MS + MINUTE_MS)
        await desk.place.tell(
            (NINE + span, event) for span, event in zip(spans, (call, Tick(), Tick()), strict=True)
        )
        await desk.ask(NOW)

        assert "1" not in desk.floor.state.calls
        assert await desk.stored() == ["1"]


async def test_a_record_that_came_after_the_last_question_of_its_day_is_fetched_all_the_same() -> (
    None
):
    pbx = AskedPbx()
    async with asking(pbx) as desk:
        await desk.ask(LATE)
        pbx.kept = [recorded("1", LATE - HOUR_MS)]
        await desk.ask(NOW)

        assert await desk.stored() == ["1"]


async def test_yesterday_is_asked_for_until_its_last_calls_are_over() -> None:
    pbx = AskedPbx()
    yesterday, today = "records 2026-03-02", "records 2026-03-03"
    asked = []
    async with asking(pbx) as desk:
        for hour in range(-1, 7):
            await desk.ask(NOW + hour * HOUR_MS)
            asked.append([*pbx.asked])
            pbx.asked.clear()

    assert asked[0] == [yesterday, "records 2026-03-01"]
    assert asked[1:6] == [[today, yesterday]] * 5
    assert asked[6:] == [[today]] * 2


@pytest.mark.parametrize(
    ("refused", "stored"), [(MARCH_2, "new"), (MARCH_3, "old")], ids=["yesterday", "today"]
)
async def test_of_a_day_that_is_refused_the_other_is_told_all_the_same(
    refused: date, stored: str
) -> None:
    pbx = AskedPbx(recorded("old", LATE), recorded("new", EARLY))
    pbx.fails[f"records {refused}"] = TOO_LONG
    async with asking(pbx) as desk:
        with pytest.raises(PbxError, match="longer"):
            await desk.ask(NOW)

        assert await desk.stored() == [stored]


async def test_yesterday_is_asked_for_until_it_was_told() -> None:
    pbx, morning = AskedPbx(recorded("old", LATE)), MIDNIGHT + 9 * HOUR_MS
    pbx.fails["records 2026-03-02"] = TOO_LONG
    async with asking(pbx) as desk:
        with pytest.raises(PbxError, match="longer"):
            await desk.ask(morning)
        pbx.fails.clear()
        await desk.ask(morning + HOUR_MS)

        assert await desk.stored() == ["old"]


async def test_a_record_of_yesterday_that_tells_no_start_does_not_count_today() -> None:
    pbx = AskedPbx(*[replace(recorded(callid, 0), started=None) for callid in ("old", "new")])
    pbx.begins = {"old": LATE, "new": EARLY}
    async with asking(pbx) as desk:
        await desk.ask(NOW)

        assert await desk.stored() == ["new"]
