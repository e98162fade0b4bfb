"""Doubled, late, lost, replayed and simultaneous webhooks, through the receiver to the floor."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.model import Call
from app.domain.states import CallState, Status
from app.history.search import CallFilter, search_calls
from app.replay import read_trace
from tests.bad_cases import runs
from tests.ear import TOKEN, Ear, listening_ear
from tests.history_setup import TRACES

pytestmark = pytest.mark.anyio

MONDAY = 1_772_445_600_000  # 2026-03-02T10:00:00Z
BERLIN = ZoneInfo("Europe/Berlin")
WHOLE = "1 rings 101 in 999, +4s, 1 answered 101 in 999, +9s, 1 hangs up"
RECORD = "1 record ANSWER 101 13/9 inbound"


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    async with listening_ear(MONDAY) as opened:
        yield await opened.hears("101 on, 102 on")


def at_berlin(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


async def history_of(ear: Ear) -> list[tuple[str, str]]:
    page = await search_calls(ear.parts.database, CallFilter(), "", 100)
    return [(call.callid, call.outcome) for call in page.calls]


def status(ear: Ear, extension: str = "101") -> Status:
    return ear.floor.state.agents[extension].status


def answered(ear: Ear) -> tuple[int, int]:
    today = ear.floor.totals().today
    return today.offered, today.answered


@runs("duplicate-ring-x10")
async def test_the_same_ring_ten_times_is_one_ring(ear: Ear):
    once = (await ear.hears("1 rings 101 in 999")).state()
    for _ in range(9):
        await ear.hears("1 rings 101 in 999")

    assert ear.state() == once


@runs("duplicate-calldata-x10")
async def test_the_same_record_ten_times_is_one_record(ear: Ear):
    once = (await ear.hears(WHOLE, RECORD)).state()
    for _ in range(9):
        await ear.hears(RECORD)

    assert ear.state() == once
    assert answered(ear) == (1, 1)
    assert await history_of(ear) == [("1", "answered")]


@runs("answer-before-ring", "ring-lost")
@pytest.mark.parametrize(
    "order",
    [
        "1 answered 101 in 999, 1 rings 101 in 999, +9s, 1 hangs up",
        "1 answered 101 in 999, +9s, 1 hangs up",
        "1 hangs up, 1 answered 101 in 999",
    ],
)
async def test_a_late_or_lost_ring_ends_like_the_natural_order(ear: Ear, order: str):
    await ear.hears(order, RECORD, "+65s, tick")
    async with listening_ear(MONDAY) as other:
        await other.hears("101 on, 102 on, 1 rings 101 in 999, 1 answered 101 in 999, +9s")
        await other.hears("1 hangs up", RECORD, "+65s, tick")

        assert answered(ear) == answered(other) == (1, 1)
        assert [card.status for card in ear.floor.agent_cards()] == ["on", "on"]
        assert await history_of(ear) == await history_of(other)


@runs("hangup-before-ring")
async def test_a_ring_after_the_hangup_does_not_bring_the_call_back(ear: Ear):
    await ear.hears("1 hangs up, +2s, 1 rings 101 in 999")

    assert ear.floor.state.calls["1"].state is CallState.ENDED
    assert ear.floor.state.agents["101"].legs == []
    assert ear.floor.waiting_rows() == []


@runs("hangup-only")
async def test_a_hangup_of_a_call_never_seen_changes_no_board(ear: Ear):
    shown, seq = ear.shown(), ear.parts.log.last_seq
    await ear.hears("never hangs up")

    assert ear.shown() == shown
    assert ear.parts.log.last_seq == seq + 1


@runs("calldata-only")
async def test_a_record_of_a_call_never_seen_is_history_and_holds_nobody(ear: Ear):
    await ear.hears("never record ANSWER 101 13/9 inbound, +65s, tick")

    assert await history_of(ear) == [("never", "answered")]
    assert status(ear) is Status.ON
    assert ear.floor.state.agents["101"].legs == []


@runs("replay-of-yesterday")
async def test_yesterdays_webhooks_once_more_change_nothing():
    trace = next(path for path in TRACES if path.name.startswith("s29_"))
    steps = list(read_trace(trace))
    async with listening_ear(steps[0][0]) as ear:
        for at, path, parameters in steps:
            ear.clock.now = at
            await ear.gets(path, **parameters)
        await ear.hears("+1m, tick, +24h, tick, tick")
        calls, shown = await history_of(ear), board_of(ear)
        assert len(calls) > 2
        for _, path, parameters in steps:
            await ear.gets(path, **parameters)

        assert board_of(ear) == shown
        assert answered(ear) == (0, 0)
        assert await history_of(ear) == calls


def board_of(ear: Ear) -> list[Any]:
    """Without since when: a phone that said again what it does may have done so just now."""
    cards = [{**asdict(card), "since": None} for card in ear.floor.agent_cards()]
    return [cards, ear.floor.queue_tiles(), ear.floor.waiting_rows(), ear.floor.abandon_rows()]


@runs("status-talk-without-call")
async def test_a_phone_that_talks_without_a_call_does_so_until_it_says_otherwise(ear: Ear):
    await ear.hears("101 talk, +10s, tick")
    assert status(ear) is Status.TALK
    assert ear.floor.state.calls == {}

    await ear.hears("101 on, tick")
    assert status(ear) is Status.ON


@runs("status-off-during-call")
async def test_who_logs_off_in_a_call_is_off_when_it_ends(ear: Ear):
    await ear.hears("1 rings 101 in 999, 1 answered 101 in 999, 101 off, +2s, tick")
    assert status(ear) is Status.TALK
    assert ear.floor.state.calls["1"].state is CallState.ANSWERED

    await ear.hears("1 hangs up")
    assert status(ear) is Status.OFF


@runs("callid-case-differs")
async def test_call_ids_that_differ_in_case_are_two_calls(ear: Ear):
    await ear.hears("abc rings 101 in 999, ABC hangs up")

    assert ear.floor.state.calls["abc"].state is CallState.WAITING
    assert ear.floor.state.calls["ABC"].state is CallState.ENDED


@runs("callid-reused-by-other-endpoint")
async def test_an_inbound_call_that_is_then_said_to_be_outbound_stays_and_is_noted(ear: Ear):
    await ear.hears("1 rings 101 in 999, 102 dials 1")

    assert ear.floor.state.calls["1"].direction == "inbound"
    [conflict] = ear.floor.state.conflicts
    assert "1" in conflict


@runs("dst-fall-back-hour")
async def test_an_hour_that_comes_twice_counts_both_calls_in_the_order_of_receipt():
    async with listening_ear(at_berlin("2026-10-25T01:59:00"), "Europe/Berlin") as ear:
        claim = "2026-10-25 02:30:00"
        for name in ("first", "second"):
            ear.clock.now += 31 * 60_000 if name == "first" else 60 * 60_000
            await ear.hears(f"{name} rings 101 in 999, +5s, {name} answered 101 in 999, +9s")
            await ear.hears(f"{name} hangs up, {name} record ANSWER 101 14/9 inbound on {claim}")

        assert answered(ear) == (2, 2)
        assert [name for name, _ in await history_of(ear)] == ["second", "first"]
        # An hour and some seconds passed between them, not a second more, not a second less.
        first, second = (ear.floor.state.calls[name].first_seen for name in ("first", "second"))
        assert second - first == 60 * 60_000 + 14_000


@runs("midnight-rollover-in-call")
async def test_a_call_over_midnight_counts_in_the_day_it_began():
    async with listening_ear(at_berlin("2026-06-01T23:59:50"), "Europe/Berlin") as ear:
        await ear.hears("101 on, 1 rings 101 in 999, +5s, 1 answered 101 in 999")
        assert answered(ear) == (1, 1)
        await ear.hears("+10s, tick, +15s, 1 hangs up, 1 record ANSWER 101 30/25 inbound")

        assert answered(ear) == (0, 0)
        assert ear.floor.state.day == "2026-06-02"
        sql = "SELECT seen_at FROM visit WHERE counted = 1 AND outcome = 'answered'"
        [(seen_at,)] = await ear.parts.database.read(sql)
        assert ear.floor.days.of(seen_at).isoformat() == "2026-06-01"


@runs("concurrent-same-callid-50")
async def test_fifty_at_once_of_one_new_call_are_one_call(ear: Ear):
    once: Call
    path = f"/hook/{TOKEN}/api/callcenter/call_in"
    told = {"callid": "1", "phone": "0906000111", "extension": "101", "queue": "999"}
    asks = [ear.client.get(path, params={**told, "event": "RING"}) for _ in range(50)]
    answers = await asyncio.gather(*asks)
    await ear.caught_up()
    [once] = ear.floor.state.calls.values()

    assert [answer.status_code for answer in answers] == [200] * 50
    assert len({answer.json()["seq"] for answer in answers}) == 50
    assert (len(once.legs), len(once.visits)) == (1, 1)
    assert ear.floor.totals().waiting == 1
    assert [name for name, _ in await history_of(ear)] == ["1"]
