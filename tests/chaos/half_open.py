"""Peers that are gone without a word: behind a cable that is pulled, where root may lay one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from tests.cluster.cut_network import HUB, Machine, network, why_not
from tests.live_viewer import Deaf, Viewer, look


@dataclass(frozen=True)
class Vanishing:
    """`look` opens a board with a cookie; from `vanish` on nothing of them all is heard."""

    look: Callable[[str], Awaitable[Viewer]]
    vanish: Callable[[], None]
    how: str


@asynccontextmanager
async def vanishing(port: int) -> AsyncIterator[Vanishing]:
    """Viewers of the server on this port of all addresses, until the end of the block."""
    if why := why_not():
        # The kernel of such a peer still says that bytes arrive, until its buffers are full.
        async with Deaf(port) as proxy:
            opening = partial(look, proxy.port, origin_port=port)
            yield Vanishing(opening, proxy.hears.clear, f"a proxy passes nothing on: {why}")
            proxy.hears.set()
    else:
        with network(["gone"]) as [machine]:
            yield Vanishing(partial(_look_from, machine, port), machine.pull, "no packet passes")


async def _look_from(machine: Machine, port: int, cookie: str) -> Viewer:
    connection = machine.socket()
    await asyncio.get_running_loop().sock_connect(connection, (HUB, port))
    return await look(port, cookie, connection=connection)
