"""Logs on NATS that must not be used: damage is said, and servers that lose things are refused."""

import asyncio
import sys

import pytest

from app.database import Database
from app.log import LogDamaged, LogUnavailable, layout, servers
from app.log.address import Address
from app.log.chain import Chain
from app.log.cluster import Cluster
from app.log.message import written
from app.log.open import open_log
from app.log.outgoing import entry_of
from app.log.seen import Seen
from app.log.servers import connect
from app.log.stream import Raw, Stream
from tests.logs import NOON, Clock, Nodes, call, opened, soon
from tests.nats_servers import Servers
from tests.waiting import until

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{}", "message 2 can't be read"),
        (
            b'{"first":3,"appends":[{"rid":"r","at":1,"now":1,"events":[["tick",{}]]}]}',
            "does not follow",
        ),
    ],
    ids=["no message", "a record is missing"],
)
async def test_what_can_not_be_right_stops_the_log(single, body, said):
    log = await opened(single)
    await log.append([call(1)])
    follower = log.follow()
    await soon(anext(follower))
    await log._chain.stream.js.publish(log._chain.subject, body)

    with pytest.raises(LogDamaged, match=said):
        await soon(anext(follower))
    with pytest.raises(LogUnavailable, match=said):
        await soon(log.append([call(2)]))
    assert said in log.failure


async def test_who_missed_messages_asks_for_the_newest(nats_server):
    stream, subject = await new_stream(Address.parse(nats_server.new_url()))
    seen = Seen(stream, subject, None)
    await seen.begin(0)
    await stream.offer(subject, body_of(1), 0, "1")
    seen.doubt()

    await until(lambda: seen.tail.last_seq == 1)
    await seen.close()
    await stream.client.close()


async def test_nothing_is_taken_after_damage_however_well_it_fits(nats_server):
    stream, subject = await new_stream(Address.parse(nats_server.new_url()))
    seen = Seen(stream, subject, None)
    await seen.begin(0)
    seen.hear(Raw(1, subject, body_of(1)))
    seen.hear(Raw(2, subject, b"{}"))
    seen.hear(Raw(3, subject, body_of(2)))

    assert "message 2 can't be read" in seen.failure
    assert seen.tail.last_seq == 1
    await stream.client.close()


async def test_what_is_heard_before_it_is_known_what_went_by_age_is_no_damage(
    nats_server, monkeypatch
):
    monkeypatch.setattr("app.log.chain.TRIES", 1)
    monkeypatch.setattr("app.log.chain.PAUSE_S", 0)
    stream, subject = await new_stream(Address.parse(nats_server.new_url()))
    await stream.offer(subject, body_of(8), 0, "8")
    seen = Seen(stream, subject, None)
    seen.hear(Raw(1, subject, body_of(8)))
    # Time enough to look for the seven records before it.
    await asyncio.sleep(0.1)
    await seen.begin(1)
    seen.hear(Raw(2, subject, body_of(9)))

    assert seen.failure == ""
    assert seen.tail.last_seq == 9
    await seen.close()
    await stream.client.close()


async def test_a_missing_message_is_damage_and_not_passed_over(nats_server):
    stream, subject = await holed(Address.parse(nats_server.new_url()))
    chain = Chain(stream, subject)
    newest = await chain.begin()

    assert newest is not None
    assert (chain.reached, chain.last) == (5, 5)
    assert [record.seq for record in await chain.since(0)] == [1, 2]
    assert [record.seq for record in await chain.since(3)] == [4, 5]
    with pytest.raises(LogDamaged, match="message 4 says that it begins with record 4"):
        await chain.since(2)
    with pytest.raises(LogDamaged, match="begins with record 4"):
        await chain.holding(3)
    await stream.client.close()


async def test_a_stream_with_a_hole_is_not_opened(nats_server):
    address = Address.parse(nats_server.new_url())
    stream, _ = await holed(address)
    await stream.client.close()
    nodes = Nodes(address)

    with pytest.raises(LogDamaged, match="lacks 1 of its messages"):
        await (await nodes.another()).site_log("main")
    await nodes.close()


