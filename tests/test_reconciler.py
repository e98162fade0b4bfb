"""What the PBX is asked, when, and what becomes of the rest where one question fails."""

import asyncio
from itertools import pairwise

import pytest
from aiohttp import web

from app.domain.events import CallRecorded, CallRinging
from app.pbx import Member, PbxError
from tests.fake_pbx import FakePbx, call_of, running_pbx, server_error
from tests.history_setup import NINE
from tests.pbx_client import Clock, client_of
from tests.waiting import until
from tests.watching import known, watch

pytestmark = pytest.mark.anyio
REFUSED = PbxError("refused", "The PBX refused and does not say why.")
AWAY = PbxError("unreachable", "The PBX could not be reached.")
TOO_LONG = PbxError("too_large", "The PBX's answer is longer than 4096 KiB.")
MINUTE, HOUR = 60, 3600


async def test_more_queues_and_names_than_a_log_takes_at_once_all_reach_it(tmp_path):
    async with watch(url=f"sqlite:{tmp_path / 'pitwall.db'}") as floor:
        floor.pbx.listed = [
            Member(str(number), ("901",), name=f"Agent no. {number}", queue_names=(("901", "A"),))
            for number in range(10_000, 15_000)
        ]
        await floor.look(1)
        agents = floor.floor.state.agents

    assert len(agents) == 5000
    assert all(agent.name and agent.queues == ["901"] for agent in agents.values())


async def test_at_the_start_everything_is_asked_and_then_each_minute_records_each_hour():
    async with watch(*known()) as floor:
        await floor.look(2 * HOUR + MINUTE, step=2)

    assert floor.times("members", MINUTE) == list(range(121))
    assert floor.times("phones", MINUTE) == list(range(121))
    assert floor.times("records 2026-03-02", HOUR) == [0, 1, 2]


async def test_where_the_members_are_refused_known_phones_and_silent_calls_are_asked_all_the_same():
    async with watch(*known()) as floor:
        floor.pbx.fails["members"] = REFUSED
        floor.pbx.kept = [CallRecorded(callid="1", status="BUSY", started=NINE - 600_000)]
        await floor.look(10 * MINUTE)
        said = await floor.said()

    assert floor.floor.state.agents["101"].status == "on"
    assert floor.floor.state.calls["1"].ended_at == NINE
    assert floor.times("members", MINUTE) == floor.times("phones", MINUTE) == list(range(10))
    assert floor.times("records 2026-03-02", MINUTE) == [0]
    assert [event.error for event in said] == [str(REFUSED)] * 10
    assert floor.floor.state.reconciled.agreed_at is None


async def test_a_silent_call_that_is_refused_lets_the_others_have_their_turn():
    async with watch(*known(), (NINE - 300_000, CallRinging(callid="2"))) as floor:
        floor.pbx.fails["records of 1"] = REFUSED
        await floor.look(4 * MINUTE)

    assert floor.times("records of 1", MINUTE) == [0, 1, 2, 3]
    assert floor.times("records of 2", MINUTE) == [1, 3]


async def test_where_the_phones_are_refused_queues_and_silent_calls_are_told_all_the_same():
    async with watch(*known()) as floor:
        floor.pbx.fails["phones"] = REFUSED
        floor.pbx.listed = [Member("101", ("901",))]
        floor.pbx.kept = [CallRecorded(callid="1", status="BUSY", started=NINE - 600_000)]
        await floor.look(1)

    assert floor.floor.state.agents["101"].queues == ["901"]
    assert floor.floor.state.calls["1"].ended_at == NINE
    assert floor.floor.state.reconciled.error == str(REFUSED)


async def test_members_of_whom_the_pbx_told_once_are_asked_for_when_it_tells_no_more():
    async with watch() as floor:
        floor.pbx.listed = [Member("102")]
        await floor.look(1)
        floor.pbx.fails["members"] = REFUSED
        await floor.look(2 * MINUTE)

    assert floor.times("phones", MINUTE) == [0, 1]


