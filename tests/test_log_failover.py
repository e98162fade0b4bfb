"""The log on three servers while they are killed, hung and stopped: nothing acknowledged is lost.

Each election takes the servers four to nine seconds, which no setting changes.
"""

import asyncio
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
from tests.logs import Place, call, soon, take, told
from tests.nats_servers import Server, Servers

pytestmark = pytest.mark.anyio
# Appends a second and program. The machine has its servers to feed as well.
RATE = 60
ELECTION_S = 15.0


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    started = Servers.start(tmp_path_factory.mktemp("nats"), 3)
    yield started
    started.end()


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


async def opened(place: Place) -> JetStreamLog:
    log = await place.open()
    assert isinstance(log, JetStreamLog)
    return log


async def test_nothing_acknowledged_is_lost_doubled_or_moved(place, servers):
    load = Load([await opened(place), await opened(place)])
    watching = asyncio.create_task(until_tick(load.logs[1]))
    running = asyncio.create_task(load.run())
    await load.flows()

    killed = await leader(load.logs[0], servers)
    killed.end(signal.SIGKILL)
    await load.flows()
    third = await opened(place)
    killed.start()
    await whole(killed)

    hung = await leader(load.logs[0], servers)
    hung.hang()
    await load.flows()
    hung.go_on()
    await whole(hung)

    stopped = await leader(load.logs[0], servers)
    await asyncio.to_thread(stopped.end)
    await load.flows()
    stopped.start()
    load.going = False
    await asyncio.wait_for(running, ELECTION_S)
    await whole(stopped)

    fresh = await opened(place)
    records = await take(fresh.follow(), load.sent)
    assert len(load.acked) == load.sent > 100
    assert [record.seq for record in records] == list(range(1, load.sent + 1))
    assert max(Counter(name_of(record) for record in records).values()) == 1
    assert {name_of(record): record.seq for record in records} == load.acked
    assert await take(third.follow(), load.sent) == records
    await fresh.append([Tick()])
    assert await asyncio.wait_for(watching, ELECTION_S) == records
    await each_copy_is_the_same(fresh, servers)


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
    wanted = (log._chain.reached, 1, log._chain.reached)
    for _ in range(100):
        # Two are enough for an acknowledgement; the third comes after it.
        states = [await asyncio.to_thread(copy_of, server, log) for server in servers.each]
        if states == [(*wanted, states[0][3])] * 3:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"copies differ: {states}, where {wanted} is told")


def copy_of(server: Server, log: JetStreamLog) -> tuple[int, int, int, int]:
    told = server.ask("jsz?streams=true")["account_details"][0]["stream_detail"]
    state = next(each["state"] for each in told if each["name"] == log._chain.stream.name)
    return state["messages"], state["first_seq"], state["last_seq"], state["bytes"]


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