async def holed(address: Address) -> tuple[Stream, str]:
    """A chain of five messages of which the third is not there."""
    stream, subject = await new_stream(address, deny_delete=False)
    for number in range(1, 6):
        await stream.offer(subject, body_of(number), number - 1, str(number))
    await stream.js.delete_msg(stream.name, 3)
    stream.wanted.deny_delete = True
    await stream.js.update_stream(stream.wanted)
    return stream, subject


async def new_stream(address: Address, *, deny_delete: bool = True) -> tuple[Stream, str]:
    wanted = layout.events_stream(address, layout.partition_of("main", address.partitions))
    wanted.deny_delete = deny_delete
    stream = Stream(await connect(address), wanted)
    await stream.open()
    return stream, stream.subject_of("main")


def body_of(seq: int) -> bytes:
    """A message that holds this one record."""
    return written([entry_of([call(seq)], str(seq), NOON)], seq, NOON)


async def test_a_log_that_lost_its_beginning_is_not_opened(nats_server):
    address = Address.parse(nats_server.new_url())
    client = await connect(address)
    wanted = layout.events_stream(address, layout.partition_of("main", address.partitions))
    wanted.first_seq = 7
    stream = Stream(client, wanted)
    await stream.open()
    await stream.offer(stream.subject_of("main"), b"{}", 0, "r")
    await client.close()
    nodes = Nodes(address)

    with pytest.raises(LogDamaged, match="lacks 6 of its messages"):
        await (await nodes.another()).site_log("main")
    await nodes.close()


async def test_servers_that_acknowledge_before_they_sync_are_refused(tmp_path):
    hasty = Servers.start(tmp_path, 1, sync="")
    try:
        with pytest.raises(LogUnavailable, match="sync_interval: always"):
            await Cluster.open(Address.parse(hasty.new_url()), Clock())
    finally:
        hasty.end()


async def test_servers_whose_syncing_can_not_be_seen_are_refused(nats_server):
    server = nats_server.each[0]
    url = f"nats://127.0.0.1:{server.port}?monitoring={server.port}"

    with pytest.raises(LogUnavailable, match="monitoring port"):
        await Cluster.open(Address.parse(url), Clock())


@pytest.mark.parametrize("port", [1, 99_999])
async def test_servers_that_can_not_be_reached_are_refused(nats_server, monkeypatch, port):
    monkeypatch.setattr(servers, "CONNECT_S", 0.5)
    url = f"nats://127.0.0.1:{port}?monitoring={nats_server.each[0].monitoring}"

    with pytest.raises(LogUnavailable, match="could be reached"):
        await Cluster.open(Address.parse(url), Clock())


async def test_a_stream_with_too_few_copies_is_refused(nats_cluster):
    address = Address.parse(nats_cluster.new_url())
    alone = Address(address.servers[:1], address.monitoring[:1], address.name)
    await (await Cluster.open(alone, Clock())).close()

    with pytest.raises(LogUnavailable, match="num_replicas 1, where 3 is needed"):
        await Cluster.open(address, Clock())


async def test_another_number_of_partitions_is_refused(nats_server):
    url = nats_server.new_url()
    await (await Cluster.open(Address.parse(f"{url}&partitions=4"), Clock())).close()

    with pytest.raises(LogUnavailable, match="in 4 partitions, and PITWALL_LOG says 32"):
        await Cluster.open(Address.parse(url), Clock())


async def test_the_one_stream_of_an_older_version_is_refused(nats_server):
    address = Address.parse(nats_server.new_url())
    client = await connect(address)
    await client.jetstream().add_stream(name=f"{address.name}-p0", subjects=[f"{address.name}.p0"])
    await client.close()

    with pytest.raises(LogUnavailable, match="made by an older version"):
        await Cluster.open(address, Clock())


async def test_a_database_with_a_log_of_its_own_is_refused(nats_server):
    database = await Database.open(":memory:")
    await (await open_log("sqlite:x", database, Clock())).append([call(1)])

    with pytest.raises(LogUnavailable, match="has a log of its own"):
        await open_log(nats_server.new_url(), database, Clock())
    await database.close()


async def test_without_the_client_it_says_what_to_install(nats_server, monkeypatch):
    monkeypatch.setitem(sys.modules, "app.log.cluster", None)
    database = await Database.open(":memory:")

    with pytest.raises(LogUnavailable, match=r"Install pitwall\[cluster\]"):
        await open_log(nats_server.new_url(), database, Clock())
    await database.close()
