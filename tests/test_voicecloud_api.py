"""What supervisors ask of the PBX, over real sockets: dial, spy, pause."""

from itertools import product

import pytest

from app.domain.states import Direction
from app.pbx import SpyMode
from app.pbx.unconfigured import UnconfiguredPbx
from app.pbx.voicecloud_api import SPY_WORDS
from tests.fake_pbx import running_pbx
from tests.pbx_client import KEY, TODAY, client_of, failure_of, pbx_and_client

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("mode", "direction", "word"),
    [
        ("listen", "inbound", "whisper"),
        ("listen", "outbound", "whisper"),
        ("listen", None, "whisper"),
        ("whisper", "inbound", "callee"),
        ("whisper", "outbound", "caller"),
        ("barge", "inbound", "threeway"),
        ("barge", "outbound", "threeway"),
        ("barge", None, "threeway"),
        ("customer", "inbound", "caller"),
        ("customer", "outbound", "callee"),
    ],
)
async def test_the_words_on_the_buttons_become_the_vendors_modes(mode, direction, word):
    async with pbx_and_client() as (pbx, client):
        await client.spy("100", "101", SpyMode(mode), Direction(direction) if direction else None)

    assert pbx.got == [("spy", {"key": KEY, "src": "100", "dst": "101", "mode": word})]


@pytest.mark.parametrize("mode", [SpyMode.WHISPER, SpyMode.CUSTOMER])
async def test_nobody_is_heard_by_the_wrong_side_when_the_direction_is_unknown(mode):
    async with pbx_and_client() as (pbx, client):
        failure = await failure_of(client.spy("100", "101", mode, None))

    assert failure.kind == "refused"
    assert pbx.got == []


async def test_a_call_is_placed_by_a_path_whose_parts_are_encoded():
    async with pbx_and_client(replies={"dial": "Success\n"}) as (pbx, client):
        await client.dial("101", "+84 (0)9#1")

    path = "/api/CallControl/dial/from_number/101/to_number/%2B84%20%280%299%231"
    assert pbx.got == [("dial", f"{path}/key/k%2F1%2B2%20%25%C3%BC%3D%3D/domain/acme.example")]


@pytest.mark.parametrize("number", ["", " ", ".", "..", "../../spy", "9?x=1", "9\n9", "1" * 65])
async def test_what_is_no_number_is_not_dialled(number):
    async with pbx_and_client() as (pbx, client):
        by_phone = await failure_of(client.dial("101", number))
        by_extension = await failure_of(client.dial(number, "0901234567"))

    assert "can't be dialled" in str(by_phone)
    assert "can't be dialled" in str(by_extension)
    assert pbx.got == []


@pytest.mark.parametrize(
    "reply",
    [
        "Success",
        "success.",
        '"Success"',
        '{"status":"Success"}',
        '{"status":true,"message":"ok"}',
        '{"response":{"result":true}}',
    ],
)
async def test_a_call_counts_as_placed_when_the_pbx_says_success(reply):
    async with pbx_and_client(replies={"dial": reply}) as (_, client):
        await client.dial("101", "0901234567")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("Failed: no such extension", "“Failed: no such extension”"),
        ("Success is not certain", "“Success is not certain”"),
        ("false", "“false”"),
        ('{"status":true,"message":"Extension not registered"}', "“Extension not registered”"),
        ('{"status":"ok"}', "“{"),
        ("Queued", "“Queued”"),
        ('{"result":"ok"}', "“{"),
        ('{"success":false,"message":"Success"}', "“Success”"),
        ("E" * 300, "E" * 119 + "…”"),
        ("no key k/1+2 %ü== here", "“no key *** here”"),
        ("", "is unknown"),
        ("<html>Success</html>", "is unknown"),
    ],
)
async def test_any_other_answer_to_a_call_is_shown_as_a_failure(reply, words):
    async with pbx_and_client(replies={"dial": reply}) as (_, client):
        failure = await failure_of(client.dial("101", "0901234567"))

    assert words in str(failure)


async def test_a_call_needs_the_companys_domain():
    async with running_pbx() as pbx, client_of(pbx.url, domain="") as client:
        failure = await failure_of(client.dial("101", "0901234567"))

    assert failure.kind == "unconfigured"
    assert "PITWALL_PBX_DOMAIN" in str(failure)
    assert pbx.got == []


@pytest.mark.parametrize(("paused", "word"), [(True, "1"), (False, "0")])
async def test_pause_and_unpause_are_one_and_nought(paused, word):
    async with pbx_and_client() as (pbx, client):
        await client.pause("101", paused)

    assert pbx.got == [("update_status", {"key": KEY, "exten": "101", "status": word})]


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "OK",
        "Success",
        "1",
        "true",
        "Agent unpaused successfully",
        {},
        [],
        {"result": "success", "exten": "101", "paused": "0"},
        {"exten": "101", "status": "0"},
        {"code": 0},
        {"code": "200", "error": ""},
        {"success": 1, "error": None, "message": "0 errors"},
        {"success": True, "message": "not needed, already paused"},
        [{"status": "ok"}],
    ],
)
async def test_an_answer_that_complains_of_nothing_is_a_yes(reply):
    async with pbx_and_client(replies={"": reply}) as (_, client):
        await client.pause("101", True)

    assert client.unreadable == ()


