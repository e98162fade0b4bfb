"""Agents, queues, webhook address, API tokens, PBX and drift: for administrators, and audited."""

import html
import re
from dataclasses import replace

import pytest
from starlette.routing import Route

from app.access.walls import Display
from app.domain.events import (
    AgentNamed,
    CallAbandoned,
    CallAnswered,
    CallRinging,
    PbxAsked,
    PhoneReported,
    PhoneVerified,
    QueueNamed,
    Tick,
)
from app.log import LogUnavailable
from app.pbx import Finding, Unreadable
from app.pbx.unconfigured import UnconfiguredPbx
from app.rights import Role
from app.web.admin import ROUTES
from app.web.admin.attention import concerns
from app.web.admin.roster import read_lines
from tests.admin_site import KEY, SETTINGS, opened
from tests.site import OURS, PUBLIC, found

pytestmark = pytest.mark.anyio


def paths_of(method):
    routes = [route for route in ROUTES if isinstance(route, Route)]
    return sorted(route.path for route in routes if method in (route.methods or ()))


GETS, POSTS = paths_of("GET"), paths_of("POST")
FORMS = {
    "/admin/agents": {"extension": "101", "name": "Evil"},
    "/admin/queues": {"queue": "999", "name": "Evil"},
    "/admin/webhooks": {"rotate": "1"},
    "/admin/tokens": {"name": "Evil"},
    "/admin/pbx": {"pbx_url": "https://evil.example"},
    "/admin/alarms": {"rule": "1", "do": "remove"},
    "/admin/channels": {"channel": "1", "do": "remove"},
}


@pytest.fixture
async def site(tmp_path):
    async with opened(str(tmp_path / "test.db")) as made:
        yield made


@pytest.fixture
async def boss(site):
    return await site.signed_in("boss", Role.ADMIN)


async def post(visitor, path, **fields):
    return await visitor.post(path, data=fields, headers=OURS)


async def reasons(site, action):
    return [row.reason for row in await site.audited() if row.action == action]


# Who may


def test_every_post_has_a_form_to_try():
    assert set(POSTS) == set(FORMS)


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPERVISOR, None])
async def test_only_administrators_see_the_pages(site, path, role):
    await site.happen(AgentNamed(extension="101", name="Hidden"))
    visitor = site.visitor() if role is None else await site.signed_in("x", role)
    answer = await visitor.get(path)

    assert answer.status_code == (303 if role is None else 403)
    assert "Hidden" not in answer.text


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPERVISOR, None])
async def test_only_administrators_change_anything(site, path, role):
    await site.happen(AgentNamed(extension="101"), QueueNamed(queue="999"))
    visitor = site.visitor() if role is None else await site.signed_in("x", role)
    before, token = site.log.last_seq, site.tokens.previous
    answer = await post(visitor, path, **FORMS[path])

    assert answer.status_code == (401 if role is None else 403)
    assert (site.log.last_seq, site.tokens.previous) == (before, token)
    assert site.access.tokens.all() == []
    assert site.pbx.tests == 0
    if role:
        assert (await site.audited())[0].kind == "denied"


@pytest.mark.parametrize("path", GETS)
async def test_a_wall_sees_none_of_the_pages(site, path):
    secret, pairing = site.access.pairings.begin("192.0.2.9")
    await site.access.pairings.approve(pairing.code, Display("Wall"), "boss")
    wall = site.visitor()
    wall.cookies.set("__Host-wall", site.access.pairings.collect(secret))

    assert (await wall.get(path)).status_code in (303, 403)


@pytest.mark.parametrize("path", POSTS)
async def test_a_change_asks_for_the_password_after_ten_minutes(site, boss, path):
    site.now += 11 * 60_000
    before = site.log.last_seq
    answer = await post(boss, path, **FORMS[path])

    assert answer.status_code == 403
    assert answer.headers["HX-Redirect"] == f"/confirm?next={path}"
    assert site.log.last_seq == before
    assert site.pbx.tests == 0


async def test_a_page_says_beforehand_that_the_password_will_be_asked_for(site, boss):
    fresh = await boss.get("/admin/agents")
    site.now += 11 * 60_000

    assert "/confirm?next=" not in fresh.text
    assert "/confirm?next=/admin/agents" in (await boss.get("/admin/agents")).text


@pytest.mark.parametrize("path", POSTS)
async def test_a_form_of_another_site_is_refused(site, boss, path):
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    answer = await boss.post(path, data=FORMS[path], headers=headers)

    assert answer.status_code == 403


# Agents


