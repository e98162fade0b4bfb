"""Listening, whispering, barging: what reaches the PBX, what the audit keeps, what all see."""

import asyncio
from dataclasses import replace

import pytest

from app.actions.deeds import Kind
from app.actions.listening import SpyWish
from app.database import DatabaseUnavailable
from app.domain.events import AgentNamed, ListenEnded
from app.domain.states import LegState, Status
from app.pbx import PbxError, PhoneState, SpyMode
from app.rights import ACTING, Right
from tests.acting import acting, asker

pytestmark = pytest.mark.anyio

INBOUND = "101 on, 7 rings 101 in 999, 7 answered 101 in 999"
OUTBOUND = "102 on, 102 dials 8, 102 reaches 8"
LISTEN = SpyWish("7", SpyMode.LISTEN, "101", "Training")


@pytest.fixture
async def floor():
    async with acting() as made:
        await made.tell(INBOUND, OUTBOUND)
        yield made


async def test_listening_rings_ones_own_phone_and_all_see_it(floor):
    outcome = await floor.actions.listening.start(asker(), LISTEN)

    assert (outcome.kind, outcome.status) == (Kind.DONE, 200)
    assert floor.pbx.calls == [("spy", "200", "101", "listen", "inbound")]
    assert (await floor.card("101")).listeners == (("Ann", "listen", floor.now),)


@pytest.mark.parametrize("mode", list(SpyMode))
async def test_every_mode_goes_with_the_direction_of_the_call(floor, mode):
    await floor.actions.listening.start(asker(), SpyWish("8", mode, "", "Training"))

    assert floor.pbx.calls == [("spy", "200", "102", mode.value, "outbound")]


async def test_the_audit_has_the_intent_before_and_the_result_after(floor):
    await floor.actions.listening.start(asker(), LISTEN)
    intent, result = await floor.rows()

    assert (intent.kind, result.kind, result.intent) == ("intent", "result", intent.seq)
    assert (intent.mode, intent.extension, intent.callid) == ("listen", "101", "7")
    assert (intent.queue, intent.direction) == ("999", "inbound")
    assert (intent.reason, result.outcome) == ("Training", "done")


async def test_without_an_audit_row_the_pbx_is_not_called(floor, monkeypatch):
    async def full(*_: object) -> int:
        raise DatabaseUnavailable("the disk is full")

    monkeypatch.setattr(floor.audit, "intent", full)
    outcome = await floor.actions.listening.start(asker(), LISTEN)

    assert (outcome.kind, outcome.status, floor.pbx.calls) == (Kind.FAILED, 503, [])
    assert (await floor.card("101")).listeners == ()


async def test_a_double_click_is_one_call_with_the_same_answer(floor):
    floor.pbx.waits_s = 0.02
    twice = [floor.actions.listening.start(asker(), LISTEN) for _ in range(2)]
    first, second = await asyncio.gather(*twice)
    third = await floor.actions.listening.start(asker(), LISTEN)

    assert first == second == third
    assert len(floor.pbx.calls) == 1


async def test_after_ten_seconds_it_is_another_click(floor):
    await floor.actions.listening.start(asker(), LISTEN)
    floor.pass_s(10)
    await floor.actions.listening.start(asker(), LISTEN)

    assert len(floor.pbx.calls) == 2


async def test_what_failed_may_be_tried_again_soon(floor):
    floor.pbx.fails[""] = PbxError("refused", "The PBX refused it.")
    await floor.actions.listening.start(asker(), LISTEN)
    await floor.actions.listening.start(asker(), LISTEN)
    floor.pass_s(3)
    await floor.actions.listening.start(asker(), LISTEN)

    assert len(floor.pbx.calls) == 2


async def test_the_mode_can_be_switched_to_and_fro_without_a_new_reason(floor):
    await floor.actions.listening.start(asker(), LISTEN)
    for mode in (SpyMode.WHISPER, SpyMode.BARGE, SpyMode.LISTEN):
        await floor.caught_up()
        outcome = await floor.actions.listening.start(asker(), SpyWish("7", mode, "101"))
        assert outcome.kind is Kind.DONE

    assert [call[3] for call in floor.pbx.calls] == ["listen", "whisper", "barge", "listen"]
    assert (await floor.card("101")).listeners == (("Ann", "listen", floor.now),)


