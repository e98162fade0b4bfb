"""The log on NATS beyond the contract: several programs on it, restarts, lost acknowledgements."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from app.domain.days import BusinessDay
from app.domain.events import Event, PhoneReported, Tick
from app.history.rebuild import rebuild
from app.log import LogUnavailable, Snapshot
from app.log.jetstream import JetStreamLog
from app.log.message import Message, Stored, written
from app.log.message import read as read_message
from app.log.outgoing import entry_of, pieces
from app.log.places import Places, Spot
from app.log.stream import Unanswered
from app.pbx.voicecloud import decode
from app.projector import Projector
from app.render import Renderer
from tests.building import opened_building
from tests.logs import NOON, Clock, Place, call, calls, opened, soon, take, told

pytestmark = pytest.mark.anyio
TRACE = sorted((Path(__file__).parent / "traces").glob("*.jsonl"))[0]
UTC = ZoneInfo("UTC")


@pytest.fixture(params=["nats_server", "nats_cluster"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    place = Place(request.getfixturevalue(request.param).new_url())
    yield place
    await place.close()


async def test_three_servers_keep_three_copies_and_delete_nothing(nats_cluster):
    place = Place(nats_cluster.new_url())
    log = await opened(place)
    info = await log._chain.stream.js.stream_info(log._chain.stream.name)
    await place.close()

    assert (info.config.num_replicas, info.config.storage) == (3, "file")
    assert info.config.deny_delete
    assert info.config.deny_purge
    # After a kill -9, servers of 2.15.1 can't read what they have compressed.
    assert info.config.compression in (None, "none")


async def test_the_same_request_through_two_programs_is_stored_once(place):
    one, other = await opened(place), await opened(place)

    answers = await asyncio.gather(
        *(log.append([call(1), call(2)], rid="r-1") for log in (one, other) * 3)
    )
    later = await other.append([call(3)])

    stored = await one._chain.stream.js.get_msg(one._chain.stream.name, seq=1)

    assert answers == [2] * 6
    assert later == 3
    assert (stored.headers or {})["Nats-Msg-Id"] == "main/r-1"
    assert await one.append([call(1), call(2)], rid="r-1") == 2
    assert told(await take(one.follow(), 3)) == calls(1, 3)


async def test_two_programs_make_one_order_without_gaps(place):
    logs = [await opened(place) for _ in range(2)]

    async def bursts(name: int) -> dict[int, Event]:
        mine = [call(name * 100 + number) for number in range(25)]
        return {await logs[name % 2].append([Tick(), event]): event for event in mine}

    answers = await soon(asyncio.gather(*(bursts(name) for name in range(8))))
    first, second = [await take(log.follow(), 400) for log in logs]
    acked = {seq: event for answer in answers for seq, event in answer.items()}

    assert first == second
    assert [record.seq for record in first] == list(range(1, 401))
    assert len(acked) == 200
    assert {record.seq: record.event for record in first if record.seq in acked} == acked


async def test_what_another_program_stores_comes_by_itself(place):
    one, other = await opened(place), await opened(place)
    follower = other.follow()
    for number in range(1, 6):
        await one.append([call(number)])
        assert told(await soon(anext(follower))) == [call(number)]


async def test_a_restart_finds_everything_and_knows_the_last_requests(place):
    log = await opened(place)
    await log.append(calls(1, 3), rid="r-1")
    place.clock.now += 200_000
    await log.append([call(4)], rid="r-2")
    await place.close()

    log = await opened(place)

    assert log.last_seq == 4
    assert await log.append([call(4)], rid="r-2") == 4
    place.clock.now -= 3_600_000
    assert await log.append([call(5)]) == 5
    records = await take(log.follow(), 5)
    assert told(records) == calls(1, 5)
    assert [record.at - NOON for record in records] == [0, 0, 0, 200_000, 200_000]


async def test_old_records_are_found_wherever_they_are(single):
    log, chance, stored = await opened(single), random.Random(5), 0
    while stored < 12_000:
        sizes = [chance.choice([1, 1, 1, 2, 40]) for _ in range(20)]
        firsts = [stored + sum(sizes[:index]) + 1 for index in range(20)]
        await asyncio.gather(
            *(log.append(calls(f, f + n - 1)) for f, n in zip(firsts, sizes, strict=True))
        )
        stored += sum(sizes)
    await single.close()
    log = await opened(single)

    assert told(await take(log.follow(), stored)) == calls(1, stored)
    for after in chance.sample(range(stored), 5):
        assert (await soon(anext(log.follow(after))))[0].seq == after + 1
    wanted = sorted(chance.sample(range(1, stored + 1), 12))
    found = await log.records([*reversed(wanted), 0, -1, stored + 1])
    assert told(found) == [call(seq) for seq in wanted]


@pytest.mark.parametrize("apart", [1, 300])
@pytest.mark.parametrize("sizes", [[1] * 500, [1] * 400 + [90] * 100, [1000, *[1] * 99], [7]])
async def test_a_record_is_found_in_few_looks(sizes, apart):
    spots = [Spot(1 + sum(sizes[:index]), 5 + apart * index) for index in range(len(sizes))]
    looks: list[int] = []

    async def look(number: int) -> Spot:
        looks.append(number)
        return next(spot for spot in spots if spot.number >= number)

    for index in range(0, len(spots), 17):
        looks.clear()
        wanted = spots[index]
        middle = wanted.first + sizes[index] // 2
        number = await Places(look).find(middle, sum(sizes), spots[-1].number)
        assert next(spot for spot in spots if spot.number >= number) == wanted
        assert len(looks) <= 36


async def test_an_acknowledgement_that_is_lost_stores_nothing_twice(place, monkeypatch):
    log = await opened(place)
    offer, lost = log._chain.stream.offer, []

    async def deaf(subject: str, body: bytes, after: int, name: str):
        answer = await offer(subject, body, after, name)
        if after in lost:
            return answer
        lost.append(after)
        raise Unanswered("no answer")

    monkeypatch.setattr(log._chain.stream, "offer", deaf)
    for number in range(1, 6):
        assert await log.append([call(number)]) == number

    assert told(await take(log.follow(), 5)) == calls(1, 5)
    assert (await log._chain.stream.js.stream_info(log._chain.stream.name)).state.messages == 5


async def test_who_must_try_again_waits_for_news_or_for_a_while(single):
    seen, clock = (log := await opened(single))._seen, asyncio.get_running_loop().time
    began = clock()
    await seen.pause(0.1)
    assert clock() - began >= 0.1

    waiting = asyncio.create_task(seen.pause(60))
    await asyncio.sleep(0)
    await log.append([call(1)])
    await soon(waiting)


async def test_any_text_may_name_a_request(single):
    log = await opened(single)
    rids = ["", "two words", "line\nbreak", "tiếng Việt", "x" * 5000]

    first = [await log.append([call(number)], rid=rid) for number, rid in enumerate(rids)]
    again = [await log.append([call(number)], rid=rid) for number, rid in enumerate(rids)]

    assert first == again == [1, 2, 3, 4, 5]


async def test_the_newest_two_snapshots_are_kept(place):
    log = await opened(place)
    await log.append(calls(1, 9))
    for seq in (2, 4, 6, 6):
        await log.save_snapshot(Snapshot(seq, f"floor {seq}".encode() * 50_000))
    await place.close()

    log = await opened(place)
    assert await log.latest_snapshot() == Snapshot(6, b"floor 6" * 50_000)
    assert await log.latest_snapshot(before=6) == Snapshot(4, b"floor 4" * 50_000)
    assert await log.latest_snapshot(before=4) is None


async def test_a_snapshot_and_what_came_after_it_are_the_whole_replay(place, monkeypatch):
    log, rows = await opened(place), [json.loads(r) for r in TRACE.read_text().splitlines()]
    for number, row in enumerate(rows):
        place.clock.now = max(place.clock.now, round(row["t"] * 1000))
        event = decode(row["path"], row["params"], now=place.clock.now, zone=UTC)
        await log.append([event, Tick()], rid=f"row {number}")
        if number == len(rows) // 2:
            half = projector_on(log, place.clock)
            await half.start()
            await half.save_snapshot()
    await place.close()

    log = await opened(place)
    quick, whole = projector_on(log, place.clock), projector_on(log, place.clock)
    await quick.start()
    monkeypatch.setattr(log, "latest_snapshot", nothing)
    await whole.start()

    assert half.applied < quick.applied == whole.applied == log.last_seq
    assert msgspec.json.encode(quick.floor.state) == msgspec.json.encode(whole.floor.state)


def projector_on(log: JetStreamLog, clock: Clock) -> Projector:
    return Projector(log, BusinessDay(UTC), Renderer(UTC), clock)


async def nothing(before: int | None = None) -> None:
    return None


async def test_appends_are_gathered_up_to_a_size():
    entries = [entry_of(calls(1, 1000), str(number), NOON) for number in range(40)]

    gathered = list(pieces(entries))

    assert [entry for piece in gathered for entry in piece] == entries
    assert 1 < len(gathered) < 40
    assert all(len(written(piece, 1, 0)) <= 256 * 1024 for piece in gathered)
    with pytest.raises(LogUnavailable, match="too large"):
        entry_of(calls(1, 40_000), "r", NOON)


async def test_a_message_is_written_for_ever_the_same_way():
    body = written([entry_of([call(1), Tick()], "r-1", NOON)], 7, NOON + 5)

    assert body == (
        b'{"first":7,"appends":[{"rid":"r-1","at":1700000000005,"now":1700000000000,'
        b'"events":[["call_ended",{"callid":"1"}],["tick",{}]]}]}'
    )
    message = read_message(3, body)
    assert isinstance(message, Message)
    assert isinstance(message.appends[0], Stored)
    assert (message.last, message.receipts()) == (8, [("r-1", 8, NOON)])


def test_the_whole_board_runs_on_it_and_on_another_machine_after_it(
    nats_server, tmp_path, monkeypatch
):
    url, floors = nats_server.new_url(), []
    for machine in ("first", "second"):
        (tmp_path / machine).mkdir()
        monkeypatch.chdir(tmp_path / machine)
        with opened_building(tmp_path, PITWALL_LOG=url) as building:
            parts = building.parts
            seq = building.call(parts.log.append, [PhoneReported(extension=machine, status="on")])
            building.call(parts.projector.wait_for, seq)
            building.call(parts.upkeep.work, parts.access.audit, parts.settings.keep, parts.journal)
            assert parts.upkeep.failure == ""
            floors.append(set(parts.projector.floor.state.agents))
    events = asyncio.run(rebuild(url, BusinessDay(UTC), Clock()))

    assert floors == [{"first"}, {"first", "second"}]
    assert events >= seq
    assert (tmp_path / "second" / "data" / "pitwall.db").exists()
