"""The undocumented answers of the PBX, read in every obvious shape."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from app.domain.states import Status
from app.pbx import Member, PhoneState
from app.pbx.call_records import records_in
from app.pbx.exchange import Patience
from app.pbx.reading import parse
from app.pbx.verdict import Verdict, judge_action
from tests.fake_pbx import running_pbx
from tests.pbx_client import KEY, RECORD, TODAY, client_of, failure_of, pbx_and_client

pytestmark = pytest.mark.anyio
ON, TALK, RING, OFF, PAUSE = Status.ON, Status.TALK, Status.RING, Status.OFF, Status.PAUSE


@pytest.mark.parametrize(
    "reply",
    [
        [{"ext": "101", "status": "idle"}, {"ext": "102", "status": "busy", "paused": 1}],
        {
            "result": [
                {"ext": "101", "status": "idle"},
                {"exten": 102, "state": "InUse", "pause": 1},
            ]
        },
        {
            "data": {
                "list": [{"extension": "101", "state": "on"}, {"number": "102", "status": "talk"}]
            }
        },
        {
            "code": 0,
            "Data": [{"Ext": "101", "Status": "Registered"}, {"EXT": "102", "Status": "BUSY"}],
        },
        {"101": "idle", "102": "In use"},
        {"101": {"status": "available"}, "102": {"state": "incall", "paused": "yes"}},
        {"result": {"101": {"status": "not_inuse"}, "102": {"status": "talking"}}, "status": True},
        [{"101": "idle"}, {"102": "busy"}],
        {
            "members": [
                {"member": "SIP/101", "state": "idle"},
                {"member": "PJSIP/102", "state": "talk"},
            ]
        },
        {"x": {"y": {"z": [{"ext": "101", "status": "on"}, {"ext": "102", "status": "talk"}]}}},
    ],
)
async def test_phone_states_are_read_in_any_obvious_shape(reply):
    async with pbx_and_client(replies={"status": reply}) as (_, client):
        states = await client.phones(["101", "102"])

    assert [(each.extension, each.status) for each in states] == [("101", ON), ("102", TALK)]
    assert client.unreadable == ()


async def test_phones_are_asked_for_as_the_contract_says():
    async with pbx_and_client(replies={"": [{"ext": "100", "status": "on"}]}) as (pbx, client):
        await client.phones(["100", "200"])

    assert pbx.got == [("status", {"key": KEY, "list": [{"ext": "100"}, {"ext": "200"}]})]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("off offline Unavailable unregistered UNREACHABLE", OFF),
        ("on online idle available registered not_inuse NOT_INUSE Not-In-Use", ON),
        ("talk inuse busy incall talking in_use", TALK),
        ("ring ringing Ringing", RING),
        ("pause paused", PAUSE),
        ("0 1 7 lunch unknown dnd true", None),
    ],
)
async def test_words_for_a_status_are_known_and_others_are_not_guessed(words, status):
    for word in words.split():
        async with pbx_and_client(replies={"": [{"ext": "101", "status": word}]}) as (_, client):
            assert [each.status for each in await client.phones(["101"])] == [status]


async def test_a_status_that_nobody_knows_is_shown_to_the_administrator():
    async with pbx_and_client(replies={"": [{"ext": "101", "status": "lunch"}]}) as (_, client):
        await client.phones(["101"])
        await client.phones(["101"])

    assert [(each.call, each.times) for each in client.unreadable] == [("status", 2)]
    assert "lunch" in client.unreadable[0].sample


@pytest.mark.parametrize(
    ("fields", "paused"),
    [
        ({"paused": 1}, True),
        ({"paused": "1"}, True),
        ({"pause": True}, True),
        ({"paused": "yes"}, True),
        ({"paused": 0}, False),
        ({"pause": "false"}, False),
        ({"paused": ""}, None),
        ({"paused": "perhaps"}, None),
        ({}, None),
        ({"status": "paused"}, True),
    ],
)
async def test_pause_is_read_from_numbers_words_and_truths(fields, paused):
    reply = [{"ext": "101", "status": "on", **fields}]
    async with pbx_and_client(replies={"": reply}) as (_, client):
        assert [each.paused for each in await client.phones(["101"])] == [paused]


async def test_parts_of_an_answer_that_disagree_tell_nothing():
    reply = [{"ext": "1", "status": "on", "paused": 1}, {"ext": "1", "status": "on", "paused": 0}]
    async with pbx_and_client(replies={"": reply}) as (_, client):
        assert await client.phones(["1"]) == [PhoneState("1", ON, None)]


async def test_phones_that_were_not_asked_for_are_left_out():
    reply = [{"ext": "101", "status": "on"}, {"ext": "999", "status": "on"}]
    async with pbx_and_client(replies={"": reply}) as (_, client):
        assert await client.phones(["101", "102"]) == [PhoneState("101", ON)]


async def test_no_phones_are_asked_for_without_a_request():
    async with pbx_and_client() as (pbx, client):
        assert await client.phones([]) == []

    assert pbx.got == []


@pytest.mark.parametrize(
    "reply",
    [
        [{"ext": "1", "queue": "900"}, {"ext": "2", "queue": "900"}, {"ext": "1", "queue": "901"}],
        {"result": [{"exten": 1, "queue_name": "900,901"}, {"exten": 2, "queue_name": 900}]},
        {
            "data": [
                {"extension": "1", "queues": ["900", "901"]},
                {"extension": "2", "queue": "900"},
            ]
        },
        {"900": ["1", "2"], "901": [1]},
        {"900": [{"ext": "1"}, {"ext": "2"}], "901": [{"ext": "1"}]},
        {"900": {"1": {"paused": "0"}, "2": {"status": "on"}}, "901": {"1": {"pause": 0}}},
        [{"queue": "900", "members": ["1", "2"]}, {"queue": "901", "members": ["1"]}],
        [
            {"queue": "900", "members": [{"member": "Local/1@from-queue/n"}, {"member": "SIP/2"}]},
            {"queue": "901", "members": [{"number": "1", "name": "Ann"}]},
        ],
        {"1": {"queue": ["900", "901"]}, "2": {"queue_name": "900"}},
    ],
)
async def test_queue_members_are_read_in_any_obvious_shape(reply):
    async with pbx_and_client(replies={"all_members": reply}) as (pbx, client):
        members = await client.members()

    assert [(m.extension, m.queues) for m in members] == [("1", ("900", "901")), ("2", ("900",))]
    assert pbx.got == [("all_members", {"key": KEY})]


async def test_a_member_has_a_pause_and_a_status_where_the_pbx_tells():
    reply = {"result": [{"queue": "9", "ext": "1", "paused": "1", "status": "busy"}]}
    async with pbx_and_client(replies={"": reply}) as (_, client):
        assert await client.members() == [Member("1", ("9",), True, TALK)]


async def test_a_queue_whose_name_can_not_be_shown_is_none():
    queues = ["900", "\u202e009", "x" * 65, "x" * 64]
    async with pbx_and_client(replies={"": [{"ext": "1", "queue": queues}]}) as (_, client):
        [member] = await client.members()

    assert member.queues == ("900", "x" * 64)


async def test_what_a_later_queue_says_of_itself_refuses_nothing():
    reply = [{"queue": "900", "members": ["1"]}, {"queue": "901", "error": "empty"}]
    async with pbx_and_client(replies={"": reply}) as (_, client):
        assert await client.members() == [Member("1", ("900",), None, None)]


@pytest.mark.parametrize("reply", [[], {"result": []}, {"status": True, "data": {"list": []}}])
async def test_an_empty_list_is_an_answer(reply):
    async with pbx_and_client(replies={"": reply}) as (_, client):
        assert await client.members() == []
        assert await client.records(TODAY, TODAY) == []


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "null",
        "OK",
        {},
        {"foo": [{"bar": 1}]},
        {"data": [], "result": {"bar": 1}},
        [["Ann", "Bob"]],
        {"result": "success"},
        "<html>Sign in</html>",
        '{"result":NaN}',
        "[" * 100_000,
        '{"data":' * 500 + "1" + "}" * 500,
    ],
)
async def test_an_answer_without_an_answer_changes_nothing_and_is_kept(reply):
    async with pbx_and_client(replies={"": reply}) as (_, client):
        failures = [
            await failure_of(client.members()),
            await failure_of(client.phones(["101"])),
            await failure_of(client.records(TODAY, TODAY)),
        ]

    assert [(each.kind, each.unknown) for each in failures] == [("garbage", False)] * 3
    assert all("it changed nothing" in str(each) for each in failures)
    assert [each.call for each in client.unreadable] == ["all_members", "status", "cdr"]


async def test_call_records_become_events_by_the_rules_of_the_webhooks():
    outbound = {**RECORD, "direction": "Outbound", "callerid": "101", "destination": "0901234567"}
    reply = {"result": [RECORD, outbound]}
    async with pbx_and_client(replies={"cdr": reply}) as (pbx, client):
        inbound_call, outbound_call = await client.records(date(2023, 11, 13), TODAY, "c-1")

    question = {"key": KEY, "startdate": "2023-11-13", "enddate": "2023-11-14", "callid": "c-1"}
    assert pbx.got == [("cdr", question)]
    assert (inbound_call.extension, inbound_call.phone) == ("101", "0901234567")
    assert (outbound_call.extension, outbound_call.phone) == ("101", "0901234567")
    assert (inbound_call.direction, outbound_call.direction) == ("inbound", "outbound")
    assert (inbound_call.duration, inbound_call.billsec, inbound_call.status) == (50, 37, "ANSWER")
    assert inbound_call.started == 1_699_948_800_000
    assert inbound_call.recording == RECORD["recordingpath"]
    assert inbound_call.flags == ()


async def test_a_failed_call_in_the_records_is_no_failure_to_answer():
    reply = {"result": {"data": {**RECORD, "status": "FAILED", "destination": "IVR (main)"}}}
    async with pbx_and_client(replies={"": reply}) as (_, client):
        records = await client.records(TODAY, TODAY)

    assert [(each.status, each.extension) for each in records] == [("FAILED", "")]


async def test_records_that_can_not_be_read_do_not_hide_the_others():
    odd = [{**RECORD, "callid": "<script>"}, {**RECORD, "status": ""}, {"callid": None}]
    async with pbx_and_client(replies={"": [*odd, RECORD]}) as (_, client):
        records = await client.records(TODAY, TODAY)

    assert [each.callid for each in records] == ["c-1"]
    assert [each.call for each in client.unreadable] == ["cdr"]


async def test_a_busy_day_of_records_is_longer_than_other_answers_may_be():
    rows = [{**RECORD, "callid": f"c-{number}"} for number in range(2_000)]
    patience = Patience(total_s=5)
    async with (
        running_pbx(replies={"": {"result": rows}}) as pbx,
        client_of(pbx.url, patience=patience) as client,
    ):
        records = await client.records(TODAY, TODAY)
        failure = await failure_of(client.members())

    assert len(records) == 2_000
    assert failure.kind == "too_large"


def test_the_zeros_of_a_call_id_that_is_a_number_are_kept() -> None:
    text = '[{"callid": 1700000000.10, "status": "ANSWERED", "duration": 61}]'
    [record], unreadable = records_in(parse(text), 1_700_000_100_000, ZoneInfo("UTC"))

    assert (record.callid, record.duration, unreadable) == ("1700000000.10", 61, 0)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (" " * 10_000 + "error: no such extension" + " -" * 50_000, Verdict.REFUSED),
        ("- " * 50_000 + "error", Verdict.UNCLEAR),
    ],
)
def test_of_a_long_answer_the_beginning_is_read_for_words(text: str, verdict: Verdict) -> None:
    assert judge_action(text).verdict is verdict