@pytest.mark.parametrize(
    "reply",
    [
        "ERROR",
        "false",
        "Extension not found",
        "Sai mật khẩu",
        {"success": False},
        {"success": "0"},
        {"Success": "false"},
        {"status": "error"},
        {"status": False, "error": "Unknown method"},
        {"status": 404},
        {"result": "Failed"},
        {"error": "no such agent"},
        {"errors": ["x"]},
        {"code": 7},
        {"code": "-1"},
        {"error_code": "E12"},
        {"message": "Invalid key"},
        {"result": {"success": "no"}},
        {"data": [{"status": "fail", "exten": "101"}]},
        {"status": "success", "error": "no such agent"},
    ],
)
async def test_a_complaint_with_http_200_is_a_failure(reply):
    async with pbx_and_client(replies={"": reply}) as (_, client):
        failure = await failure_of(client.pause("101", True))

    assert failure.kind == "refused"
    assert not failure.unknown


async def test_the_pbxs_own_words_say_why():
    reply = {"result": "error", "message": "extension 101 is\nnot registered"}
    async with pbx_and_client(replies={"": reply}, status=400) as (_, client):
        failure = await failure_of(client.spy("100", "101", SpyMode.LISTEN, None))

    assert str(failure) == "The PBX refused (HTTP 400): “extension 101 is not registered”."
    assert client.unreadable == ()


async def test_a_refusal_without_words_is_shown_to_the_administrator():
    async with pbx_and_client(replies={"": "<h1>404</h1>"}, status=404) as (_, client):
        failure = await failure_of(client.pause("101", True))

    assert str(failure) == "The PBX refused (HTTP 404) and does not say why."
    assert [each.reason for each in client.unreadable] == ["HTTP 404"]


async def test_an_answer_that_says_neither_yes_nor_no_leaves_it_unknown():
    async with pbx_and_client(replies={"": "<br /><b>Notice</b>: Undefined"}) as (_, client):
        failure = await failure_of(client.pause("101", True))

    assert (failure.kind, failure.unknown) == ("garbage", True)
    assert str(failure).endswith("whether the agent is paused is unknown.")
    assert client.unreadable[0].sample == "<br /><b>Notice</b>: Undefined"


@pytest.mark.parametrize("reply", [{"success": False, "message": "Invalid key"}, "Invalid key"])
async def test_a_question_may_be_refused_with_http_200(reply):
    async with pbx_and_client(replies={"": reply}) as (_, client):
        failure = await failure_of(client.members())

    assert str(failure) == "The PBX refused: “Invalid key”."


@pytest.mark.parametrize("url", ["ftp://pbx", "pbx", "", "http://", "http://a:b@pbx", "http://[x"])
async def test_an_address_that_is_none_is_said_to_be_wrong(url):
    async with client_of(url) as client:
        failure = await failure_of(client.members())

    assert failure.kind == "unconfigured"


async def test_a_base_address_may_have_a_path():
    async with running_pbx() as pbx, client_of(f"{pbx.url}/acme") as client:
        await client.pause("101", True)

    assert pbx.got[0][0] == "update_status"


async def test_the_list_of_unreadable_answers_is_bounded():
    async with pbx_and_client() as (pbx, client):
        for number in range(30):
            pbx.replies[""] = f"nonsense {number} " + "x" * 1000
            await failure_of(client.members())

    assert len(client.unreadable) == 20
    assert client.unreadable[-1].sample.startswith("nonsense 29")
    assert {len(each.sample) for each in client.unreadable} == {500}


async def test_no_connection_is_used_twice():
    peers = []

    async def note(pbx, request, key):
        peers.append(request.transport.get_extra_info("peername"))
        return pbx.reply("")

    async with pbx_and_client(fault=note) as (_, client):
        for _ in range(2):
            await client.pause("101", True)

    assert len(set(peers)) == 2


@pytest.mark.parametrize(("length", "shown"), [(500, "x" * 500), (501, f"{'x' * 499}…")])
async def test_only_what_is_too_long_to_show_is_cut(length, shown):
    async with pbx_and_client(replies={"": "x" * length}) as (_, client):
        await failure_of(client.members())

    assert client.unreadable[0].sample == shown


async def test_without_a_pbx_every_action_says_what_to_set():
    pbx = UnconfiguredPbx()
    actions = [
        pbx.dial("101", "1"),
        pbx.phones(["101"]),
        pbx.spy("100", "101", SpyMode.LISTEN, None),
        pbx.members(),
        pbx.pause("101", True),
        pbx.records(TODAY, TODAY),
        pbx.test_connection(),
    ]
    failures = [await failure_of(action) for action in actions]
    await pbx.close()

    assert {failure.kind for failure in failures} == {"unconfigured"}
    assert all("PITWALL_PBX_URL" in str(failure) for failure in failures)
    assert pbx.unreadable == ()


def test_each_side_of_a_call_hears_exactly_whom_the_button_says():
    assert set(SPY_WORDS) == set(SpyMode)
    for mode, direction in product(SpyMode, Direction):
        agent_is = "callee" if direction is Direction.INBOUND else "caller"
        customer_is = "caller" if direction is Direction.INBOUND else "callee"
        heard_by = {"whisper": agent_is, "customer": customer_is}
        assert SPY_WORDS[mode][direction] == heard_by.get(
            mode, {"listen": "whisper", "barge": "threeway"}.get(mode)
        )
