"""What the PBX is asked, when, and what becomes of the rest where one question fails."""

from pathlib import Path

import pytest

from app.domain.floor import Floor
from app.log import EventLog
from app.pbx import Member
from app.reconciler import Reconciler
from tests.asked_pbx import AskedPbx, follow
from tests.history_setup import DAYS, NINE
from tests.logs import Clock, Place
from tests.story import UTC_ZONE

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(tmp_path: Path):
    place = Place(f"sqlite:{tmp_path / 'pitwall.db'}", Clock(NINE))
    yield place
    await place.close()


def reconciler_of(pbx: AskedPbx, log: EventLog, floor: Floor) -> Reconciler:
    return Reconciler(pbx, log, lambda: floor.state, lambda: NINE, UTC_ZONE)


async def test_more_queues_and_names_than_a_log_takes_at_once_all_reach_it(place):
    pbx, log = AskedPbx(), await place.open()
    pbx.listed = [
        Member(str(extension), ("901",), name=f"Agent no. {extension}", queue_names=(("901", "A"),))
        for extension in range(10_000, 15_000)
    ]

    floor = Floor(DAYS)

    await reconciler_of(pbx, log, floor).everything()

    await follow(log, floor)
    agents = floor.state.agents
    assert len(agents) == 5000
    assert all(agent.name and agent.queues == ["901"] for agent in agents.values())
