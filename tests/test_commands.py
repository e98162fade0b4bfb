"""The actions over HTTP: who may, what a form may say, and what the page gets back."""

import re
from datetime import UTC, datetime

import pytest

from app.domain.events import AgentNamed
from app.pbx import PbxError
from app.render import hashed_id
from app.rights import Role
from tests.acting_site import JSON, OURS, open_site

pytestmark = pytest.mark.anyio

LISTEN = {"callid": "7", "extension": "102", "mode": "listen", "reason": "Training"}
PATHS = {
    "/actions/spy": LISTEN,
    "/actions/pause": {"extension": "101"},
    "/actions/resume": {"extension": "101"},
    "/actions/pause-several": {"extension": "101"},
    "/actions/resume-several": {"extension": "101"},
    "/actions/call": {"extension": "101"},
    "/actions/call-back": {"callid": "5"},
}


@pytest.fixture
async def site():
    async with open_site() as made:
        await made.floor.tell(
            "101 on, 102 on, 7 rings 102 in 999, 7 answered 102 in 999",
            "5 waits in 999, 5 abandons 999 after 20, 5 hangs up",
        )
        yield made


@pytest.mark.parametrize(("path", "form"), PATHS.items())
async def test_supervisors_may(site, path, form):
    ann = await site.supervisor()
    answer = await ann.post(path, data=form, headers=OURS)

    assert (answer.status_code, len(site.asked)) == (200, 1)
    assert (await site.audited())[0].kind == "result"


@pytest.mark.parametrize(("path", "form"), PATHS.items())
async def test_viewers_may_not_and_it_is_noted(site, path, form):
    eve = await site.signed_in("eve", Role.VIEWER, extension="201")
    answer = await eve.post(path, data=form, headers=OURS)
    newest = (await site.audited())[0]

    assert (answer.status_code, site.asked) == (403, [])
    assert (newest.kind, newest.actor_name) == ("denied", "eve")


@pytest.mark.parametrize("path", PATHS)
async def test_who_may_not_is_told_nothing_of_the_form(site, path):
    eve = await site.signed_in("eve", Role.VIEWER, extension="201")

    assert (await eve.post(path, data={"nonsense": "1"}, headers=OURS)).status_code == 403


async def test_pages_name_a_call_by_a_digest(site):
    ann = await site.supervisor()
    spied = {**LISTEN, "callid": "", "call": hashed_id("7", "c")}
    assert (await ann.post("/actions/spy", data=spied, headers=OURS)).status_code == 200
    back = {"call": hashed_id("5", "c")}
    assert (await ann.post("/actions/call-back", data=back, headers=OURS)).status_code == 200
    gone = {**LISTEN, "callid": "", "call": hashed_id("6", "c"), "mode": "barge"}
    assert (await ann.post("/actions/spy", data=gone, headers=OURS)).status_code == 404

    assert [call[0] for call in site.asked] == ["spy", "dial"]


@pytest.mark.parametrize(("path", "form"), PATHS.items())
async def test_strangers_are_told_to_sign_in(site, path, form):
    answer = await site.visitor().post(path, data=form, headers=OURS)

    assert (answer.status_code, site.asked) == (401, [])


@pytest.mark.parametrize("path", [*PATHS, "/actions/end-listening"])
async def test_an_address_alone_does_nothing(site, path):
    ann = await site.supervisor()

    assert (await ann.get(path, headers=OURS)).status_code == 405
    assert site.asked == []


@pytest.mark.parametrize("path", [*PATHS, "/actions/end-listening"])
async def test_what_has_no_meaning_is_refused(site, path):
    ann = await site.supervisor()
    form = {**PATHS.get(path, {"extension": "101"}), "src": "999"}
    answer = await ann.post(path, data=form, headers=OURS)

    assert (answer.status_code, site.asked) == (422, [])
    assert "“src”" in answer.text


@pytest.mark.parametrize("path", ["/actions/pause-several", "/actions/resume-several"])
async def test_the_page_gets_a_summary_of_several(site, path):
    ann = await site.supervisor()
    site.floor.pbx.fails["102"] = PbxError("refused", "The PBX refused it.")
    form = {"extension": ["101", "102", "104"]}
    answer = await ann.post(path, data=form, headers=JSON)
    told = answer.json()

    assert re.match(
        r"1 (paused|resumed), 2 failed: 102 — The PBX refused it. 104 — ", told["message"]
    )
    assert [agent for agent, part in told["agents"].items() if part["ok"]] == ["101"]