async def test_one_phone_listens_to_one_agent_only(floor):
    await floor.actions.listening.start(asker(), LISTEN)
    await floor.caught_up()
    await floor.actions.listening.start(asker(), SpyWish("8", SpyMode.LISTEN, "102", "Quality"))

    assert (await floor.card("101")).listeners == ()
    assert (await floor.card("102")).listeners == (("Ann", "listen", floor.now),)


async def test_another_click_while_the_first_is_under_way_has_to_wait(floor):
    floor.pbx.waits_s = 0.05
    first = asyncio.create_task(floor.actions.listening.start(asker(), LISTEN))
    await asyncio.sleep(0.02)
    other = SpyWish("8", SpyMode.LISTEN, "102", "Quality")
    refused = await floor.actions.listening.start(asker(), other)

    assert (refused.kind, refused.status) == (Kind.REFUSED, 409)
    assert (await first).kind is Kind.DONE
    assert len(floor.pbx.calls) == 1


async def test_a_browser_that_leaves_does_not_leave_half_a_deed(floor):
    floor.pbx.waits_s = 0.05
    click = asyncio.create_task(floor.actions.listening.start(asker(), LISTEN))
    await asyncio.sleep(0.02)
    click.cancel()
    await floor.actions.close()

    assert await floor.said() == [("intent", "listen"), ("result", "listen")]
    assert (await floor.card("101")).listeners


