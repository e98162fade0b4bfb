"""The page of the agents: names, marks and lists, on the floor at once and audited."""

import html
import re

import pytest

from app.domain.events import AgentNamed, PhoneReported
from app.web.admin.roster import read_lines
from tests.admin_site import post, reasons, refused
from tests.site import OURS, found

pytestmark = pytest.mark.anyio


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
    text = await refused(site, boss, "/admin/agents", **fields)

    assert re.search(r'role="alert">(An extension|A name|A team) has', text)


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