async def test_several_need_at_least_one_and_not_too_many(site):
    ann = await site.supervisor()
    none = await ann.post("/actions/pause-several", data={"reason": "Lunch"}, headers=OURS)
    many = {"extension": ",".join(str(number) for number in range(301))}
    too_many = await ann.post("/actions/pause-several", data=many, headers=OURS)

    assert (none.status_code, too_many.status_code, site.asked) == (422, 422, [])


async def test_the_answer_is_a_toast_that_escapes(site):
    await site.floor.tell(AgentNamed(extension="101", name="<b>Bob</b>"))
    ann = await site.supervisor()
    answer = await ann.post("/actions/pause", data={"extension": "101"}, headers=OURS)

    assert '<hx-partial hx-target="#toasts" hx-swap="beforeend">' in answer.text
    assert 'data-kind="done"' in answer.text
    assert "&lt;b&gt;Bob&lt;/b&gt; (101) is paused." in answer.text


@pytest.mark.parametrize(
    ("kind", "unknown", "status"),
    [
        ("unreachable", False, 502),
        ("refused", False, 502),
        ("garbage", True, 502),
        ("too_large", True, 502),
        ("redirect", False, 502),
        ("timeout", True, 504),
        ("busy", False, 503),
        ("unconfigured", False, 503),
    ],
)
async def test_trouble_with_the_pbx_has_words_and_a_status(site, kind, unknown, status):
    ann = await site.supervisor()
    site.floor.pbx.fails[""] = PbxError(kind, "It is so.", unknown=unknown)
    answer = await ann.post("/actions/pause", data={"extension": "101"}, headers=JSON)

    assert answer.status_code == status
    assert answer.json()["message"] == "It is so."
    assert answer.json()["result"] == ("unknown" if unknown else "failed")


async def test_too_many_calls_are_told_when_to_try_again(site):
    ann = await site.supervisor()
    for _ in range(10):
        await ann.post("/actions/call", data={"phone": "0912345678"}, headers=OURS)
    answer = await ann.post("/actions/call", data={"phone": "0912345678"}, headers=OURS)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 61
    assert len(site.asked) == 1


async def test_a_right_that_was_taken_is_gone_with_the_next_click(site):
    ann = await site.supervisor()
    account = site.access.accounts.named("ann")
    await site.access.accounts.change(account.user_id, rights=frozenset())
    answer = await ann.post("/actions/spy", data=LISTEN, headers=OURS)

    assert (answer.status_code, site.asked) == (403, [])


async def test_a_listening_is_ended_by_its_supervisor(site):
    ann = await site.supervisor()
    await ann.post("/actions/spy", data=LISTEN, headers=OURS)
    assert (await site.card("102")).listeners
    answer = await ann.post("/actions/end-listening", data={"extension": "102"}, headers=OURS)

    assert (answer.status_code, (await site.card("102")).listeners) == (200, ())


# What a pause form may say


async def paused(site, **form):
    ann = await site.supervisor()
    answer = await ann.post("/actions/pause", data={"extension": "101", **form}, headers=OURS)
    card = await site.card("101")
    return answer.status_code, card.pause_reason, card.pause_until


async def test_a_pause_has_a_reason_and_a_planned_end(site):
    told = await paused(site, reason="Meeting", note="  with  the  team ", minutes="15")

    assert told == (200, "Meeting: with the team", site.now + 15 * 60_000)


async def test_a_planned_end_may_be_a_time_of_the_day(site):
    # It is 08:00 UTC: 07:30 is tomorrow's.
    status, _, until = await paused(site, until="07:30")
    end = datetime.fromtimestamp(until / 1000, UTC)

    assert (status, end.strftime("%H:%M")) == (200, "07:30")
    assert site.now < until <= site.now + 86_400_000


@pytest.mark.parametrize(
    "form",
    [
        {"minutes": "0"},
        {"minutes": "1441"},
        {"minutes": "-5"},
        {"minutes": "1e3"},
        {"minutes": "٣"},
        {"until": "25:00"},
        {"until": "7.30"},
        {"until": "07:30", "minutes": "5"},
        {"when": "later"},
        {"reason": "x" * 201},
        {"reason": "x" * 150, "note": "x" * 60},
        {"reason": "a\x00b"},
        {"reason": "a‮b"},
    ],
)
async def test_an_odd_pause_is_refused(site, form):
    status, _, _ = await paused(site, **form)

    assert (status, site.asked) == (422, [])


async def test_a_pause_may_wait_for_the_call(site):
    ann = await site.supervisor()
    form = {"extension": "102", "when": "after", "reason": "Lunch"}
    answer = await ann.post("/actions/pause", data=form, headers=OURS)

    assert (answer.status_code, site.asked) == (200, [])
    assert (await site.card("102")).pause_wanted
