"""Many sites on the same NATS servers: each log is whole, whoever else is in its stream."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from itertools import count, islice
from typing import Any

import pytest
from nats.aio.client import Client

from app.domain.events import Event
from app.log import LogUnavailable, Snapshot
from app.log.address import Address
from app.log.cluster import Cluster
from app.log.jetstream import JetStreamLog
from tests.logs import Nodes, call, calls, take, told
from tests.nats_servers import Servers

pytestmark = pytest.mark.anyio
IDLE_SITE_BYTES = 20_000


@pytest.fixture(params=["nats_server", "nats_cluster"])
async def nodes(request: pytest.FixtureRequest) -> AsyncIterator[Nodes]:
    servers: Servers = request.getfixturevalue(request.param)
    nodes = Nodes(Address.parse(f"{servers.new_url()}&partitions=2"))
    yield nodes
    await nodes.close()


def neighbours(cluster: Cluster, number: int, partition: int = 0) -> list[str]:
    """Sites of one partition."""
    names = (f"site-{each}" for each in count())
    return list(islice((n for n in names if cluster.partition_of(n) == partition), number))


async def test_sites_of_one_stream_number_their_records_each_for_itself(nodes: Nodes) -> None:
    clusters = [await nodes.another() for _ in range(2)]
    sites = neighbours(clusters[0], 2)
    logs = {site: [await cluster.site_log(site) for cluster in clusters] for site in sites}

    async def bursts(site: str, node: int) -> dict[int, Event]:
        mine = [call(node * 1000 + number) for number in range(60)]
        return {await logs[site][node].append([event]): event for event in mine}

    told_to = await asyncio.gather(*(bursts(site, node) for site in sites for node in (0, 1)))

    for site, answers in zip(sites, (told_to[:2], told_to[2:]), strict=True):
        first, second = [await take(log.follow(), 120) for log in logs[site]]
        assert first == second
        assert [record.seq for record in first] == list(range(1, 121))
        assert {record.seq: record.event for record in first} == answers[0] | answers[1]


async def test_a_site_is_not_held_up_by_its_neighbours(nodes: Nodes) -> None:
    cluster = await nodes.another()
    one, other = [await cluster.site_log(site) for site in neighbours(cluster, 2)]
    offers: list[int] = []
    offer = one._chain.stream.offer

    async def counted(*arguments: object) -> object:
        offers.append(1)
        return await offer(*arguments)  # type: ignore[arg-type]

    one._chain.stream.offer = counted  # type: ignore[method-assign,assignment]
    for number in range(20):
        await asyncio.gather(one.append([call(number)]), other.append([call(number)]))

    # One for each: nobody was refused because somebody else had stored something.
    assert len(offers) == 40


async def test_the_same_request_of_two_sites_is_stored_for_both(nodes: Nodes) -> None:
    cluster = await nodes.another()
    one, other = [await cluster.site_log(site) for site in neighbours(cluster, 2)]

    assert await one.append([call(1)], rid="r-1") == 1
    assert await other.append([call(2), call(3)], rid="r-1") == 2

    assert told(await take(one.follow(), 1)) == [call(1)]
    assert told(await take(other.follow(), 2)) == calls(2, 3)


async def test_the_same_request_through_two_nodes_is_stored_once(nodes: Nodes) -> None:
    clusters = [await nodes.another() for _ in range(2)]
    site = neighbours(clusters[0], 1)[0]
    logs = [await cluster.site_log(site) for cluster in clusters]

    answers = await asyncio.gather(*(log.append([call(1)], rid="r-1") for log in logs * 3))

    assert answers == [1] * 6
    assert await logs[0].append([call(2)]) == 2


async def test_a_site_opened_late_sees_everything_once_while_others_go_on(nodes: Nodes) -> None:
    writing, late = await nodes.another(), await nodes.another()
    site, neighbour = neighbours(writing, 2)
    await late.site_log(neighbour)
    source = await writing.site_log(site)
    noise = asyncio.create_task(many(await writing.site_log(neighbour), 300))
    stream = asyncio.create_task(many(source, 300))

    seen = []
    for _ in range(6):
        log = await late.site_log(site)
        seen.append(log)
        await source.append([call(0)])

    await asyncio.gather(noise, stream)
    whole = await take(source.follow(), 306)
    assert [record.seq for record in whole] == list(range(1, 307))
    for log in seen:
        assert await take(log.follow(), 306) == whole
        await log.close()


async def many(log: JetStreamLog, number: int) -> None:
    for each in range(number):
        await log.append([call(each)])


async def test_a_site_may_be_closed_and_opened_again(nodes: Nodes) -> None:
    cluster, elsewhere = await nodes.another(), await nodes.another()
    site, neighbour = neighbours(cluster, 2)
    other = await elsewhere.site_log(site)
    for number in range(1, 4):
        log = await cluster.site_log(site)
        assert log.last_seq == 2 * (number - 1)
        await log.append([call(number)])
        await log.close()
        with pytest.raises(LogUnavailable, match="closed"):
            await log.append([call(number)])
        await other.append([call(number)])

    assert [record.seq for record in await take(other.follow(), 6)] == list(range(1, 7))
    assert (await cluster.site_log(neighbour)).last_seq == 0


async def test_snapshots_are_each_site_s_own(nodes: Nodes) -> None:
    cluster = await nodes.another()
    one, other = [await cluster.site_log(site) for site in neighbours(cluster, 2)]
    await one.append(calls(1, 3))
    await other.append(calls(1, 3))
    await one.save_snapshot(Snapshot(2, b"one"))

    assert await other.latest_snapshot() is None
    await other.save_snapshot(Snapshot(3, b"other"))
    assert await one.latest_snapshot() == Snapshot(2, b"one")
    assert await other.latest_snapshot() == Snapshot(3, b"other")


async def test_what_nodes_share_is_apart_from_the_events(nodes: Nodes) -> None:
    one, other = await nodes.another(), await nodes.another()
    shared = await one.sys_log("main")
    await (await one.site_log("main")).append([call(1)])
    await shared.append([call(2)], rid="r-1")

    seen = await other.sys_log("main")
    assert told(await take(seen.follow(), 1)) == [call(2)]
    assert (await other.sys_log("elsewhere")).last_seq == 0


@pytest.mark.parametrize("name", ["", "-a", "A", "a.b", "a*", "a>", "a" * 41, "tiệm"])
async def test_what_is_no_name_of_a_site_is_refused(nodes: Nodes, name: str) -> None:
    cluster = await nodes.another()

    with pytest.raises(ValueError, match="no name of a site"):
        await cluster.site_log(name)


async def test_hundreds_of_sites_cost_one_consumer_and_little_memory(nodes: Nodes) -> None:
    cluster = await nodes.another()
    names = neighbours(cluster, 301)
    first = await cluster.site_log(names[0])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    logs = [await cluster.site_log(name) for name in names[1:]]
    each = (tracemalloc.get_traced_memory()[0] - before) / 300
    tracemalloc.stop()
    stream = first._chain.stream

    assert len(await stream.js.consumers_info(stream.name)) == 1
    assert each < IDLE_SITE_BYTES
    await asyncio.gather(*(log.append([call(1)]) for log in logs))
    assert {log.last_seq for log in logs} == {1}
    for log in [first, *logs]:
        await log.close()
    # Once the servers have heard of it.
    await stream.client.flush()
    for _ in range(50):
        if not await stream.js.consumers_info(stream.name):
            break
        await asyncio.sleep(0.05)
    assert await stream.js.consumers_info(stream.name) == []


async def test_a_node_far_away_has_its_turn_however_busy_a_near_one_is(nodes: Nodes) -> None:
    near, far = [await (await nodes.another()).site_log("site-0") for _ in range(2)]
    offer = far._chain.stream.offer

    async def from_afar(*arguments: Any) -> Any:
        await asyncio.sleep(0.2)
        return await offer(*arguments)

    far._chain.stream.offer = from_afar  # type: ignore[method-assign, assignment]
    numbers, is_over = count(1000), asyncio.Event()

    async def never_rest() -> None:
        while not is_over.is_set():
            await near.append([call(next(numbers))], f"near-{next(numbers)}")

    busy = asyncio.create_task(never_rest())
    mine = [await far.append([call(number)], f"far-{number}") for number in range(3)]
    is_over.set()
    await busy

    records = await take(near.follow(), near.last_seq)
    events = told(records)
    assert [events.index(call(number)) + 1 for number in range(3)] == mine
    assert len({str(event) for event in events}) == len(events)


async def test_servers_that_cut_a_node_off_as_it_ends_do_not_hinder_its_end(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut_off(client: Client) -> None:
        raise ConnectionResetError("Connection lost")

    cluster = await nodes.another()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Client, "close", cut_off)

        await cluster.close()
