"""What follows by itself, where several nodes serve a site: the owner sees to it, once."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from app.actions import Actions
from app.actions.aftermath import Aftermath
from app.actions.deeds import Deeds
from app.actions.desk import Desk
from app.actions.dial_rules import DialRates
from app.audit import Audit
from app.commanding import CommandingPbx
from app.database import Database
from app.domain.events import (
    CallAnswered,
    CallEnded,
    ListenEnded,
    ListenStarted,
    PauseWanted,
    PhoneReported,
)
from app.ownership import run_while_owned
from app.pbx import Pbx
from tests.owning import Local, World, until, world

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def aftermath_at(here: World, *nodes: Local) -> AsyncIterator[None]:
    """Every node would do it, if it were the owner."""
    database = await Database.open(":memory:")
    audit = await Audit.open(database, here.clock)
    desks = [desk_of(node, audit, here) for node in nodes]
    tasks = [
        asyncio.create_task(run_while_owned(node.ownership, Aftermath(desk).run))
        for node, desk in zip(nodes, desks, strict=True)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for desk in desks:
            await desk.deeds.settle()
        await database.close()


def desk_of(node: Local, audit: Audit, here: World) -> Desk:
    pbx = cast(Pbx, here.pbx)
    deeds, rates = Deeds(audit, node.log, time.monotonic), DialRates(time.monotonic)
    desk = Desk(
        node.asking, audit, node.log, node.projector, deeds, rates, here.clock, time.monotonic
    )
    log = node.owners_log
    return Actions.over(desk).desk.owners(CommandingPbx(pbx, log, node.projector), log)


async def test_a_pause_after_the_call_is_the_owners_and_done_once() -> None:
    async with world() as here:
        owner, other = await here.node("a"), await here.node("b")
        await owner.owns()
        async with aftermath_at(here, owner, other):
            await here.log.append([CallAnswered(callid="1", extension="101", queue="600")])
            await here.log.append([PauseWanted(extension="101", by="Ann")])
            await here.log.append([CallEnded(callid="1")])
            agents = other.projector.floor.state.agents
            await until(lambda: here.pbx.calls and not agents["101"].pause_wanted)

        assert here.pbx.calls == [("pause", "101")]
        assert [event.epoch for event in await here.stored() if type(event) is PauseWanted] == [
            0,
            3,
        ]


async def test_the_next_owner_sees_to_what_the_last_one_left() -> None:
    async with world() as here:
        owner, other = await here.node("a"), await here.node("b")
        await owner.owns()
        await here.log.append([PhoneReported(extension="101", status="on")])
        listening = ListenStarted(
            supervisor="Ann", extension="101", callid="1", mode="listen", phone="200"
        )
        await here.log.append([listening])
        await owner.die()
        here.leases.hand_to("b")
        async with aftermath_at(here, other):
            await other.owns()
            here.pass_s(5)
            await here.log.append([PhoneReported(extension="200", status="on")])
            agent = other.projector.floor.state.agents["101"]
            await until(lambda: not agent.listeners)

        assert (await here.stored())[-1] == ListenEnded(
            supervisor="Ann", extension="101", reason="phone hung up", epoch=6
        )
