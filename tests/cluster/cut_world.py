"""Three machines with a NATS server and a node each, a PBX, and people and senders in each machine.

What is in a machine stays connected to its node when the machine's cable is pulled.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from urllib.parse import urlencode

from aiohttp import web

from tests.cluster.boards import add_user
from tests.cluster.cut_network import HUB, Machine
from tests.cluster.installation import Balancer, Installation, Node, Tenant, write_sites
from tests.fake_pbx import FakePbx
from tests.nats_servers import CLUSTER, Server, Servers
from tests.running import PASSWORD, ROOT

PORT, PBX_PORT, ROUTES_PORT = 8000, 8090, 6222
PATIENCE_S = 30.0
SYNC = "sync_interval: always"
API_TOKEN = "a" * 40


@dataclass(frozen=True)
class Said:
    """An answer over HTTP."""

    status: int
    headers: str
    body: str


@dataclass
class Exchange(FakePbx):
    """The PBX of all sites. `asked`: when (monotonic seconds), by which address, all it said."""

    asked: list[tuple[float, str, str]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        told = request.raw_path + await request.text()
        self.asked.append((monotonic(), request.remote or "", told))
        return await super().handle(request)

    def asked_by(self, machine: Machine, site: Tenant, since: float, until: float) -> list[float]:
        """When it was asked in that time, about that site, from that machine."""
        return [
            at
            for at, address, told in self.asked
            if since <= at < until and address == machine.address and f"key-of-{site.name}" in told
        ]


@asynccontextmanager
async def running_exchange() -> AsyncIterator[Exchange]:
    """Where every machine reaches it, unless its cable is pulled."""
    exchange, app = Exchange(), web.Application()
    app.router.add_route("*", "/{path:.*}", exchange.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HUB, PBX_PORT).start()
    try:
        yield exchange
    finally:
        await runner.cleanup()


def tenants(*names: str) -> list[Tenant]:
    """Sites with that PBX, and with tokens of their own."""
    pbx = f"http://{HUB}:{PBX_PORT}"
    return [
        Tenant(
            name,
            f"{name}-{'t' * 40}",
            (
                ("PITWALL_PBX_URL", pbx),
                ("PITWALL_PBX_DATA_URL", pbx),
                ("PITWALL_PBX_DOMAIN", f"{name}.example"),
                ("PITWALL_PBX_KEY", f"key-of-{name}"),
                ("PITWALL_API_TOKEN", f"{name}-{API_TOKEN}"),
            ),
        )
        for name in names
    ]


@contextmanager
def installed(folder: Path, machines: list[Machine], sites: list[Tenant]) -> Iterator[Installation]:
    """A server and a node in each machine; no balancer, for each sender knows its node."""
    servers = Servers.started(_servers(folder / "nats", machines))
    write_sites(folder / "sites", sites, PORT)
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PORT": str(PORT),
        "PITWALL_LOG": servers.url("cluster"),
        "PITWALL_SITES": str(folder / "sites"),
    }
    nodes = [
        Node(
            f"node-{machine.name}",
            PORT,
            folder / machine.name,
            environ | {"HOST": machine.address},
            machine.address,
            machine.within,
        )
        for machine in machines
    ]
    made = Installation(folder, sites, servers, nodes, Balancer(PORT, folder, []))
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            node.wait()
        for site in sites:
            add_user(nodes[0], site.name, "ann", "supervisor")
        yield made
    finally:
        made.__exit__()


def _servers(folder: Path, machines: list[Machine]) -> list[Server]:
    routes = ", ".join(f'"nats://{machine.address}:{ROUTES_PORT}"' for machine in machines)
    servers = []
    for machine in machines:
        server = Server(f"s-{machine.name}", folder / machine.name, SYNC, 4222, 8222)
        server.host, server.within = machine.address, machine.within
        server.cluster = CLUSTER.format(host=machine.address, port=ROUTES_PORT, routes=routes)
        servers.append(server)
    return servers


async def connected(machine: Machine) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """From within the machine to its node."""
    found = machine.socket()
    await asyncio.get_running_loop().sock_connect(found, (machine.address, PORT))
    return await asyncio.open_connection(sock=found)


async def ask(
    machine: Machine, site: Tenant, words: str, more: dict[str, str], body: str = ""
) -> Said:
    """One request (`words` are METHOD PATH) from within the machine to its node."""
    headers = {"Host": site.host(PORT), "Connection": "close", "Content-Length": str(len(body))}
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    lines = [f"{words} HTTP/1.1", *(f"{name}: {value}" for name, value in (headers | more).items())]
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await connected(machine)
        writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        told = (await reader.read()).decode(errors="replace")
        writer.close()
    head, _, rest = told.partition("\r\n\r\n")
    return Said(int(head[9:12]), head, rest)


async def sign_in(machine: Machine, site: Tenant) -> str:
    """The cookie of ann's new session."""
    body = urlencode({"username": "ann", "password": PASSWORD})
    said = await ask(machine, site, "POST /login", {"Origin": f"http://{site.host(PORT)}"}, body)
    found = [line for line in said.headers.splitlines() if line.lower().startswith("set-cookie:")]
    assert found, said
    return found[0].partition(":")[2].partition(";")[0].strip()


async def pause(machine: Machine, site: Tenant, cookie: str) -> Said:
    """Ann clicks on it at a board of this machine."""
    more = {
        "Cookie": cookie,
        "Origin": f"http://{site.host(PORT)}",
        "HX-Request": "true",
        "Accept": "application/json",
    }
    body = urlencode({"extension": "101", "reason": "Break"})
    return await ask(machine, site, "POST /actions/pause", more, body)
