"""A lease on real NATS servers: one holder, and the old one is the first to know."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from app.log.address import Address
from app.log.cluster import Cluster
from tests.logs import Clock, soon
from tests.nats_servers import Servers

pytestmark = pytest.mark.anyio
Opened = Callable[[], Awaitable[Cluster]]


@pytest.fixture(params=["nats_server", "nats_cluster"])
async def node(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    """Another node of the same installation, each time it is called."""
    servers: Servers = request.getfixturevalue(request.param)
    address, opened = Address.parse(servers.new_url()), []

    async def opening() -> Cluster:
        opened.append(await Cluster.open(address, Clock()))
        return opened[-1]

    yield opening
    for cluster in opened:
        await cluster.close()


async def test_only_one_holds_it_and_the_next_has_a_greater_epoch(node: Opened) -> None:
    one, other = await node(), await node()
    first = await one.lease("p0", "one")
    waiting = asyncio.create_task(other.lease("p0", "other"))
    await asyncio.sleep(0.1)

    assert (first.is_held, waiting.done()) == (True, False)
    await first.release()
    second = await soon(waiting)

    assert [first.is_held, second.is_held] == [False, True]
    assert second.epoch > first.epoch > 0
    await soon(first.wait_lost())


async def test_leases_of_other_names_are_held_at_once(node: Opened) -> None:
    one, other = await node(), await node()

    held = [await soon(one.lease("p0", "one")), await soon(other.lease("p1", "other"))]

    assert [lease.is_held for lease in held] == [True, True]


async def test_a_holder_that_goes_on_keeps_it(node: Opened) -> None:
    one, other = await node(), await node()
    first = await one.lease("p0", "one", ttl_s=1)
    waiting = asyncio.create_task(other.lease("p0", "other", ttl_s=1))

    await asyncio.sleep(2.5)

    assert first.is_held
    assert not waiting.done()
    waiting.cancel()
