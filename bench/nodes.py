"""One node of a cluster as its sites grow in number: what a site at rest and an event cost."""

import asyncio
import http.client
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.measure import cpu_ns, memory_kib
from tests.cluster.installation import Installation, Tenant
from tests.cluster.load import Load

TOKEN = "t" * 40
SETTLE_S = 5.0
# More for each site than any machine should need.
OPEN_S = 2.0


@dataclass(frozen=True)
class Node:
    """With so many sites open. CPU at rest is of one site, in ms a second; an event's in µs."""

    sites: int
    open_ms: float
    site_kib: float
    rest_ms_per_s: float
    event_us: float
    servers_us: float
    answered: int
    refused: int


async def measure(counts: tuple[int, ...], rate: float, seconds: float) -> list[Node]:
    """Each count on an installation of its own: three servers, one node, nginx."""
    return [await _measure(count, rate, seconds) for count in counts]


async def _measure(count: int, rate: float, seconds: float) -> Node:
    sites = [Tenant(f"site{number}", f"{number:04}{TOKEN}") for number in range(count)]
    with tempfile.TemporaryDirectory(prefix="pitwall-bench-") as folder:
        installation = await asyncio.to_thread(Installation.of, Path(folder), sites, 1)
        await asyncio.to_thread(installation.__enter__)
        try:
            return await _of(installation, rate, seconds)
        finally:
            await asyncio.to_thread(installation.__exit__)


async def _of(installation: Installation, rate: float, seconds: float) -> Node:
    process = installation.nodes[0].process
    assert process is not None
    pid, count = process.pid, len(installation.sites)
    servers = [one.process.pid for one in installation.servers.each]
    before, began = memory_kib(pid), time.monotonic()
    await asyncio.to_thread(_open_all, installation)
    opened = time.monotonic() - began
    await asyncio.sleep(SETTLE_S)
    rest, at = cpu_ns(pid), time.monotonic()
    grown = memory_kib(pid) - before
    await asyncio.sleep(seconds)
    resting = (cpu_ns(pid) - rest) / (time.monotonic() - at)
    load = Load(installation, rate)
    spent, theirs, at = cpu_ns(pid), sum(map(cpu_ns, servers)), time.monotonic()
    sending = asyncio.create_task(load.run())
    await asyncio.sleep(seconds)
    sending.cancel()
    await load.finish()
    passed, answered = time.monotonic() - at, load.statuses[200]
    return Node(
        sites=count,
        open_ms=1000 * opened / count,
        site_kib=grown / count,
        rest_ms_per_s=resting / count / 1e6,
        event_us=(cpu_ns(pid) - spent - resting * passed) / max(answered, 1) / 1000,
        servers_us=(sum(map(cpu_ns, servers)) - theirs) / max(answered, 1) / 1000,
        answered=answered,
        refused=load.statuses.total() - answered,
    )


def _open_all(installation: Installation) -> None:
    """The first request opens a site; one that waits for others is told to come back."""
    deadline = time.monotonic() + OPEN_S * len(installation.sites) + OPEN_S
    for site in installation.sites:
        while (status := _asked(installation, site)) != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{site.name} was answered {status} when it was opened")
            time.sleep(0.1)


def _asked(installation: Installation, site: Tenant) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", installation.nodes[0].port, timeout=60)
    connection.request("GET", "/login", headers={"Host": site.host(installation.balancer.port)})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status
