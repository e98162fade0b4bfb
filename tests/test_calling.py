"""Click-to-call: whose phone rings, what may be dialled, and how often."""

import pytest

from app.actions.deeds import Kind
from app.actions.dial_rules import DialRules, plain_number
from app.assembly import policy_of
from app.pbx import PbxError
from app.rights import ACTING, Right, Target
from app.settings import Settings
from tests.acting import acting, asker

pytestmark = pytest.mark.anyio


@pytest.fixture
async def floor():
    async with acting() as made:
        await made.tell("101 on, 5 waits in 999, 5 abandons 999 after 20, 5 hangs up")
        yield made


async def test_calling_an_agent_rings_ones_own_phone_first(floor):
    outcome = await floor.actions.calling.agent(asker(), "101")

    assert (outcome.kind, floor.pbx.calls) == (Kind.DONE, [("dial", "200", "101")])
    assert await floor.said() == [("intent", "call"), ("result", "call")]


async def test_calling_back_marks_the_caller_for_all(floor):
    outcome = await floor.actions.calling.back(asker(), "5")
    await floor.caught_up()
    [row] = floor.projector.floor.abandon_rows()

    assert (outcome.kind, floor.pbx.calls) == (Kind.DONE, [("dial", "200", "0905")])
    assert row.called_back


async def test_a_caller_whom_only_the_worklist_remembers_can_be_called_back(floor):
    known = Target(callid="old", queue="999", phone="0938363739")
    outcome = await floor.actions.calling.back(asker(), "old", known)

    assert (outcome.kind, floor.pbx.calls) == (Kind.DONE, [("dial", "200", "0938363739")])


async def test_a_caller_of_a_queue_out_of_scope_is_not_called_back(floor):
    known = Target(callid="old", queue="999", phone="0938363739")
    outcome = await floor.actions.calling.back(asker(queues=frozenset({"1"})), "old", known)

    assert (outcome.status, floor.pbx.calls) == (403, [])


async def test_the_answer_and_the_audit_do_not_repeat_the_number(floor):
    await floor.tell("6345678 waits in 999, 6345678 abandons 999 after 20, 6345678 hangs up")
    outcome = await floor.actions.calling.back(asker(), "6345678")
    [intent, _] = await floor.rows()

    assert floor.pbx.calls == [("dial", "200", "0906345678")]
    assert "0906345678" not in outcome.sentence
    assert (intent.number_end, intent.queue) == ("678", "999")


async def test_a_pbx_that_refuses_does_not_bring_the_number_into_the_audit_by_its_words(floor):
    words = "The PBX refused: Cannot dial 0906345678: no route"
    floor.pbx.fails[""] = PbxError("refused", words)
    outcome = await floor.actions.calling.back(asker(), "5")
    result = (await floor.rows())[-1]

    assert outcome.sentence == words
    assert result.outcome == "failed: The PBX refused: Cannot dial •••••••678: no route"


async def test_a_call_back_that_failed_leaves_the_caller_to_others(floor):
    floor.pbx.fails[""] = PbxError("refused", "The PBX refused the call.")
    await floor.actions.calling.back(asker(), "5")
    await floor.caught_up()

    assert not floor.projector.floor.abandon_rows()[0].called_back


@pytest.mark.parametrize(
    ("who", "callid", "status"),
    [
        (asker(), "9", 404),
        (asker(extension=""), "5", 409),
        (asker(queues=frozenset({"1"})), "5", 403),
        (asker(rights=ACTING - {Right.CALL}), "5", 403),
    ],
)
async def test_a_refused_call_back_is_noted_and_reaches_no_pbx(floor, who, callid, status):
    outcome = await floor.actions.calling.back(who, callid)

    assert (outcome.status, floor.pbx.calls) == (status, [])
    assert await floor.said() == [("denied", "call back")]


async def test_one_can_not_call_oneself(floor):
    outcome = await floor.actions.calling.agent(asker(extension="101"), "101")

    assert (outcome.status, floor.pbx.calls) == (409, [])


async def test_a_caller_can_not_make_us_dial_an_expensive_number(floor, monkeypatch):
    floor.projector.floor.state.abandons[0].phone = "+88213000000"
    outcome = await floor.actions.calling.back(asker(), "5")

    assert (outcome.status, floor.pbx.calls) == (403, [])
    assert await floor.said() == [("denied", "call back")]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0912 345 678", "0912345678"),
        ("+84 (912) 345-678", "+84912345678"),
        ("0912345678&key=x", ""),
        ("DROP TABLE", ""),
        ("12", ""),
        ("1" * 21, ""),
        ("++84912345678", ""),
        ("٠٩١٢٣٤٥٦٧٨", ""),
        ("", ""),
        ("0912345678\n", "0912345678"),
        ("0912345678/../x", ""),
        ("*31#0912345678", ""),
    ],
)
def test_a_number_is_digits_however_people_write_it(written, number):
    assert plain_number(written) == number


def test_a_centre_may_allow_some_numbers_only():
    rules = policy_of(Settings.from_env({"PITWALL_DIAL_ALLOW": "09, +84"})).dial

    numbers = ("0912345678", "+84912345678", "19001234", "+19005550123", "0212345678")
    assert [rules.allow(each) for each in numbers] == [True, True, False, False, False]
    assert not DialRules(allowed=("+8",)).allow("+88213000000")
    assert not DialRules().allow("+88213000000")


async def test_ten_calls_a_minute_are_enough_for_a_person(floor):
    for _ in range(10):
        assert (await floor.actions.calling.number(asker(), "0912345678")).status == 200
    refused = await floor.actions.calling.number(asker(), "0912345678")
    other = await floor.actions.calling.number(asker("Eve", 2, "201"), "0912345678")

    assert (refused.status, refused.retry_s > 0, other.status) == (429, True, 200)
    assert (await floor.said()).count(("denied", "call")) == 1

    floor.pass_s(60)
    assert (await floor.actions.calling.number(asker(), "0912345678")).status == 200


async def test_a_hundred_calls_an_hour_are_enough_for_the_site(floor):
    for number in range(100):
        caller = asker("Ann", number, "200")
        assert (await floor.actions.calling.number(caller, f"09123{number:05}")).status == 200
    refused = await floor.actions.calling.number(asker("Eve", 1000, "201"), "0912345678")

    assert (refused.status, len(floor.pbx.calls)) == (429, 100)


async def test_an_expensive_number_is_not_dialled_and_it_is_noted(floor):
    outcome = await floor.actions.calling.number(asker(), "+882 13000000")

    assert (outcome.status, floor.pbx.calls) == (403, [])
    assert outcome.sentence.startswith("Numbers like this one")
    assert await floor.said() == [("denied", "call")]


async def test_a_caller_without_a_number_can_not_be_called_back(floor):
    floor.projector.floor.state.abandons[0].phone = ""
    outcome = await floor.actions.calling.back(asker(), "5")

    assert (outcome.status, floor.pbx.calls) == (409, [])


async def test_a_call_starts_from_ones_own_phone(floor):
    mine = await floor.actions.calling.number(asker(), "0912345678", "200")
    foreign = await floor.actions.calling.number(asker(), "0912345678", "101")

    assert (mine.status, foreign.status) == (200, 403)
    assert floor.pbx.calls == [("dial", "200", "0912345678")]