async def test_a_name_is_on_the_floor_and_in_the_audit(site, boss):
    await site.happen(PhoneReported(extension="101", status="on"))
    answer = await post(boss, "/admin/agents", extension="101", name="Nguyễn Ánh", team="Sales")
    card = site.parts.floor.agent_card("101")

    assert answer.status_code == 200
    assert (card.name, card.team, card.status) == ("Nguyễn Ánh", "Sales", "on")
    assert "Saved: 101" in answer.text
    row = (await site.audited())[0]
    assert (row.action, row.extension, row.agent_name) == ("describe agent", "101", "Nguyễn Ánh")
    assert row.reason == "name “Nguyễn Ánh”, team “Sales”"


async def test_what_a_form_does_not_say_stays(site, boss):
    await site.happen(AgentNamed(extension="101", name="Ann", team="A", never_listen=True))
    await post(boss, "/admin/agents", extension="101", name="Anna")
    card = site.parts.floor.agent_card("101")

    assert (card.name, card.team, card.never_listen) == ("Anna", "A", True)


async def test_the_never_listen_mark_is_set_and_taken_away(site, boss):
    await site.happen(AgentNamed(extension="101"))
    await boss.post(
        "/admin/agents", data={"extension": "101", "never_listen": ["0", "1"]}, headers=OURS
    )
    marked = site.parts.floor.agent_card("101").never_listen
    await post(boss, "/admin/agents", extension="101", never_listen="0")

    assert marked
    assert not site.parts.floor.agent_card("101").never_listen
    assert await reasons(site, "describe agent") == [
        "may be listened to",
        "may not be listened to",
    ]


async def test_an_agent_is_added_in_advance(site, boss):
    answer = await post(boss, "/admin/agents", extension=" 205 ", name="New")

    assert "Added: 205" in answer.text
    assert site.parts.floor.agent_card("205").status == "off"


async def test_saving_what_is_there_changes_nothing(site, boss):
    await site.happen(AgentNamed(extension="101", name="Ann"))
    before = site.log.last_seq
    answer = await post(boss, "/admin/agents", extension="101", name="Ann", team="")

    assert "Nothing was different" in answer.text
    assert site.log.last_seq == before
    assert await reasons(site, "describe agent") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"extension": "", "name": "x"},
        {"extension": "1 2", "name": "x"},
        {"extension": "../etc", "name": "x"},
        {"extension": "101", "name": "\u202egnp.exe"},
        {"extension": "101", "name": "x" * 65},
        {"extension": "101", "name": "a\x00b"},
        {"extension": "101", "team": "\u3164"},
    ],
)
async def test_what_can_not_be_a_name_or_extension_is_refused_in_words(site, boss, fields):
    before = site.log.last_seq
    answer = await post(boss, "/admin/agents", **fields)

    assert answer.status_code == 422
    assert re.search(r'role="alert">(An extension|A name|A team) has', answer.text)
    assert site.log.last_seq == before


async def test_a_script_as_a_name_is_only_text(site, boss):
    answer = await post(boss, "/admin/agents", extension="101", name="<script>alert(1)</script>")

    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


async def test_pasted_lines_name_agents_and_add_new_ones(site, boss):
    await site.happen(AgentNamed(extension="102", name="Bob", team="Old", never_listen=True))
    lines = "ext;name;team\r\n101;Ann;Sales\r\n\r\n102\tBobby\n 103 ; Cy ; Sales ; never\n"
    answer = await post(boss, "/admin/agents", do="import", lines=lines)
    cards = {card.extension: card for card in site.parts.floor.agent_cards()}

    assert "3 lines were read, 3 agents changed." in answer.text
    assert (cards["101"].name, cards["101"].team) == ("Ann", "Sales")
    assert (cards["102"].name, cards["102"].team, cards["102"].never_listen) == (
        "Bobby",
        "Old",
        True,
    )
    assert cards["103"].never_listen
    assert len(await reasons(site, "describe agent")) == 3


async def test_one_bad_line_and_nothing_is_saved_and_nothing_lost(site, boss):
    before = site.log.last_seq
    lines = "101;Ann\n1 2;Bob\n101;Again\n104;Dee;x;perhaps\n105;a;b;never;c"
    answer = await post(boss, "/admin/agents", do="import", lines=lines)
    text = html.unescape(answer.text)

    assert answer.status_code == 422
    assert "Nothing was saved: 4 lines can't be read." in text
    assert "<b>Line 2</b>" in text
    assert "Extension 101 is in line 1 already." in text
    assert "The fourth part is “never”, “may” or empty." in text
    assert "There are 5 parts" in text
    assert lines in text
    assert site.log.last_seq == before