REFUSED = {
    "no extension": (asker(extension=""), LISTEN, 409),
    "own phone": (asker(extension="101"), LISTEN, 409),
    "no such right": (asker(rights=ACTING - {Right.LISTEN}), LISTEN, 403),
    "another queue": (asker(queues=frozenset({"1"})), LISTEN, 403),
    "unknown call": (asker(), SpyWish("9", SpyMode.LISTEN, "", "Training"), 404),
    "not in that call": (asker(), SpyWish("7", SpyMode.LISTEN, "102", "Training"), 422),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
async def test_a_refusal_is_noted_and_reaches_no_pbx(floor, case):
    who, wish, status = case
    outcome = await floor.actions.listening.start(who, wish)

    assert (outcome.kind, outcome.status, floor.pbx.calls) == (Kind.REFUSED, status, [])
    assert await floor.said() == [("denied", "listen")]
    assert outcome.sentence.endswith(".")


async def test_nobody_listens_to_an_agent_marked_never_listen(floor):
    await floor.tell(AgentNamed(extension="101", name="Bob", never_listen=True))
    outcome = await floor.actions.listening.start(asker(), LISTEN)

    assert (outcome.status, floor.pbx.calls) == (403, [])
    assert "never listen" in outcome.sentence


@pytest.mark.parametrize(
    ("story", "status"),
    [("7 hangs up", 409), ("9 rings 103 in 999", 409), ("9 waits in 999", 409)],
)
async def test_only_a_call_in_which_somebody_talks_can_be_listened_to(floor, story, status):
    await floor.tell(story)
    wish = SpyWish(story[0], SpyMode.LISTEN, "", "Training")
    outcome = await floor.actions.listening.start(asker(), wish)

    assert (outcome.status, floor.pbx.calls) == (status, [])


async def test_a_call_that_is_over_is_told_to_be_over(floor):
    await floor.tell("7 hangs up")

    assert (await floor.actions.listening.start(asker(), LISTEN)).sentence == "That call is over."


async def test_where_several_talk_in_a_call_one_must_be_named(floor):
    await floor.tell("7 rings 103 in 999, 7 answered 103 in 999")
    floor.projector.floor.state.calls["7"].legs["101"].state = LegState.TALKING
    unnamed = SpyWish("7", SpyMode.LISTEN, "", "Training")
    outcome = await floor.actions.listening.start(asker(), unnamed)
    assert (outcome.status, floor.pbx.calls) == (409, [])
    assert "101, 103" in outcome.sentence

    await floor.actions.listening.start(asker(), replace(unnamed, extension="103"))
    assert floor.pbx.calls == [("spy", "200", "103", "listen", "inbound")]


async def test_a_reason_is_asked_for_unless_the_centre_wants_none(floor):
    wish = SpyWish("7", SpyMode.LISTEN, "101")
    outcome = await floor.actions.listening.start(asker(), wish)
    assert (outcome.status, floor.pbx.calls) == (422, [])

    async with acting(reason_to_listen=False) as other:
        await other.tell(INBOUND)
        assert (await other.actions.listening.start(asker(), wish)).kind is Kind.DONE


async def test_a_listening_ends_with_the_call(floor):
    await floor.actions.listening.start(asker(), LISTEN)
    await floor.tell("7 hangs up")

    assert (await floor.card("101")).listeners == ()


async def test_a_listening_ends_after_half_an_hour(floor):
    await floor.actions.listening.start(asker(), LISTEN)
    floor.pass_s(30 * 60)
    await floor.tell("tick")

    assert (await floor.card("101")).listeners == ()


async def test_what_may_ring_a_phone_is_shown_as_listening_too(floor):
    floor.pbx.fails[""] = PbxError("timeout", "The PBX did not answer.", unknown=True)
    outcome = await floor.actions.listening.start(asker(), LISTEN)

    assert (outcome.kind, outcome.status) == (Kind.UNKNOWN, 504)
    assert (await floor.card("101")).listeners
    assert (await floor.rows())[-1].outcome == "unknown: The PBX did not answer."


async def test_what_the_pbx_refused_is_not_shown(floor):
    floor.pbx.fails[""] = PbxError("refused", "The PBX refused it.")
    outcome = await floor.actions.listening.start(asker(), LISTEN)

    assert (outcome.kind, outcome.status, outcome.sentence) == (
        Kind.FAILED,
        502,
        "The PBX refused it.",
    )
    assert (await floor.card("101")).listeners == ()


async def test_a_pbx_that_says_nothing_gets_an_answer_in_time(floor, monkeypatch):
    monkeypatch.setattr("app.actions.deeds.PBX_S", 0.05)
    floor.pbx.waits_s = 60
    outcome = await floor.actions.listening.start(asker(), LISTEN)

    assert (outcome.kind, outcome.status) == (Kind.UNKNOWN, 504)


async def test_a_slow_disk_gets_an_answer_in_time_as_well(floor, monkeypatch):
    monkeypatch.setattr("app.actions.deeds.ANSWER_S", 0.05)
    floor.pbx.waits_s = 0.1
    outcome = await floor.actions.listening.start(asker(), LISTEN)
    await floor.actions.close()

    assert (outcome.kind, outcome.status) == (Kind.UNKNOWN, 504)
    assert (await floor.rows())[-1].outcome == "done"


async def test_one_can_say_that_one_has_hung_up(floor):
    await floor.actions.listening.start(asker(), LISTEN)
    await floor.caught_up()
    outcome = await floor.actions.listening.end(asker(), "101")

    assert outcome.kind is Kind.DONE
    assert (await floor.card("101")).listeners == ()
    assert (await floor.said())[-1] == ("done", "listen ended")


async def test_whoever_still_listens_stays_on_the_card(floor):
    await floor.actions.listening.start(asker(), LISTEN)
    await floor.caught_up()
    floor.pbx.states = [PhoneState("200", Status.TALK)]
    outcome = await floor.actions.listening.end(asker(), "101")

    assert outcome.status == 409
    assert (await floor.card("101")).listeners


async def test_nobody_ends_what_another_began(floor):
    await floor.actions.listening.start(asker(), LISTEN)
    await floor.caught_up()
    outcome = await floor.actions.listening.end(asker("Eve", 2), "101")

    assert outcome.status == 409
    assert (await floor.card("101")).listeners


async def test_two_supervisors_may_listen_at_once(floor):
    await floor.actions.listening.start(asker(), LISTEN)
    await floor.actions.listening.start(asker("Eve", 2, "201"), LISTEN)
    assert [row[0] for row in (await floor.card("101")).listeners] == ["Ann", "Eve"]

    await floor.tell(ListenEnded(supervisor="Ann", extension="101"))
    assert [row[0] for row in (await floor.card("101")).listeners] == ["Eve"]
