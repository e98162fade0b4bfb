"""The log on three servers while they are killed, hung and stopped: nothing acknowledged is lost.

Each election takes the servers four to nine seconds, which no setting changes.
"""

import asyncio
import hashlib
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from app.domain.events import CallEnded, Tick
from app.log import LogUnavailable, Record, jetstream
from app.log.jetstream import JetStreamLog
from app.log.servers import connect
from tests.logs import Nodes, Place, call, opened, soon, take, told
from tests.nats_servers import Server, Servers

pytestmark = pytest.mark.anyio
SITES = ("north", "south")
# Appends a second, site and program. The machine has its servers to feed as well.
RATE = 30
ELECTION_S = 15.0


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    started = Servers.start(tmp_path_factory.mktemp("nats"), 3)
    yield started
    started.end()


@pytest.fixture
async def nodes(servers: Servers) -> AsyncIterator[Nodes]:
    nodes = Nodes(servers.address("load", partitions=1))
    yield nodes
    await nodes.close()


@pytest.fixture
async def place(servers: Servers) -> AsyncIterator[Place]:
    place = Place(servers.new_url())
    yield place
    await place.close()


@dataclass
class Load:
    """Several programs append; whoever hears no asks again with the same rid, like a PBX."""

    logs: list[JetStreamLog]
    acked: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    last_ack: float = 0.0
    going: bool = True

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in count():
                if not self.going:
                    return
                self.sent += 1
                group.create_task(self.one(self.logs[number % len(self.logs)], str(number)))
                await asyncio.sleep(1 / RATE / len(self.logs))

    async def one(self, log: JetStreamLog, name: str) -> None:
        while True:
            try:
                self.acked[name] = await log.append([CallEnded(callid=name)], rid=name)
            except LogUnavailable:
                continue
            self.last_ack = time.monotonic()
            return

    async def flows(self) -> None:
        """Appends that begin now are stored."""
        began, acked = time.monotonic(), len(self.acked)
        while self.last_ack < began or len(self.acked) < acked + 10:
            assert time.monotonic() < began + ELECTION_S
            await asyncio.sleep(0.05)


async def leader(log: JetStreamLog, servers: Servers) -> Server:
    info = await log._chain.stream.js.stream_info(log._chain.stream.name)
    assert info.cluster is not None
    return servers.named(str(info.cluster.leader))


async def whole(server: Server) -> None:
    await asyncio.to_thread(server.wait)


# The client does not close its connection to a server that hangs, when it goes to another one.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_nothing_acknowledged_is_lost_doubled_or_moved(nodes, servers):
    one, two = await nodes.another(), await nodes.another()
    loads = [Load([await one.site_log(site), await two.site_log(site)]) for site in SITES]
    log = loads[0].logs[0]
    watching = asyncio.create_task(until_tick(loads[0].logs[1]))
    running = [asyncio.create_task(load.run()) for load in loads]
    await all_flow(loads)

    killed = await leader(log, servers)
    killed.end(signal.SIGKILL)
    await all_flow(loads)
    third = await (await nodes.another()).site_log(SITES[0])
    killed.start()
    await whole(killed)

    hung = await leader(log, servers)
    hung.hang()
    await all_flow(loads)
    hung.go_on()
    await whole(hung)

    stopped = await leader(log, servers)
    await asyncio.to_thread(stopped.end)
    await all_flow(loads)
    stopped.start()
    for load in loads:
        load.going = False
    await asyncio.wait_for(asyncio.gather(*running), ELECTION_S)
    await whole(stopped)

    fresh = await nodes.another()
    for site, load in zip(SITES, loads, strict=True):
        records = await take((await fresh.site_log(site)).follow(), load.sent)
        assert len(load.acked) == load.sent > 100
        assert [record.seq for record in records] == list(range(1, load.sent + 1))
        assert max(Counter(name_of(record) for record in records).values()) == 1
        assert {name_of(record): record.seq for record in records} == load.acked
        for other in load.logs:
            assert await take(other.follow(), load.sent) == records
    seen = await take(third.follow(), loads[0].sent)
    await log.append([Tick()])
    assert await asyncio.wait_for(watching, ELECTION_S) == seen
    await each_copy_is_the_same(log, servers)