async def test_the_text_on_the_page_can_be_pasted_back(site, boss):
    await site.happen(
        AgentNamed(extension="101", name="Ann; the first", team="A"),
        AgentNamed(extension="102", name="Bob", never_listen=True),
    )
    page = (await boss.get("/admin/agents")).text
    text = html.unescape(found(r"(?s)<textarea[^>]*>\n(.*?)</textarea>", page))
    described, bad = read_lines(text)

    assert text == "101;Ann, the first;A\n102;Bob;;never"
    assert bad == []
    assert [(one.extension, one.never_listen) for one in described] == [
        ("101", None),
        ("102", True),
    ]


async def test_a_large_list_is_one_row_in_the_audit_and_one_for_each_mark(site, boss):
    lines = "\n".join(f"{n};Agent {n};T{';never' if n == 1100 else ''}" for n in range(1000, 1500))
    answer = await post(boss, "/admin/agents", do="import", lines=lines)

    assert answer.status_code == 200
    assert len(site.parts.floor.state.agents) == 500
    assert await reasons(site, "import agents") == ["500 agents"]
    assert len(await reasons(site, "describe agent")) == 1


async def test_there_is_an_end_to_how_many_agents_can_be_added(site, boss):
    lines = "\n".join(str(n) for n in range(3000, 5001))
    answer = await post(boss, "/admin/agents", do="import", lines=lines)

    assert answer.status_code == 422
    assert site.parts.floor.state.agents == {}


# Queues


async def day_of(site, queue="999"):
    """Four calls: answered after 10 s and 30 s, abandoned after 3 s and 15 s."""
    for callid, wait in (("a", 10), ("b", 30)):
        await site.happen(CallRinging(callid=callid, extension="101", queue=queue))
        site.now += wait * 1000
        await site.happen(CallAnswered(callid=callid, extension="101", queue=queue))
    for callid, wait in (("c", 3), ("d", 15)):
        await site.happen(CallAbandoned(callid=callid, queue=queue, holdtime=wait))


async def test_every_variant_is_shown_with_formula_and_todays_figure(site, boss):
    await day_of(site)
    page = html.unescape((await boss.get("/admin/queues")).text)
    figures = dict(
        re.findall(r"<code>(\w+)</code></th><td>.*?</td><td class=\"number\">([\d.–]+)", page)
    )

    assert figures == {
        "short_ignored": "33.3",
        "offered": "25.0",
        "answered": "50.0",
        "abandon_positive": "75.0",
    }
    assert "answered within T ÷ (answered + abandoned" in page


async def test_the_effect_of_other_limits_is_shown_before_they_are_saved(site, boss):
    await day_of(site)
    asked = {"queue": "999", "service_level_s": "30", "short_abandon_s": "0"}
    page = (await boss.get("/admin/queues/effect", params=asked)).text

    assert ">50.0" in page
    assert site.parts.floor.state.queues["999"].service_level_s == 20


async def test_a_queues_settings_are_on_the_floor_and_in_the_audit(site, boss):
    await day_of(site)
    answer = await post(
        boss,
        "/admin/queues",
        queue="999",
        name="Bán hàng",
        service_level_s="30",
        short_abandon_s="2",
        variant="answered",
    )
    tile = site.parts.floor.queue_tiles()[0]

    assert "Saved: Bán hàng" in html.unescape(answer.text)
    assert (tile.name, tile.today.service_level_s) == ("Bán hàng", 30)
    assert tile.today.service_level == 1.0
    assert await reasons(site, "describe queue") == ["name “Bán hàng”, T 30 s, short 2 s, answered"]


async def test_a_queue_is_added_in_advance(site, boss):
    answer = await post(boss, "/admin/queues", queue="777", name="Night")

    assert "Added: Night" in answer.text
    assert site.parts.floor.state.queues["777"].service_level_s == 20


@pytest.mark.parametrize(
    "fields",
    [
        {"queue": ""},
        {"queue": "x" * 65},
        {"queue": "999", "service_level_s": "0"},
        {"queue": "999", "service_level_s": "20.5"},
        {"queue": "999", "service_level_s": "٢٠"},
        {"queue": "999", "short_abandon_s": "-1"},
        {"queue": "999", "short_abandon_s": "3601"},
        {"queue": "999", "variant": "best"},
        {"queue": "999", "name": "a\u202eb"},
    ],
)
async def test_a_queues_impossible_settings_are_refused_in_words(site, boss, fields):
    before = site.log.last_seq
    answer = await post(boss, "/admin/queues", **fields)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert site.log.last_seq == before


# The webhook address


