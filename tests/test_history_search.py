"""Finding calls of the past: by filter, page by page, each with its whole story."""

import pytest

from app.domain.events import CallBackPlaced, CallRinging, OutboundAnswered
from app.history.marks import WORDS, in_words
from app.history.search import CallFilter, WrongFilter, find_call, search_calls
from app.history.story import agent_story, call_story
from app.log.memory import MemoryLog
from tests.history_setup import NINE, of_story, simulated, site
from tests.logs import Clock, Place

pytestmark = pytest.mark.anyio

FOUR_CALLS = (
    "101 on, 1 rings 101 in 999, +5s, 1 answered 101 in 999, +20s, 1 hangs up,"
    "2 rings 101 in 999, 2 rings 102 in 888, +9s, 2 abandons 999 after 9, 2 answered 102 in 888,"
    "+5s, 2 hangs up, 3 rings 101 in 888, +7s, 3 abandons 888 after 7, 3 hangs up,"
    "101 dials 4, +3s, 101 reaches 4, +30s, 4 hangs up, +2m"
)


async def found(place, **wanted):
    page = await search_calls(place.database, CallFilter(**wanted), limit=500)
    return [call.callid for call in page.calls]


@pytest.mark.parametrize(
    ("wanted", "callids"),
    [
        ({}, "4 3 2 1"),
        ({"queue": "999"}, "2 1"),
        ({"queue": "888"}, "3 2"),
        ({"agent": "101"}, "4 1"),
        ({"agent": "102"}, "2"),
        ({"outcome": "answered"}, "2 1"),
        ({"outcome": "abandoned"}, "3"),
        ({"outcome": "reached"}, "4"),
        ({"direction": "outbound"}, "4"),
        ({"queues": frozenset({"888"})}, "3 2"),
        ({"queues": frozenset()}, ""),
        ({"queue": "888", "outcome": "abandoned", "agent": ""}, "3"),
    ],
)
async def test_each_filter_finds_its_calls(wanted, callids):
    async with site() as place:
        await place.told(of_story(FOUR_CALLS))
        assert await found(place, **wanted) == callids.split()


async def test_times_include_the_first_moment_and_not_the_last():
    async with site() as place:
        await place.told(of_story("1 rings 101 in 999, +1s, 2 rings 101 in 999"))
        calls = (await search_calls(place.database, CallFilter())).calls
        second, first = calls[0].first_seen, calls[1].first_seen
        assert await found(place, since=first, until=second) == ["1"]
        assert await found(place, since=second) == ["2"]


@pytest.mark.parametrize(
    ("phone", "callids"),
    [
        ("739", ["1"]),
        ("363739", ["1"]),
        ("0938363739", ["1"]),
        ("+84 938 363 739", ["1"]),
        ("*3637", ["1"]),
        ("093", []),
        ("*093", ["2", "1"]),
    ],
)
async def test_a_number_is_found_by_its_end_or_by_any_digits(phone, callids):
    async with site() as place:
        numbers = {"1": "0938363739", "2": "0938000000", "3": "101"}
        events = [CallRinging(callid=i, queue="9", phone=n) for i, n in numbers.items()]
        await place.told((NINE + n, event) for n, event in enumerate(events))
        assert await found(place, phone=phone) == callids


@pytest.mark.parametrize(
    "wrong",
    [{"outcome": "won"}, {"direction": "up"}, {"phone": "12"}, {"phone": "abc"}, {"phone": "*"}],
)
async def test_a_filter_that_means_nothing_is_refused_in_words(wrong):
    async with site() as place:
        with pytest.raises(WrongFilter, match=next(iter(wrong))):
            await found(place, **wrong)


@pytest.mark.parametrize("cursor", ["x", "W10", "bm90aGluZw", "é"])
async def test_a_cursor_that_was_never_given_is_refused(cursor):
    async with site() as place:
        with pytest.raises(WrongFilter, match="cursor"):
            await search_calls(place.database, CallFilter(), cursor)


