"""The worklist of those who gave up: one line per caller, until somebody talked with them."""

import pytest

from app.domain.events import (
    AbandonClaimed,
    AbandonClosed,
    AbandonReleased,
    CallAbandoned,
    CallAnswered,
    CallBackPlaced,
    CallEnded,
    CallRecorded,
    CallRinging,
    Event,
    OutboundAnswered,
    OutboundRinging,
)
from app.history.abandons import call_back_figure, worklist
from tests.history_setup import NINE, Timed, site, with_ticks

pytestmark = pytest.mark.anyio
ANN, BOB = "0938363739", "0912000111"
MINUTE = 60_000


def gives_up(minute: int, callid: str, phone: str, waited: int = 30, queue: str = "999"):
    at = NINE + minute * MINUTE
    yield at, CallRinging(callid=callid, extension="101", queue=queue, phone=phone)
    yield (
        at + waited * 1000,
        CallAbandoned(callid=callid, queue=queue, phone=phone, holdtime=waited),
    )
    yield at + waited * 1000, CallEnded(callid=callid)


def gets_through(minute: int, callid: str, phone: str):
    at = NINE + minute * MINUTE
    yield at, CallRinging(callid=callid, extension="101", queue="999", phone=phone)
    yield at + 5000, CallAnswered(callid=callid, extension="101", queue="999", phone=phone)
    yield at + 9000, CallEnded(callid=callid)


def calls(minute: int, callid: str, phone: str, *, answered: bool = True):
    at = NINE + minute * MINUTE
    yield at, OutboundRinging(callid=callid, extension="101", phone=phone)
    if answered:
        yield at + 5000, OutboundAnswered(callid=callid, extension="101", phone=phone)
    yield at + 9000, CallEnded(callid=callid)


def does(minute: int, event: Event):
    yield NINE + minute * MINUTE, event


async def lines(place, *happened, **options):
    events: list[Timed] = [each for group in happened for each in group]
    await place.told(with_ticks(events))
    return await worklist(place.database, place.clock.now, **options)


async def test_one_line_per_caller_with_tries_waits_and_queues():
    async with site() as place:
        found = await lines(
            place,
            gives_up(0, "1", ANN, 40),
            gives_up(2, "2", BOB, 10),
            gives_up(5, "3", "+84938363739", 20, queue="888"),
        )

    ann, bob = found
    assert (ann.tries, ann.callid, ann.phone, bob.tries) == (2, "3", "+84938363739", 1)
    assert ann.queues == ("888", "999")
    assert ann.longest_wait_ms == 40_000
    assert (ann.first_at, ann.last_at) == (NINE + 40_000, NINE + 5 * MINUTE + 20_000)


@pytest.mark.parametrize("phone", ["", "101", "anonymous"])
async def test_numbers_that_name_nobody_are_lines_of_their_own(phone):
    async with site() as place:
        found = await lines(place, gives_up(0, "1", phone), gives_up(1, "2", phone))

    assert [line.callid for line in found] == ["2", "1"]


@pytest.mark.parametrize(
    ("then", "how"),
    [
        (calls(9, "9", ANN), "returned"),
        (calls(9, "9", "84938363739"), "returned"),
        (gets_through(9, "9", ANN), "got_through"),
        (does(9, AbandonClosed(callid="1", by="eve")), "by_hand"),
        (calls(9, "9", ANN, answered=False), ""),
        (gets_through(9, "9", BOB), ""),
        (calls(9, "9", BOB), ""),
    ],
)
async def test_a_line_is_closed_when_somebody_talked_with_the_caller(then, how):
    async with site() as place:
        [line] = await lines(place, gives_up(0, "1", ANN), list(then), closed=True)
        open_lines = await worklist(place.database, place.clock.now)

    assert line.closed == how
    assert len(open_lines) == (how == "")


async def test_an_earlier_talk_closes_nothing():
    async with site() as place:
        assert await lines(place, gets_through(0, "1", ANN), gives_up(5, "2", ANN))


async def test_a_try_after_the_close_is_a_new_line():
    async with site() as place:
        happened = gives_up(0, "1", ANN), calls(5, "2", ANN), gives_up(9, "3", ANN)
        found = await lines(place, *happened, closed=True)

    assert [(line.tries, line.closed) for line in found] == [(1, ""), (1, "returned")]