def address_in(answer):
    return re.search(rf"{PUBLIC}/hook/([\w-]+)", answer.text)


async def test_a_new_address_is_shown_once_and_the_old_one_works_for_the_time_of_grace(site, boss):
    old = site.tokens.made.encode()
    answer = await post(boss, "/admin/webhooks", rotate="1")
    new = address_in(answer)[1].encode()

    assert site.tokens.accepts(new)
    assert site.tokens.accepts(old)
    assert address_in(await boss.get("/admin/webhooks")) is None
    assert new.decode() not in str(await site.audited())
    site.now += 7 * 86_400_000
    assert site.tokens.accepts(new)
    assert not site.tokens.accepts(old)


async def test_the_page_says_whether_the_previous_address_is_still_used(site, boss):
    old = site.tokens.made.encode()
    unused = (await post(boss, "/admin/webhooks", days="3")).text
    site.tokens.accepts(old)
    used = (await boss.get("/admin/webhooks")).text

    assert "It was not used since this start" in unused
    assert "It is still used" in used
    assert "previous token" in {concern.kind for concern in concerns(site.parts)}


async def test_the_previous_address_is_ended_at_once(site, boss):
    old = site.tokens.made.encode()
    await post(boss, "/admin/webhooks", rotate="1")
    answer = await post(boss, "/admin/webhooks", do="revoke")
    again = await post(boss, "/admin/webhooks", do="revoke")

    assert answer.status_code == 200
    assert not site.tokens.accepts(old)
    assert again.status_code == 422
    assert len(await reasons(site, "revoke previous webhook token")) == 1


@pytest.mark.parametrize("days", ["-1", "31", "x", ""])
async def test_an_odd_time_of_grace_is_refused(site, boss, days):
    answer = await post(boss, "/admin/webhooks", days=days)

    assert answer.status_code == 422
    assert site.tokens.previous is None


async def test_an_address_from_the_environment_is_changed_there(site, boss):
    await site.furnish(replace(SETTINGS, webhook_token="given-by-the-environment"))
    page = (await boss.get("/admin/webhooks")).text
    answer = await post(boss, "/admin/webhooks", rotate="1")

    assert "PITWALL_WEBHOOK_TOKEN" in page
    assert "given-by-the-environment" not in page
    assert answer.status_code == 422
    assert "change it there" in answer.text


# API tokens


async def test_a_token_is_shown_once_listed_and_ended(site, boss):
    made = await post(boss, "/admin/tokens", name="Grafana")
    text = found(r"(pw_[\w-]+)", made.text)
    worked = site.access.tokens.accepts(text)
    listed = await boss.get("/admin/tokens")
    token = site.access.tokens.all()[0]
    ended = await post(boss, "/admin/tokens", do="remove", token=token.token_id)

    assert worked
    assert "Grafana" in listed.text
    assert text not in listed.text
    assert ended.status_code == 200
    assert not site.access.tokens.accepts(text)
    assert await reasons(site, "make API token") == ["Grafana"]
    assert await reasons(site, "remove API token") == ["Grafana"]


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "x" * 65}, {"do": "remove", "token": "9"}]
)
async def test_what_can_not_be_done_with_tokens_is_said(site, boss, fields):
    answer = await post(boss, "/admin/tokens", **fields)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


# The PBX


async def test_the_page_of_the_pbx_tells_hosts_and_never_the_key_or_a_path(site, boss):
    page = (await boss.get("/admin/pbx")).text

    assert "https://pbx.example.test<" in page
    assert "centre.example.test" in page
    assert KEY not in page
    assert "company-secret-path" not in page


async def test_the_test_says_in_words_what_works(site, boss):
    site.pbx.findings = [
        Finding("reach", True, "The PBX answers."),
        Finding("key", False, "Nothing shows that the PBX accepts the key."),
    ]
    page = (await post(boss, "/admin/pbx", do="test")).text

    assert 'data-what="reach" data-ok="1"' in page
    assert 'data-what="key" data-ok="0"' in page
    assert "Nothing shows that the PBX accepts the key." in page
    assert await reasons(site, "test PBX connection") == ["1 of 2 work"]


async def test_without_a_pbx_the_test_says_what_is_missing(site, boss):
    site.parts.pbx = UnconfiguredPbx()
    page = (await post(boss, "/admin/pbx", do="test")).text

    assert "set PITWALL_PBX_URL" in page


@pytest.mark.parametrize("url", ["https://evil.example", "http://169.254.169.254/", "file:///x"])
async def test_the_connection_is_never_changed_from_a_page(site, boss, url):
    answer = await post(boss, "/admin/pbx", pbx_url=url)

    assert answer.status_code == 422
    assert "start Pitwall again" in answer.text
    assert url not in answer.text
    assert site.pbx.tests == 0
    assert (await site.audited())[0].action == "change PBX connection"