async def test_pages_miss_and_repeat_nothing_while_new_calls_come():
    events = simulated(hours=0.3)
    middle = len(events) // 2
    async with site() as place:
        await place.told(events[:middle])
        expected = await found(place)
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await search_calls(place.database, CallFilter(), cursor, limit=7)
            seen += [call.callid for call in page.calls]
            cursor = page.cursor
            await place.told(events[middle : middle + 30])
            middle += 30

    assert len(expected) > 20
    assert seen == expected


async def test_a_call_tells_who_took_it_and_how_long_everything_was():
    story = "1 rings 101 in 999, 1 rings 102 in 999, +12s, 1 answered 102 in 999, +30s, 1 hangs up"
    async with site() as place:
        await place.told(of_story(f"{story}, 1 record ANSWER 102 42/30, +2m"))
        call = await find_call(place.database, "1")
        nothing = await find_call(place.database, "7")

    assert nothing is None
    assert call is not None
    assert (call.agent, call.queues, call.outcome) == ("102", ("999",), "answered")
    assert (call.wait_ms, call.talk_ms, call.exact) == (12_000, 30_000, True)
    assert call.ended_at == call.first_seen + 42_000


async def test_an_end_that_nobody_saw_begin_is_no_call():
    async with site() as place:
        await place.told(of_story("7 hangs up, +2m"))
        assert await found(place) == []


async def test_the_story_of_a_call_has_every_event_with_source_and_effect():
    story = "1 waits in 999, 1 rings 101 in 999, +8s, 1 answered 101 in 999, +9s, 1 hangs up"
    async with site() as place:
        await place.told(of_story(f"{story}, 1 hangs up, +2m", CallBackPlaced(callid="1", by="x")))
        steps = await call_story(place.database, place.log, "1")

    assert [step.kind for step in steps] == [
        "call_ringing", "call_ringing", "call_answered", "call_ended", "call_ended",
        "call_back_placed",
    ]  # fmt: skip
    assert [step.changed for step in steps] == [
        [["enters", "999"]],
        [["rings", "101"]],
        [["answered", "999", "101"], ["talks", "101"]],
        [["leaves", "101"], ["ended"]],
        [],
        [],
    ]
    assert {step.source for step in steps} == {"webhook", "person"}
    assert steps[1].said["extension"] == "101"


async def test_what_was_concluded_is_in_the_story_and_says_so():
    async with site() as place:
        await place.told(of_story("1 rings 101 in 999, +8s, 1 hangs up, +2m"))
        steps = await call_story(place.database, place.log, "1")

    assert [(step.source, step.changed) for step in steps[-1:]] == [
        ("concluded", [["abandoned", "999", ""]])
    ]


async def test_a_lost_call_and_a_doubt_are_told_in_words():
    story = "101 on, 1 rings 101 in 999, 101 talk, 1 answered 101 in 999, +9s, 101 on, +3m"
    async with site() as place:
        await place.told(of_story(story))
        steps = await call_story(place.database, place.log, "1")

    words = [in_words(change) for step in steps for change in step.changed]
    assert any("in doubt" in sentence for sentence in words)
    assert any("is lost" in sentence for sentence in words)


def test_every_change_has_words():
    assert all("{2}" not in words and in_words([word, "a", "b"]) for word, words in WORDS.items())


async def test_an_agents_story_has_what_named_or_moved_the_agent():
    async with site() as place:
        await place.told(of_story("101 on, 1 rings 101 in 999, 1 rings 102 in 999, 1 hangs up"))
        steps = await agent_story(place.database, place.log, "101")
        early = await agent_story(place.database, place.log, "101", until=1)

    assert [step.kind for step in steps] == ["phone_reported", "call_ringing", "call_ended"]
    assert len(early) == 1


@pytest.mark.parametrize("url", ["memory:", "sqlite:{}/pitwall.db"])
async def test_a_log_gives_single_records_in_order_and_leaves_out_the_rest(url, tmp_path):
    place = Place(url.format(tmp_path))
    log = await place.open()
    for number in range(1, 6):
        await log.append([OutboundAnswered(callid=str(number), extension="1")])

    records = await log.records([4, 2, 2, 99, 0])

    assert [record.seq for record in records] == [2, 4]
    await place.close()


async def test_a_memory_log_has_no_records_at_first():
    assert await MemoryLog(Clock()).records([1]) == []
