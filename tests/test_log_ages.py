"""Events on NATS that go by age: those who follow pass over them, and seqs never begin anew."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.log import LogDamaged, layout, marks
from app.log.jetstream import JetStreamLog
from tests.logs import Nodes, call, calls, soon, take, told
from tests.nats_servers import Servers

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes(nats_server: Servers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Nodes]:
    """A day has a second here."""
    monkeypatch.setattr(layout, "DAY_S", 1)
    monkeypatch.setattr(layout, "REPEAT_S", 1)
    nodes = Nodes(replace(nats_server.address("ages"), days=1, name=next_name(nats_server)))
    yield nodes
    await nodes.close()


def next_name(servers: Servers) -> str:
    return f"ages{next(servers.names)}"


async def gone(log: JetStreamLog, number: int) -> None:
    stream = log._chain.stream
    for _ in range(80):
        if (await stream.js.stream_info(stream.name)).state.first_seq > number:
            return
        await asyncio.sleep(0.1)
    pytest.fail("events do not go")


async def test_what_went_is_passed_over_and_the_rest_is_whole(nodes: Nodes) -> None:
    nodes.address = replace(nodes.address, days=4)
    log = await (await nodes.another()).site_log("main")
    await log.append(calls(1, 5))
    await asyncio.sleep(2)
    for number in range(6, 9):
        await log.append([call(number)])
    await gone(log, 1)
    await log.close()

    log = await nodes.opened[0].site_log("main")
    assert told(await take(log.follow(), 3)) == calls(6, 8)
    assert told(await log.records([2, 7])) == [call(7)]


async def test_seqs_go_on_after_everything_went(nodes: Nodes) -> None:
    log = await (await nodes.another()).site_log("main")
    await log.append(calls(1, 5))
    await gone(log, 1)
    await log.close()

    one = await nodes.opened[0].site_log("main")
    other = await (await nodes.another()).site_log("main")
    follower = one.follow(5)

    assert await one.append([call(6)]) == 5 + marks.ROOM + 1
    assert await other.append([call(7)]) == 5 + marks.ROOM + 2
    assert told(await take(follower, 2)) == calls(6, 7)


async def test_a_program_whose_events_all_went_says_so(nodes: Nodes) -> None:
    log = await (await nodes.another()).site_log("main")
    await log.append([call(1)])
    await gone(log, 1)

    with pytest.raises(Exception, match="went by age meanwhile"):
        await soon(log.append([call(2)]))
    with pytest.raises(LogDamaged, match="went by age meanwhile"):
        await take(log.follow(1), 1)


async def test_events_stay_where_no_days_are_told(nats_server: Servers) -> None:
    nodes = Nodes(replace(nats_server.address("stay"), name=next_name(nats_server)))
    log = await (await nodes.another()).site_log("main")
    stream = log._chain.stream

    assert (await stream.js.stream_info(stream.name)).config.max_age == 0
    assert log._seen.mark is None
    await nodes.close()


async def test_other_days_hold_from_the_next_start_on(nodes: Nodes) -> None:
    await (await (await nodes.another()).site_log("main")).append([call(1)])
    nodes.address = replace(nodes.address, days=3)
    log = await (await nodes.another()).site_log("main")
    stream = log._chain.stream

    assert (await stream.js.stream_info(stream.name)).config.max_age == 3