async def test_answers_nobody_understood_are_listed_as_text(site, boss):
    site.pbx.answers = [Unreadable("status", "HTTP 500", "<b>broken</b>", times=3)]
    page = (await boss.get("/admin/pbx")).text

    assert "&lt;b&gt;broken&lt;/b&gt;" in page
    assert "unreadable" in {concern.kind for concern in concerns(site.parts)}


# Drift and the overview


async def test_drift_lists_each_repair_with_before_after_and_source(site, boss):
    await site.happen(PhoneReported(extension="101", status="on"))
    await site.happen(PhoneVerified(extension="101", status="talk", source="status"))
    await site.happen(PbxAsked(phones=1))
    site.now += 8_000
    page = (await boss.get("/admin/drift")).text
    said = re.sub(r"<[^>]+>", "", page)

    assert "Agreed with the PBX 8 s ago, 1 repair today." in said
    cells = re.findall(r'The board had">(.*?)<.*?The PBX said">(.*?)<.*?<code>(.*?)<', page)
    assert cells == [("on", "talk", "status")]


async def test_a_pbx_that_fails_is_said_with_when_it_last_agreed(site, boss):
    await site.happen(PbxAsked(phones=1), PbxAsked(error="The PBX could not be reached."))
    page = (await boss.get("/admin/drift")).text

    assert 'data-state="failing"' in page
    assert "The PBX could not be reached." in page


async def test_every_concern_has_words(site, boss):
    old = site.tokens.made.encode()
    await site.tokens.rotate()
    site.tokens.accepts(old)
    site.pbx.answers = [Unreadable("status", "HTTP 500", "x")]
    site.journal.count_wrong_token("203.0.113.7")
    site.journal.count_bare("203.0.113.8")
    site.journal.unparsable.add("203.0.113.9")
    site.journal.count_unstored()
    site.parts.upkeep.found = "The disk lost what was written last."
    site.parts.upkeep.failure = "The backup was not made: no room."
    site.parts.upkeep.clock_behind_ms = 3_600_000
    site.parts.upkeep.damaged = ["pitwall.db.damaged-20260101-000000"]
    site.parts.tables.failure = "The nodes do not agree."
    for _ in range(20):
        site.journal.accept("10.0.0.1", "status", {}, 1, ())
    await site.happen(PhoneReported(extension="101", status="on"), PbxAsked(error="No answer."))
    site.now += 16 * 60_000
    kinds = [concern.kind for concern in concerns(site.parts)]
    page = (await boss.get("/admin")).text
    items = dict(re.findall(r'data-kind="([^"]+)">.*?</span><span>(.*?)</span>', page, re.S))

    assert kinds[:5] == ["pbx failing", "silence", "apart", "found", "clock"]
    assert kinds[5:7] == ["damaged", "no backup"]
    assert {"previous token", "one address", "wrong token", "bare", "unparsable"} <= set(kinds)
    assert {"unstored", "memory", "unreadable"} <= set(kinds)
    assert set(items) == set(kinds)
    assert all(len(words) > 20 for words in items.values())


async def test_a_healthy_centre_has_nothing_that_does_not_work(site):
    await site.happen(PhoneReported(extension="101", status="on"), PbxAsked(phones=1), Tick())

    assert [concern for concern in concerns(site.parts) if concern.is_bad] == []


async def test_signing_in_unencrypted_is_a_concern(site):
    site.set(public_url="http://board.example.test")
    far = {concern.kind for concern in concerns(site.parts)}
    site.set(public_url="http://127.0.0.1:8000")

    assert "plain http" in far
    assert "plain http" not in {concern.kind for concern in concerns(site.parts)}


async def test_a_full_disk_is_a_concern(site, tmp_path, monkeypatch):
    site.set(log=f"sqlite:{tmp_path / 'x.db'}")
    monkeypatch.setattr("app.web.admin.attention.FEW_BYTES", 2**62)

    assert "disk" in {concern.kind for concern in concerns(site.parts)}


async def test_a_log_that_can_not_store_is_said_and_nothing_claims_to_be_saved(site, boss):
    async def full(events, rid=None):
        raise LogUnavailable("The disk is full.")

    site.parts.log.append = full
    answer = await post(boss, "/admin/agents", extension="101", name="Ann")

    assert answer.status_code == 503
    assert "The disk is full." in answer.text
    assert await reasons(site, "describe agent") == []
