"""Shared tables on real NATS servers, and nodes that are killed in the middle of a change."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.database import Database, DatabaseUnavailable
from app.log.address import Address
from app.log.jetstream import JetStreamLog
from app.log.sqlite import SqliteLog
from app.sharing.parts import SHARED
from tests.logs import Clock, Nodes
from tests.nats_servers import Server, Servers
from tests.nodes import COUNT, PARTS, Site
from tests.waiting import until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes(nats_cluster: Servers) -> AsyncIterator[Nodes]:
    nodes = Nodes(Address.parse(nats_cluster.new_url()))
    yield nodes
    await nodes.close()


async def on_servers(nodes: Nodes, number: int, paths: list[Path | str] | None = None) -> Site:
    """Nodes of the site "main", each with a connection of its own."""
    site = Site()
    for path in paths or [":memory:"] * number:
        site.log = await (await nodes.another()).sys_log("main")
        await site.node(path, PARTS)
    return site


async def test_nodes_on_one_cluster_have_the_same_rows(nodes: Nodes) -> None:
    site = await on_servers(nodes, 3)
    await asyncio.gather(*(node.write(COUNT) for _ in range(10) for node in site.nodes))
    await site.nodes[0].write("INSERT INTO thing (name, size) VALUES ('lamp', x'00ff')")
    await until(lambda: len({node.shared.version for node in site.nodes}) == 1)
    await site.agreed()

    assert await site.nodes[1].read("SELECT * FROM counter") == [(30,)]
    assert await site.nodes[2].read("SELECT size FROM thing") == [(b"\x00\xff",)]
    await site.close()


async def test_a_node_that_was_away_comes_back_with_all_rows(nodes: Nodes, tmp_path: Path) -> None:
    site = await on_servers(nodes, 2, [tmp_path / "a.db", tmp_path / "b.db"])
    a, b = site.nodes
    await b.write(COUNT)
    await b.close()
    site.nodes.remove(b)
    for _ in range(5):
        await a.write(COUNT)
    site.log = await (await nodes.another()).sys_log("main")
    b = await site.node(tmp_path / "b.db")

    assert await b.read("SELECT * FROM counter") == [(6,)]
    await b.write(COUNT)
    await site.agreed()
    await site.close()


async def test_sites_share_nothing_with_each_other(nodes: Nodes) -> None:
    cluster = await nodes.another()
    north, south = Site(await cluster.sys_log("north")), Site(await cluster.sys_log("south"))
    a, b = await north.node(parts=SHARED), await south.node(parts=SHARED)
    await a.write("UPDATE account_version SET number = 7")
    await b.write("UPDATE account_version SET number = 8")

    assert await a.read("SELECT number FROM account_version") == [(7,)]
    assert (a.shared.version, b.shared.version) == (1, 1)
    await north.close()
    await south.close()


async def leader(site: Site, servers: Servers) -> Server:
    assert isinstance(site.log, JetStreamLog)
    stream = site.log._chain.stream
    info = await stream.js.stream_info(stream.name)
    assert info.cluster is not None
    return servers.named(str(info.cluster.leader))


async def test_a_killed_server_delays_changes_and_loses_none(tmp_path: Path) -> None:
    servers = Servers.start(tmp_path / "nats", 3)
    nodes = Nodes(Address.parse(servers.new_url()))
    try:
        site = await on_servers(nodes, 2)
        confirmed = 0
        for number in range(30):
            if number == 10:
                (await leader(site, servers)).end(signal.SIGKILL)
            try:
                await site.nodes[number % 2].write(COUNT)
                confirmed += 1
            except DatabaseUnavailable:
                # It may be there all the same.
                continue
        await site.nodes[0].write("INSERT INTO note VALUES ('last', '')")
        await until(lambda: len({node.shared.version for node in site.nodes}) == 1)
        await site.agreed()
        [[counted]] = await site.nodes[1].read("SELECT * FROM counter")
        await site.close()
        await nodes.close()
    finally:
        servers.end()

    assert confirmed >= 28
    assert confirmed <= counted <= 30


def a_process(url: str, path: Path, name: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.sharing_process", url, str(path), name],
        stdout=subprocess.PIPE,
        env=os.environ | environment,
    )


async def test_a_node_killed_between_the_log_and_its_tables_has_the_change(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'log.db'}"
    process = a_process(url, tmp_path / "a.db", "a", PITWALL_TEST_FAULT="before applied:4")
    confirmed = (await asyncio.to_thread(process.communicate))[0].decode().split()
    database = await Database.open(str(tmp_path / "log.db"))
    site = Site(await SqliteLog.open(database, Clock()))
    node = await site.node(tmp_path / "a.db")

    assert process.returncode == -signal.SIGKILL
    assert confirmed == ["a-0", "a-1", "a-2"]
    assert await node.read("SELECT key FROM note") == [("a-0",), ("a-1",), ("a-2",), ("a-3",)]
    assert await node.read("SELECT * FROM counter") == [(4,)]
    await site.close()
    await database.close()


async def test_killed_nodes_lose_and_double_nothing(nats_server: Servers, tmp_path: Path) -> None:
    url = nats_server.new_url()
    confirmed: list[str] = []
    for round_ in range(3):
        processes = [a_process(url, tmp_path / f"{n}.db", f"{n}-{round_}") for n in "ab"]
        for process in processes:
            assert process.stdout
            confirmed.append((await asyncio.to_thread(process.stdout.readline)).decode().strip())
        await asyncio.sleep(random.uniform(0.05, 0.3))
        for process in processes:
            process.kill()
            confirmed += (await asyncio.to_thread(process.communicate))[0].decode().split()
    nodes = Nodes(Address.parse(url))
    site = await on_servers(nodes, 2, [tmp_path / "a.db", tmp_path / "b.db"])
    await site.agreed()
    notes = [key for [key] in await site.nodes[0].read("SELECT key FROM note")]

    assert len(confirmed) > 20
    assert set(confirmed) <= set(notes)
    assert await site.nodes[1].read("SELECT * FROM counter") == [(len(notes),)]
    await site.close()
    await nodes.close()
