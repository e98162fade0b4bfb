"""One contract for every kind of log."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.events import CallEnded, PhoneReported, Tick
from app.log import EventLog, LogUnavailable, Record, Snapshot
from app.log.open import database_path
from app.log.tail import Tail
from tests.logs import NOON, Clock, Place, call, calls, soon, take, told

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", "sqlite", "nats_server", "nats_cluster"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    urls = {"memory": "memory:", "sqlite": f"sqlite:{tmp_path / 'pitwall.db'}"}
    url = urls.get(request.param) or request.getfixturevalue(request.param).new_url()
    place = Place(url)
    yield place
    await place.close()


@pytest.fixture
async def log(place: Place) -> EventLog:
    return await place.open()


@pytest.fixture
def clock(place: Place) -> Clock:
    return place.clock


async def test_an_empty_log_is_at_zero(log: EventLog) -> None:
    assert log.last_seq == 0
    assert await log.append([]) == 0


async def test_events_come_back_in_order_numbered_from_one(log: EventLog, clock: Clock) -> None:
    assert await log.append([call(1)]) == 1
    clock.now += 5
    assert await log.append([call(2), Tick()]) == 3

    assert log.last_seq == 3
    assert await take(log.follow(), 3) == [
        Record(1, NOON, call(1)),
        Record(2, NOON + 5, call(2)),
        Record(3, NOON + 5, Tick()),
    ]


async def test_appends_at_once_leave_no_gap_and_keep_their_order(log: EventLog) -> None:
    appends = [log.append([call(number)]) for number in range(1, 201)]

    assert await asyncio.gather(*appends) == list(range(1, 201))
    records = await take(log.follow(), 200)
    assert [record.seq for record in records] == list(range(1, 201))
    assert told(records) == calls(1, 200)


@pytest.mark.parametrize("after", [-3, 0, 1, 999, 2499])
async def test_a_follower_starts_anywhere(log: EventLog, after: int) -> None:
    await log.append(calls(1, 2500))

    records = await take(log.follow(after), 2500 - max(after, 0))

    assert told(records) == calls(max(after, 0) + 1, 2500)


async def test_a_follower_gets_no_more_than_a_thousand_at_a_time(log: EventLog) -> None:
    await log.append(calls(1, 2500))
    follower = log.follow()

    assert [len(await soon(anext(follower))) for _ in range(3)] == [1000, 1000, 500]


async def test_a_follower_of_what_is_to_come_waits_for_it(log: EventLog) -> None:
    first = asyncio.create_task(take(log.follow(2), 1))
    await log.append(calls(1, 2))
    await asyncio.sleep(0)
    assert not first.done()

    await log.append([call(3)])

    assert told(await soon(first)) == [call(3)]


async def test_two_followers_see_the_same_live_events(log: EventLog) -> None:
    await log.append(calls(1, 3))
    watchers = [asyncio.create_task(take(log.follow(after), 10 - after)) for after in (0, 2)]
    for number in range(4, 11):
        await log.append([call(number)])

    everything, from_third = await soon(asyncio.gather(*watchers))
    assert told(everything) == calls(1, 10)
    assert everything[2:] == from_third


async def test_an_event_is_followed_once_it_is_appended(log: EventLog) -> None:
    follower = log.follow()
    for number in range(1, 20):
        seq = await log.append([call(number)])
        assert [record.seq for record in await soon(anext(follower))] == [seq]


async def test_a_follower_who_does_not_come_back_holds_up_nobody(log: EventLog) -> None:
    await log.append([call(1)])
    slow = log.follow()
    await soon(anext(slow))

    for number in range(2, 300):
        await soon(log.append([call(number)]))

    assert told(await take(slow, 298)) == calls(2, 299)


async def test_followers_lose_and_repeat_nothing_while_many_append(log: EventLog) -> None:
    watchers = [asyncio.create_task(take(log.follow(), 3000)) for _ in range(3)]

    async def bursts(name: int) -> None:
        for burst in range(100):
            await log.append([call(name * 1000 + burst), Tick(), call(burst)])

    await asyncio.gather(*(bursts(name) for name in range(10)))
    late = take(log.follow(), 3000)

    first, *others = await soon(asyncio.gather(*watchers, late))
    assert [record.seq for record in first] == list(range(1, 3001))
    assert [other == first for other in others] == [True] * 3


async def test_time_never_goes_back(place: Place, log: EventLog, clock: Clock) -> None:
    await log.append([call(1)])
    clock.now -= 3_600_000
    await log.append([call(2)])
    clock.now += 7_200_000
    await log.append([call(3)])

    times = [record.at - NOON for record in await take(log.follow(), 3)]
    assert times == [0, 0, 3_600_000]


async def test_the_same_request_again_is_stored_once(log: EventLog, clock: Clock) -> None:
    first = await log.append([call(1), call(2)], rid="r-1")
    await log.append([call(3)], rid="r-2")
    clock.now += 120_000

    assert await log.append([call(1), call(2)], rid="r-1") == first == 2
    assert log.last_seq == 3


async def test_a_repeat_at_the_same_moment_is_stored_once(log: EventLog) -> None:
    answers = await asyncio.gather(*(log.append([call(1)], rid="r-1") for _ in range(5)))

    assert answers == [1] * 5
    assert log.last_seq == 1


async def test_a_cancelled_repeat_leaves_the_first_its_answer(log: EventLog) -> None:
    first = asyncio.create_task(log.append([call(1)], rid="r-1"))
    repeat = asyncio.create_task(log.append([call(1)], rid="r-1"))
    await asyncio.sleep(0)
    repeat.cancel()

    assert await soon(first) == 1


async def test_a_request_is_forgotten_after_two_minutes(log: EventLog, clock: Clock) -> None:
    await log.append([call(1)], rid="r-1")
    clock.now += 120_001

    assert await log.append([call(2)], rid="r-1") == 2
    clock.now += 60_000
    assert await log.append([call(3)], rid="r-1") == 2


async def test_a_clock_put_right_does_not_make_requests_last(log: EventLog, clock: Clock) -> None:
    clock.now += 86_400_000
    await log.append([call(1)], rid="r-1")
    clock.now -= 86_400_000

    assert await log.append([call(2)], rid="r-1") == 2


async def test_requests_without_a_name_are_never_repeats(log: EventLog) -> None:
    assert [await log.append([call(1)]) for _ in range(3)] == [1, 2, 3]


async def test_a_cancelled_append_is_stored_once_or_never(log: EventLog) -> None:
    appends = [asyncio.create_task(log.append([call(n)], rid=str(n))) for n in range(1, 41)]
    await asyncio.sleep(0)
    for append in appends[::2]:
        append.cancel()
    await asyncio.wait(appends)

    for number in range(1, 41):
        await log.append([call(number)], rid=str(number))

    records = await take(log.follow(), 40)
    assert sorted(record.event.callid for record in records) == sorted(map(str, range(1, 41)))  # type: ignore[attr-defined]


async def test_an_event_that_can_not_be_read_back_is_refused_alone(log: EventLog) -> None:
    poison = PhoneReported(extension="101", status=7)  # type: ignore[arg-type]
    answers = await asyncio.gather(
        log.append([call(1)]),
        log.append([call(2), poison]),
        log.append([CallEnded(callid="\ud800")]),
        log.append([call(3)]),
        return_exceptions=True,
    )

    assert [answer if isinstance(answer, int) else "refused" for answer in answers] == [
        1,
        "refused",
        "refused",
        2,
    ]
    assert told(await take(log.follow(), 2)) == [call(1), call(3)]


async def test_the_newest_snapshot_is_kept(log: EventLog) -> None:
    await log.append(calls(1, 5))
    assert await log.latest_snapshot() is None

    for seq in (2, 4, 3):
        await log.save_snapshot(Snapshot(seq, f"floor {seq}".encode()))

    assert await log.latest_snapshot() == Snapshot(4, b"floor 4")


async def test_a_snapshot_of_the_same_moment_takes_the_older_ones_place(log: EventLog) -> None:
    await log.append([call(1)])
    await log.save_snapshot(Snapshot(1, b"damaged"))
    await log.save_snapshot(Snapshot(1, b"whole"))

    assert await log.latest_snapshot() == Snapshot(1, b"whole")


async def test_closing_ends_followers_when_they_have_seen_all(log: EventLog) -> None:
    async def all_of_it() -> list[Record]:
        return [record async for records in log.follow() for record in records]

    waiting = asyncio.create_task(all_of_it())
    await log.append([call(1)])
    last = asyncio.create_task(log.append([call(2)]))
    await asyncio.sleep(0)
    await log.close()

    assert await soon(last) == 2
    assert told(await soon(waiting)) == [call(1), call(2)]
    assert told(await soon(all_of_it())) == [call(1), call(2)]


async def test_a_closed_log_takes_nothing_more(log: EventLog) -> None:
    await log.close()
    await log.close()

    with pytest.raises(LogUnavailable, match="closed"):
        await log.append([call(1)])


@pytest.mark.parametrize("url", ["", "memory", "memory:x", "sqlite:", "nats://a,b", "/data/db"])
def test_an_address_of_no_log_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match="Write memory:, sqlite:"):
        database_path(url)


def test_the_address_of_a_log_tells_its_database() -> None:
    assert database_path("memory:") == ":memory:"
    assert database_path("sqlite:/data/pitwall.db") == "/data/pitwall.db"
    assert database_path("nats://a,b,c") == "data/pitwall.db"


async def test_a_tail_alone_passes_over_what_it_let_go() -> None:
    tail = Tail(began=5, keep=2)
    follower = tail.follow(0)
    for seq in range(6, 11):
        tail.publish([Record(seq, NOON, call(seq))])

    assert told(await take(follower, 2)) == calls(9, 10)