async def all_flow(loads: list[Load]) -> None:
    await asyncio.gather(*(load.flows() for load in loads))


async def until_tick(log: JetStreamLog) -> list[Record]:
    """What comes live, from the first record to the one before the tick."""
    seen: list[Record] = []
    async for records in log.follow():
        seen += records
        if isinstance(seen[-1].event, Tick):
            break
    return seen[:-1]


def name_of(record: Record) -> str:
    assert isinstance(record.event, CallEnded)
    return record.event.callid


async def each_copy_is_the_same(log: JetStreamLog, servers: Servers) -> None:
    stream = log._chain.stream
    last = (await stream.js.stream_info(stream.name)).state.last_seq
    digests = []
    for server in servers.each:
        await copied(server, stream.name, last)
        digests.append(await digest_at(server, servers, stream.name, last))
    assert digests == [digests[0]] * 3


async def copied(server: Server, name: str, last: int) -> None:
    """Two are enough for an acknowledgement; the third comes after it."""
    for _ in range(100):
        told = await asyncio.to_thread(server.ask, "jsz?streams=true")
        streams = told["account_details"][0]["stream_detail"]
        if next(each for each in streams if each["name"] == name)["state"]["last_seq"] == last:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{server.name} has not got all {last} messages")


async def digest_at(server: Server, servers: Servers, name: str, last: int) -> str:
    """Of the messages as this server has them, which is made to lead and be asked."""
    client = await connect(servers.address(name.partition("-")[0]))
    request = json.dumps({"placement": {"preferred": server.name}}).encode()
    js, digest = client.jetstream(timeout=3), hashlib.sha256()
    for _ in range(50):
        info = await js.stream_info(name)
        if info.cluster and info.cluster.leader == server.name:
            break
        await client.request(f"$JS.API.STREAM.LEADER.STEPDOWN.{name}", request, timeout=3)
        await asyncio.sleep(0.2)
    else:
        pytest.fail(f"{server.name} does not lead")
    for number in range(1, last + 1):
        # Not "direct": the leader alone answers.
        raw = await js.get_msg(name, seq=number)
        digest.update(
            f"{number} {raw.subject} {raw.headers} {raw.time}".encode() + (raw.data or b"")
        )
    await client.close()
    return digest.hexdigest()


async def test_without_a_majority_nothing_is_acknowledged(place, servers, monkeypatch):
    monkeypatch.setattr(jetstream, "PATIENCE_S", 2.0)
    log = await opened(place)
    await log.append([call(1)], rid="r-1")
    down = servers.each[1:]
    for server in down:
        server.end(signal.SIGKILL)

    began = time.monotonic()
    answers = await asyncio.gather(
        log.append([call(2)], rid="r-2"), log.append([call(3)]), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [LogUnavailable] * 2
    assert time.monotonic() < began + 4
    assert "Is a majority of them running?" in log.failure
    assert log.last_seq == 1

    for server in down:
        server.start()
    monkeypatch.setattr(jetstream, "PATIENCE_S", ELECTION_S)
    seq = await asyncio.wait_for(log.append([call(2)], rid="r-2"), ELECTION_S)
    again = await log.append([call(2)], rid="r-2")

    assert log.failure == ""
    assert seq == again
    records = told(await take(log.follow(), log.last_seq))
    assert records.count(call(2)) == 1
    assert records.count(call(3)) <= 1
    for server in down:
        await whole(server)


async def test_a_start_without_servers_is_refused_in_words():
    place = Place("nats://127.0.0.1:1,127.0.0.1:2,127.0.0.1:3?monitoring=9")

    with pytest.raises(LogUnavailable, match="monitoring"):
        await soon(place.open())
    await place.close()