async def test_a_caller_who_overflowed_and_was_answered_gave_up_nothing():
    async with site() as place:
        stay = [*gives_up(0, "1", ANN)][:2]
        answer = CallAnswered(callid="1", extension="7", queue="888", phone=ANN)
        assert await lines(place, stay, [(NINE + 40_000, answer)], closed=True) == []


async def test_a_late_record_that_tells_of_an_answer_takes_the_line_away():
    async with site() as place:
        lost = [(NINE, CallRinging(callid="1", extension="101", queue="999", phone=ANN))]
        ended = [(NINE + 30_000, CallEnded(callid="1"))]
        assert len(await lines(place, lost, ended)) == 1
        record = CallRecorded(callid="1", status="ANSWER", extension="101", duration=30, billsec=20)
        await place.told([(place.clock.now, record)])
        assert await worklist(place.database, place.clock.now) == []


async def test_claims_calls_back_and_attempts_are_on_the_line():
    claim, release = AbandonClaimed(callid="1", by="eve"), AbandonReleased(callid="1", by="eve")
    async with site() as place:
        [claimed] = await lines(place, gives_up(0, "1", ANN), does(2, claim))
        assert (claimed.claimed_by, claimed.claimed_at) == ("eve", NINE + 2 * MINUTE)

        later = NINE + 20 * MINUTE
        await place.told([(later, release), (later, CallBackPlaced(callid="1", by="joe"))])
        await place.told(calls(21, "2", ANN, answered=False))
        [line] = await worklist(place.database, place.clock.now)

    assert (line.claimed_by, line.claimed_at) == ("", None)
    assert (line.called_by, line.called_at, line.attempts) == ("joe", later, 1)


async def test_a_claim_of_an_earlier_line_is_not_on_the_new_one():
    claim = AbandonClaimed(callid="1", by="eve")
    async with site() as place:
        happened = gives_up(0, "1", ANN), does(2, claim), calls(5, "2", ANN), gives_up(9, "3", ANN)
        new, old = await lines(place, *happened, closed=True)

    assert (new.claimed_by, old.claimed_by) == ("", "eve")


async def test_who_closed_by_hand_is_named():
    async with site() as place:
        close = AbandonClosed(callid="1", by="eve", reason="wrong number")
        [line] = await lines(place, gives_up(0, "1", ANN), does(5, close), closed=True)

    assert (line.closed_by, line.closed_at) == ("eve", NINE + 5 * MINUTE)


async def test_lines_older_than_what_is_kept_are_not_shown():
    async with site() as place:
        await lines(place, gives_up(0, "1", ANN))
        week = 7 * 24 * 60 * MINUTE
        assert len(await worklist(place.database, NINE + week - 1)) == 1
        assert await worklist(place.database, NINE + week + MINUTE) == []
        assert len(await worklist(place.database, NINE + week + MINUTE, days=8)) == 1


async def test_only_callers_of_the_askers_queues_are_shown():
    async with site() as place:
        happened = gives_up(0, "1", ANN), gives_up(1, "2", BOB, queue="888")
        found = await lines(place, *happened, queues=frozenset({"888"}))

    assert [line.callid for line in found] == ["2"]


async def test_time_to_call_back_runs_from_the_last_try_to_the_first_answered_return():
    async with site() as place:
        await lines(
            place,
            gives_up(0, "1", ANN, 0),
            gives_up(1, "2", BOB, 0),
            gives_up(2, "3", "0900000003", 0),
            gives_up(3, "4", "0900000004", 0),
            calls(10, "5", ANN),
            calls(11, "6", ANN),
            gets_through(12, "7", "0900000003"),
            calls(21, "8", BOB),
        )
        figure = await call_back_figure(place.database, NINE, NINE + 60 * MINUTE)
        nobody = await call_back_figure(place.database, 0, 1)

    assert (figure.lines, figure.returned, figure.got_through, figure.open) == (4, 2, 1, 1)
    assert figure.average_minutes == pytest.approx(15 + 5 / 60)
    assert nobody.average_minutes is None