async def test_a_pbx_that_is_away_is_asked_each_ten_seconds_and_then_for_records_at_once():
    async with watch(*known()) as floor:
        await floor.look(5 * MINUTE)
        floor.pbx.fails = dict.fromkeys(("members", "phones", "records"), AWAY)
        await floor.look(7 * MINUTE)
        floor.pbx.fails.clear()
        floor.asked.clear()
        await floor.look(20 * MINUTE)
        said = await floor.said()

    assert floor.times("members", MINUTE) == list(range(7, 20))
    assert floor.times("records 2026-03-02", MINUTE) == [7]
    errors = [event.error for event in said]
    assert errors == [""] * 5 + [str(AWAY)] * 12 + [""] * 13


async def test_records_that_fail_are_asked_for_less_and_less_often_and_hold_up_nothing():
    async with watch(*known()) as floor:
        floor.floor.state.calls.clear()
        floor.pbx.fails["records"] = TOO_LONG
        await floor.look(4 * HOUR, step=4)
        said = await floor.said()

    assert floor.times("members", MINUTE) == list(range(240))
    assert floor.times("records 2026-03-02", MINUTE) == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert [event.error for event in said].count(str(TOO_LONG)) == 9
    assert floor.floor.state.reconciled.error == ""


async def test_records_that_are_told_again_are_asked_for_each_hour():
    async with watch() as floor:
        floor.pbx.fails["records"] = TOO_LONG
        await floor.look(10 * MINUTE, step=2)
        floor.pbx.fails.clear()
        floor.asked.clear()
        await floor.look(3 * HOUR, step=2)

    assert floor.times("records 2026-03-02", MINUTE) == [15, 75, 135]


async def test_a_phone_in_doubt_that_is_refused_has_no_records_fetched():
    async with watch(*known()) as floor:
        await floor.look(5)
        floor.pbx.fails["phones"] = REFUSED
        floor.reconciler.doubt("101")
        await floor.look(50)
        assert len(floor.times("phones")) > 2
        floor.pbx.fails.clear()
        await floor.look(10 * MINUTE)

    assert floor.times("records 2026-03-02", MINUTE) == [0]


async def test_of_a_pbx_that_nobody_has_configured_nothing_is_said():
    async with watch(*known()) as floor:
        missing = PbxError("unconfigured", "No PBX is configured.")
        floor.pbx.fails = dict.fromkeys(("members", "phones", "records"), missing)
        await floor.look(2 * MINUTE)

        assert await floor.said() == []


async def test_whoever_begins_to_ask_again_asks_for_everything_at_once():
    async with watch(*known()) as floor:
        for _ in range(2):
            floor.pbx.asked.clear()
            task = asyncio.create_task(floor.reconciler.run())
            await until(lambda: "records 2026-03-02" in floor.pbx.asked)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

            assert floor.pbx.asked[:2] == ["members", "phones"]


async def test_a_pbx_that_only_fails_is_left_alone_for_a_while():
    clock, asked = Clock(), []
    async with (
        running_pbx(fault=server_error) as server,
        client_of(server.url, clock=clock) as client,
        watch(*known(), pbx=client) as floor,
    ):
        for second in range(2 * MINUTE):
            clock.now = second
            before = len(server.got)
            await floor.reconciler.look(second)
            asked += [second] * (len(server.got) - before)

    assert len(asked[:5]) == 5
    assert all(later - earlier >= 15 for earlier, later in pairwise(asked[4:]))


async def test_records_that_fail_keep_nobody_from_acting():
    async def no_records(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
        asked = call_of(request.path)
        return web.Response(status=500) if asked == "cdr" else pbx.reply(asked)

    replies = {"all_members": {"result": []}, "status": {"result": [{"ext": "101", "state": "on"}]}}
    calls = [(NINE - 600_000, CallRinging(callid=str(number))) for number in range(30)]
    async with (
        running_pbx(fault=no_records, replies=replies | {"": {"result": "success"}}) as server,
        client_of(server.url) as client,
        watch(*known(), *calls, pbx=client) as floor,
    ):
        for second in range(5 * MINUTE):
            await floor.reconciler.look(second)
            if second % MINUTE < 2:
                await client.pause("101", paused=True)
