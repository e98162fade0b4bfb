"""Owners in processes of their own, on three real NATS servers: killed, put to sleep, woken up."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.domain.events import CallEnded
from app.domain.states import Direction
from app.log.address import Address
from app.log.cluster import Cluster
from app.pbx import PbxError, SpyMode
from tests.nats_servers import Servers
from tests.owner_process import UNANSWERED, open_node, wall
from tests.owning import Node
from tests.running import ROOT

pytestmark = pytest.mark.anyio
PATIENCE_S = 30.0


@dataclass
class Site:
    """`node` is this process's, which owns nothing; `owners` are processes, by name."""

    url: str
    calls: Path
    node: Node
    owners: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, name: str) -> None:
        self.owners[name] = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.owner_process", self.url, name, str(self.calls)),
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )

    async def owned_by(self, name: str) -> None:
        process = self.owners[name]
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            assert await process.stdout.readline() == b"owner\n"

    def send(self, name: str, number: signal.Signals) -> None:
        self.owners[name].send_signal(number)

    @property
    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    async def shown(self, condition: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.node.projector.floor.state.reconciled.error != condition:
                await self.node.projector.wait_for(self.node.projector.applied + 1)

    async def spy(self, extension: str = "101") -> None:
        await self.node.asking.spy("200", extension, SpyMode.LISTEN, Direction.INBOUND)


@asynccontextmanager
async def site(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    url = f"{servers.new_url()}&partitions=2"
    cluster = await Cluster.open(Address.parse(url), wall)
    calls = folder / "calls"
    node = await open_node(cluster, "asker", calls)
    await node.projector.start()
    following = asyncio.create_task(node.projector.run())
    here = Site(url, calls, node)
    try:
        yield here
    finally:
        for process in here.owners.values():
            if process.returncode is None:
                process.kill()
                process.send_signal(signal.SIGCONT)
                await process.wait()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await node.asking.close()
        await cluster.close()


async def test_a_spy_whose_owner_is_killed_meanwhile_is_never_repeated(
    nats_cluster: Servers, tmp_path: Path
) -> None:
    async with site(nats_cluster, tmp_path) as here:
        await here.start("a")
        await here.owned_by("a")
        await here.start("b")
        asked = asyncio.ensure_future(here.spy(UNANSWERED))
        await called(here, 1)
        here.send("a", signal.SIGKILL)

        await here.owned_by("b")
        with pytest.raises(PbxError, match="is gone") as caught:
            await asked
        assert caught.value.unknown
        assert here.called == ["a spy 200 999 listen inbound"]

        await here.spy()
        assert here.called[1:] == ["b spy 200 101 listen inbound"]


async def test_a_pause_whose_owner_is_killed_meanwhile_is_set_again(
    nats_cluster: Servers, tmp_path: Path
) -> None:
    async with site(nats_cluster, tmp_path) as here:
        await here.start("a")
        await here.owned_by("a")
        await here.start("b")
        asked = asyncio.ensure_future(here.node.asking.pause(UNANSWERED, True))
        await called(here, 1)
        here.send("a", signal.SIGKILL)
        await called(here, 2)

        assert here.called == ["a pause 999", "b pause 999"]
        asked.cancel()


async def test_an_owner_that_wakes_up_is_none_any_more(
    nats_cluster: Servers, tmp_path: Path
) -> None:
    async with site(nats_cluster, tmp_path) as here:
        await here.start("a")
        await here.owned_by("a")
        await here.shown("a owns it")
        await here.start("b")
        here.send("a", signal.SIGSTOP)
        await here.owned_by("b")
        await here.shown("b owns it")
        epoch = here.node.projector.floor.state.epoch
        await here.spy()

        # What it was about to send when it fell asleep, it sends now.
        here.send("a", signal.SIGCONT)
        for number in range(5):
            await here.spy(f"10{number}")
            assert here.node.projector.floor.state.reconciled.error == "b owns it"
        assert here.node.projector.floor.state.epoch == epoch
        assert [line.split()[0] for line in here.called] == ["b"] * 6


async def test_a_node_that_writes_without_a_pause_leaves_others_room(
    nats_cluster: Servers, tmp_path: Path
) -> None:
    async with site(nats_cluster, tmp_path) as here:
        await here.start("a")
        await here.shown("a owns it")
        # Between them it stores hundreds; each of these has to come between two of those.
        async with asyncio.timeout(8):
            for number in range(20):
                await here.node.log.append([CallEnded(callid=str(number))])
                await asyncio.sleep(0.05)


async def called(here: Site, times: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(here.called) < times:  # noqa: ASYNC110 a file sends no word
            await asyncio.sleep(0.01)
