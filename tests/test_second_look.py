"""After an action whose effect nobody knows, the PBX is asked at once, and until it tells."""

import pytest

from app.domain.states import Status
from app.pbx import PhoneState
from app.reconciler import Reconciler
from tests.acting import UTC, acting

pytestmark = pytest.mark.anyio


async def test_an_agent_left_in_doubt_by_an_action_is_asked_for_at_once():
    async with acting() as floor:
        await floor.tell("101 on")
        state = floor.projector.floor.state
        asking = Reconciler(floor.pbx, floor.log, lambda: state, lambda: floor.now, UTC)
        floor.pbx.states = [PhoneState("101", Status.PAUSE)]
        assert list(asking.doubted()) == []
        asking.doubt("101")
        assert list(asking.doubted()) == ["101"]

        # The report of "on" is so fresh that it may be the newer word: the doubt stays.
        await asking.phones(["101"])
        assert (await floor.card("101")).status == "on"
        floor.pass_s(2)
        assert list(asking.doubted()) == ["101"]

        await asking.phones(["101"])
        assert (await floor.card("101")).status == "pause"
        floor.pass_s(20)
        assert list(asking.doubted()) == []
