"""The history is what a replay of the log says: live, after a crash, and built anew."""

import asyncio

import pytest

from app.domain.events import CallRecorded
from app.history.follower import History, wipe
from app.history.rebuild import rebuild
from tests.history_setup import (
    DAYS,
    TRACES,
    floor_of,
    of_story,
    of_trace,
    simulated,
    site,
    tables,
    with_ticks,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.stem)
async def test_built_anew_it_is_what_was_written_live_with_restarts(trace, tmp_path):
    url = f"sqlite:{tmp_path / 'pitwall.db'}"
    events = of_trace(trace)
    async with site(url) as place:
        for first in range(0, len(events), 40):
            # Each opening is a start after a crash: nothing was saved on the way out.
            place.history = await History.open(place.database, place.log, DAYS)
            await place.told(events[first : first + 40])
        live = await tables(place.database)

    await rebuild(url, DAYS, lambda: 0)

    async with site(url) as place:
        assert await tables(place.database) == live
        assert live["call"]
        assert place.history.applied == len(events)


async def test_a_busy_hour_with_kept_floors_is_rebuilt_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("app.history.checkpoints.EVERY_EVENTS", 700)
    monkeypatch.setattr("app.history.follower.MOST", 90)
    events = simulated(hours=0.5)
    async with site(f"sqlite:{tmp_path / 'pitwall.db'}") as place:
        for first in range(0, len(events), 500):
            place.history = await History.open(place.database, place.log, DAYS)
            await place.told(events[first : first + 500])
        live = await tables(place.database)
        [(kept,)] = await place.database.read("SELECT count(*) FROM floor_checkpoint")
        await wipe(place.database)
        monkeypatch.undo()
        await (await History.open(place.database, place.log, DAYS)).catch_up()
        anew = await tables(place.database)

    assert kept >= 3
    assert anew == live


async def test_a_waiter_gets_what_was_just_said_without_a_tick():
    async with site() as place:
        following = asyncio.create_task(place.history.run())
        for _ in range(3):
            await place.tell(of_story("1 rings 101 in 999, +1s, 1 answered 101 in 999"))
            async with asyncio.timeout(5):
                await place.history.wait_for(place.log.last_seq)
            assert place.history.applied == place.log.last_seq
        following.cancel()


async def test_a_rebuild_beside_a_running_history_ends_well(tmp_path):
    url = f"sqlite:{tmp_path / 'pitwall.db'}"
    events = of_trace(TRACES[0])
    async with site(url) as place:
        following = asyncio.create_task(place.history.run())
        await place.tell(events)
        await place.history.wait_for(place.log.last_seq)
        live = await tables(place.database)
        await rebuild(url, DAYS, lambda: 0)
        await place.tell(of_story("9 rings 101 in 999"))
        await place.history.wait_for(place.log.last_seq)
        after = await tables(place.database)
        following.cancel()

    assert after["visit"][: len(live["visit"])] == live["visit"]
    assert len(after["call"]) == len(live["call"]) + 1


async def test_a_fault_of_the_history_is_told_and_ends_nothing(caplog):
    async with site() as place:
        await place.database.write(lambda connection: connection.execute("DROP TABLE leg"))
        following = asyncio.create_task(place.history.run())
        await place.tell(of_story("1 rings 101 in 999, 1 answered 101 in 999, 1 hangs up"))
        async with asyncio.timeout(5):
            await place.history.wait_for(place.log.last_seq)
        assert not following.done()
        following.cancel()

    assert "no longer written" in place.history.failure
    assert "no such table" in caplog.text


async def test_it_ends_with_the_log():
    async with site() as place:
        following = asyncio.create_task(place.history.run())
        await place.tell(of_story("1 rings 101 in 999"))
        await place.log.close()
        async with asyncio.timeout(5):
            await following


async def test_a_gap_in_the_ticks_is_kept_as_a_gap():
    async with site() as place:
        await place.told(of_story("101 on, +20s, ~10m, 101 on, +10s"))
        gaps = await place.database.read("SELECT kind, ended - began FROM gap")

    assert gaps == [("down", 10 * 60_000)]


@pytest.mark.parametrize(
    ("night", "gaps"),
    [
        ("101 on, +11m, 101 pause", [("silent", 660_000)]),
        ("101 on, 101 off, +11m, 101 on", []),
    ],
)
async def test_silence_is_a_gap_only_while_somebody_is_logged_in(night, gaps):
    async with site() as place:
        await place.told(of_story(night))
        assert await place.database.read("SELECT kind, ended - began FROM gap") == gaps


async def test_a_record_that_was_asked_for_ends_no_silence():
    fetched = CallRecorded(callid="7", status="ANSWER", fetched=True)
    async with site() as place:
        await place.told(of_story("101 on, +9m", fetched, "+9m, 101 pause"))
        gaps = await place.database.read("SELECT kind, ended - began FROM gap")

    assert gaps == [("silent", 18 * 60_000)]


async def test_the_counted_visits_are_those_on_the_floor():
    events = simulated(hours=1)
    today = floor_of(events).totals().today
    async with site() as place:
        await place.told(events)
        rows = await place.database.read(
            "SELECT outcome, count(*), sum(wait_ms) FROM visit WHERE counted = 1 GROUP BY outcome"
        )

    counts = {outcome: count for outcome, count, _ in rows}
    waits = {outcome: wait for outcome, _, wait in rows}
    assert counts["answered"] == today.answered > 100
    assert counts["abandoned"] == today.abandoned > 0
    assert waits["answered"] / counts["answered"] / 1000 == pytest.approx(today.asa_s)


async def test_a_late_record_corrects_the_rows():
    story = "1 rings 101 in 999, +12s, 1 hangs up, +2m, 1 record ANSWER 101 30/20"
    async with site() as place:
        await place.told(of_story(story.rpartition(",")[0]))
        before = await place.database.read("SELECT outcome, agent, inferred FROM call")
        await place.tell([])
        await place.told(with_ticks(of_story(story)[-1:], beyond_ms=0))
        after = await place.database.read("SELECT outcome, agent, inferred, talk_ms FROM call")

    assert before == [("abandoned", "", 1)]
    assert after == [("answered", "101", 1, 20_000)]
