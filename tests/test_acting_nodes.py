"""Two nodes of one site, whole, on real NATS servers: a click on either is one call of the PBX."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from app.actions.deeds import Kind
from app.actions.listening import SpyWish
from app.actions.pausing import PauseWish
from app.domain.events import CallAnswered, PhoneReported
from app.ground import Ground, opened_ground
from app.main import wall_clock
from app.pbx import SpyMode
from app.settings import Settings
from app.site import running_site
from app.web.parts import Parts
from tests import waiting
from tests.acting import asker
from tests.fake_pbx import FakePbx, call_of, running_pbx
from tests.nats_servers import Servers

pytestmark = pytest.mark.anyio


@dataclass
class Running:
    """A node with the site open; closing `stack` stops it as a signal would."""

    ground: Ground
    parts: Parts
    stack: AsyncExitStack

    @property
    def owner(self) -> str:
        return self.parts.floor.state.owner

    @property
    def is_owner(self) -> bool:
        return self.owner == self.ground.node


@dataclass
class Site:
    url: str
    folder: Path
    pbx: FakePbx
    nodes: list[Running] = field(default_factory=list)

    async def start(self) -> Running:
        number = len(self.nodes) + 1
        settings = Settings.from_env(
            {
                "PORT": str(8000 + number),
                "PITWALL_LOG": self.url,
                "PITWALL_DATA": str(self.folder / str(number)),
                "PITWALL_TIMEZONE": "UTC",
                "PITWALL_PBX_URL": self.pbx.url,
                "PITWALL_PBX_KEY": "key",
            }
        )
        (self.folder / str(number)).mkdir()
        stack = AsyncExitStack()
        ground = await stack.enter_async_context(opened_ground(settings, wall_clock))
        site = running_site(ground, settings, wall_clock, lambda loop: None)
        parts = await stack.enter_async_context(site)
        self.nodes.append(Running(ground, parts, stack))
        return self.nodes[-1]

    async def two(self) -> tuple[Running, Running]:
        """The owner and the other."""
        one, other = await self.start(), await self.start()
        await until(lambda: one.owner and one.owner == other.owner)
        return (one, other) if one.is_owner else (other, one)

    def asked(self, call: str) -> list[object]:
        return [body for name, body in self.pbx.got if name == call]


@asynccontextmanager
async def site(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    async with running_pbx() as pbx:
        here = Site(f"{servers.new_url()}&partitions=2", folder, pbx)
        try:
            yield here
        finally:
            for node in here.nodes:
                await node.stack.aclose()


async def late(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    await asyncio.sleep(0.5)
    return pbx.reply(call_of(request.path))


until = partial(waiting.until, seconds=20)


async def test_a_click_on_any_node_is_one_call_by_the_owner(
    nats_cluster: Servers, tmp_path: Path
) -> None:
    async with site(nats_cluster, tmp_path) as here:
        owner, other = await here.two()
        await other.parts.log.append(
            [
                PhoneReported(extension="101", status="on"),
                CallAnswered(callid="1", extension="101", queue="600"),
            ]
        )
        await until(lambda: "1" in other.parts.floor.state.calls)
        wish = SpyWish("1", SpyMode.LISTEN, reason="Training")
        for node in (other, owner):
            outcome = await node.parts.actions.listening.start(asker(), wish)
            assert (outcome.kind, outcome.status) == (Kind.DONE, 200), outcome.sentence
        outcome = await other.parts.actions.pausing.pause(asker(), "101", PauseWish("Break"))
        assert outcome.ok, outcome.sentence

        assert [len(here.asked("spy")), len(here.asked("update_status"))] == [2, 1]
        rows = [(row.kind, row.action) for row in await owner.parts.access.audit.page()]
        assert rows.count(("intent", "listen")) == rows.count(("result", "listen")) == 2


async def test_a_node_that_stops_finishes_what_others_asked_of_it(
    nats_cluster: Servers, tmp_path: Path
) -> None:
    async with site(nats_cluster, tmp_path) as here:
        owner, other = await here.two()
        await other.parts.log.append([PhoneReported(extension="101", status="on")])
        await until(lambda: "101" in other.parts.floor.state.agents)
        here.pbx.fault = late
        pausing = other.parts.actions.pausing
        clicked = asyncio.create_task(pausing.ask_to_pause(asker(), "101", PauseWish()))
        await until(lambda: here.asked("update_status"))
        await owner.stack.aclose()
        outcome = await clicked

        assert (outcome.kind, len(here.asked("update_status"))) == (Kind.DONE, 1), outcome.sentence
        await until(lambda: other.is_owner)
