"""A lease on real NATS servers: one holder, and the old one is the first to know."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from app.log.address import Address
from app.log.lease import Lease
from app.log.stream import Place, Unanswered
from tests.logs import Nodes, soon
from tests.nats_servers import Servers

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["nats_server", "nats_cluster"])
async def nodes(request: pytest.FixtureRequest) -> AsyncIterator[Nodes]:
    servers: Servers = request.getfixturevalue(request.param)
    nodes = Nodes(Address.parse(servers.new_url()))
    yield nodes
    await nodes.close()


@pytest.fixture
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    started = Servers.start(tmp_path_factory.mktemp("nats"), 3)
    yield started
    started.end()


async def test_only_one_holds_it_and_the_next_has_a_greater_epoch(nodes: Nodes) -> None:
    one, other = await nodes.another(), await nodes.another()
    first = await one.lease("p0", "one")
    waiting = asyncio.create_task(other.lease("p0", "other"))
    await asyncio.sleep(0.1)

    assert (first.is_held, waiting.done()) == (True, False)
    await first.release()
    second = await soon(waiting)

    assert [first.is_held, second.is_held] == [False, True]
    assert second.epoch > first.epoch > 0
    await soon(first.wait_lost())


async def test_leases_of_other_names_are_held_at_once(nodes: Nodes) -> None:
    one, other = await nodes.another(), await nodes.another()

    held = [await soon(one.lease("p0", "one")), await soon(other.lease("p1", "other"))]

    assert [lease.is_held for lease in held] == [True, True]


async def test_a_node_that_ends_leaves_it_to_the_next_at_once(nodes: Nodes) -> None:
    one, other = await nodes.another(), await nodes.another()
    first = await one.lease("p0", "one")
    await one.close()

    assert (await soon(other.lease("p0", "other"))).epoch > first.epoch


async def test_of_many_who_ask_at_once_one_gets_it(nodes: Nodes) -> None:
    clusters = [await nodes.another() for _ in range(4)]
    asking = [asyncio.create_task(each.lease("p0", "node")) for each in clusters]
    await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0.3)

    assert [task.done() for task in asking].count(True) == 1
    for task in asking:
        task.cancel()


async def test_a_holder_that_goes_on_keeps_it(nodes: Nodes) -> None:
    one, other = await nodes.another(), await nodes.another()
    first = await one.lease("p0", "one", ttl_s=1)
    waiting = asyncio.create_task(other.lease("p0", "other", ttl_s=1))

    await asyncio.sleep(2.5)

    assert (first.is_held, waiting.done()) == (True, False)
    waiting.cancel()


async def test_a_holder_that_was_paused_holds_it_no_more(nodes: Nodes) -> None:
    one, other = await nodes.another(), await nodes.another()
    first = await one.lease("p0", "one", ttl_s=1)
    began = time.monotonic()
    pause(first)
    second = await soon(other.lease("p0", "other", ttl_s=15))
    took = time.monotonic() - began

    # It knows although nothing of it has run meanwhile; and what it sends now changes nothing.
    assert not first.is_held
    assert 0.8 < took < 5
    assert not await first._stored()
    assert second.epoch > first.epoch
    assert await second._stored()
    assert second.is_held


async def test_who_may_not_renew_hears_that_it_is_lost(nodes: Nodes) -> None:
    one, other = await nodes.another(), await nodes.another()
    first = await one.lease("p0", "one", ttl_s=1)
    # Somebody deletes the message under it, and another one comes before the renewal.
    await first._stream.delete(first._number)
    second = await soon(other.lease("p0", "other"))

    await soon(first.wait_lost())

    assert [first.is_held, second.is_held] == [False, True]


async def test_a_renewal_whose_acknowledgement_is_lost_counts(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await (await nodes.another()).lease("p0", "one")
    offer, stored = first._stream.offer, []

    async def deaf(*arguments: object, **options: object) -> Place:
        stored.append(await offer(*arguments, **options))  # type: ignore[arg-type]
        if len(stored) == 1:
            raise Unanswered("no answer")
        return stored[-1]

    monkeypatch.setattr(first._stream, "offer", deaf)
    assert [await first._stored() for _ in range(3)] == [False, False, True]

    assert first.is_held
    assert first._number == stored[-1].number > stored[0].number > first.epoch


# The client does not close its connection to a server that dies, when it goes to another one.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_it_is_kept_while_the_servers_elect_a_leader(doomed: Servers) -> None:
    nodes = Nodes(Address.parse(doomed.new_url()))
    lease = await (await nodes.another()).lease("p0", "one")
    info = await lease._stream.js.stream_info(lease._stream.name)
    assert info.cluster is not None
    doomed.named(str(info.cluster.leader)).end(signal.SIGKILL)

    ends = time.monotonic() + 20
    while lease._number == lease.epoch and time.monotonic() < ends:
        assert lease.is_held
        await asyncio.sleep(0.1)

    assert lease._number > lease.epoch
    await nodes.close()


def pause(lease: Lease) -> None:
    async def never(_: float) -> None:
        await asyncio.Event().wait()

    lease._store = never  # type: ignore[method-assign,assignment]
