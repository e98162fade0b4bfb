"""The floor as HTML: escaped, masked, in order, and the same for all of one audience."""

import re
from collections.abc import Iterable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from app.domain.alarm_view import AlarmRow
from app.domain.board import within
from app.domain.rules import Level
from app.domain.states import Status
from app.domain.turn import Changes
from app.domain.view import AbandonRow, AgentCard, Figures, QueueTile, Totals, WaitingRow
from app.render import Audience, Renderer
from app.web.assets import STATIC
from tests.story import after

EVERYONE = Audience()
RENDERER = Renderer(build="b1")
HOSTILE = """"'><script>alert(1)</script>{{ 7 * 7 }}"""
NUMBER = "0938363739"

AGENT = AgentCard(
    extension="101",
    name="Đặng Thị Hoa",
    team="",
    status=Status.TALK,
    since=1_700_000_000_000,
    paused=False,
    in_doubt=False,
    other_call=False,
    queues=("999",),
    calls=("c1",),
    phone=NUMBER,
    queue="999",
    direction="inbound",
    answered=12,
    missed=1,
    outbound=3,
    pause_reason="",
    pause_until=None,
    pause_wanted=False,
    never_listen=False,
    listeners=(),
)
NOTHING_OFFERED = Figures(0, 0, 0, 0, 0, 0, None, 20, "short_ignored", None, None, None, None, None)
FIGURES = Figures(
    120, 101, 17, 4, 2, 90, 0.789, 20, "short_ignored", 0.142, 0.112, 11.2, 143.0, 95.0
)
TILE = QueueTile("999", "Sales", 2, 1_700_000_000_000, 5, {Status.ON: 2}, FIGURES)
CALLER = WaitingRow("w1", "999", NUMBER, "1900", 1_700_000_000_000, ("101",), in_doubt=False)
GONE = AbandonRow("x1", "999", NUMBER, 1_700_000_000_000, 34, exact=True, called_back=False)

ALARM = AlarmRow(
    key="r/999",
    level=Level.CRITICAL,
    metric="longest_wait",
    kind="queues",
    unit="s",
    above=True,
    subject="999",
    name="Sales",
    queues=frozenset({"999"}),
    value=125.0,
    since=1_700_000_000_000,
    limit=120.0,
    raised_at=1_700_000_120_000,
    spoken_at=1_700_000_120_000,
    acknowledged_at=None,
    acknowledged_by="",
    shelved_until=None,
    shelved_by="",
)


class AFloor:
    """A floor that is what it is told to be."""

    def __init__(
        self,
        agents: Iterable[AgentCard] = (AGENT,),
        tiles: Iterable[QueueTile] = (TILE,),
        waiting: Iterable[WaitingRow] = (CALLER,),
        abandons: Iterable[AbandonRow] = (GONE,),
        alarms: Iterable[AlarmRow] = (ALARM,),
    ) -> None:
        self.agents = list(agents)
        self.tiles = list(tiles)
        self.waiting = list(waiting)
        self.abandons = list(abandons)
        self.alarms = list(alarms)
        self.asked_for: list[frozenset[str] | None] = []

    def alarm_rows(self) -> list[AlarmRow]:
        return self.alarms

    def agent_cards(self) -> list[AgentCard]:
        return self.agents

    def agent_card(self, extension: str) -> AgentCard | None:
        return next((one for one in self.agents if one.extension == extension), None)

    def queue_tiles(self) -> list[QueueTile]:
        return self.tiles

    def some_tiles(self, queues: set[str]) -> list[QueueTile]:
        return [tile for tile in self.tiles if tile.queue in queues]

    def queue_name(self, queue: str) -> str:
        return {tile.queue: tile.name for tile in self.tiles}.get(queue, queue)

    def limit_s(self, queue: str) -> int:
        return next((t.today.service_level_s or 0 for t in self.tiles if t.queue == queue), 20)

    def waiting_rows(self) -> list[WaitingRow]:
        return self.waiting

    def abandon_rows(self, queues: frozenset[str] | None = None) -> list[AbandonRow]:
        return [row for row in self.abandons if within(queues, row.queue)]

    def totals(self, queues: frozenset[str] | None = None) -> Totals:
        self.asked_for.append(queues)
        return Totals(
            2, 1_700_000_000_000, 5, {Status.ON: 3, Status.OFF: 1}, 0, FIGURES, oldest_t=20
        )


class Tags(HTMLParser):
    """The tags of some HTML with their attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def all_html(floor: AFloor, audience: Audience = EVERYONE) -> str:
    return "".join(RENDERER.everything(floor, audience).fragments.values())


def card_of(agent: AgentCard, audience: Audience = EVERYONE) -> str:
    drawing = RENDERER.everything(AFloor([agent]), audience)
    return drawing.fragments[drawing.lists["agents"][0]]


def test_every_fragment_is_one_element_whose_root_has_its_id() -> None:
    for name, html in RENDERER.everything(AFloor(), EVERYONE).fragments.items():
        assert re.match(rf'<[a-z]+ id="{re.escape(name)}"', html), name


def test_a_fragment_carries_no_inline_style_or_script() -> None:
    for tag, attributes in Tags(all_html(AFloor())).found:
        assert tag not in {"script", "style"}
        assert not any(name.startswith("on") or name == "style" for name in attributes)


@pytest.mark.parametrize("field", ["name", "team", "phone", "queue", "pause_reason", "extension"])
def test_whatever_comes_from_outside_stays_text(field: str) -> None:
    facts = {field: HOSTILE, "status": Status.PAUSE}
    agent = replace(AGENT, **facts)  # type: ignore[arg-type]

    html = card_of(replace(agent, phone="", queue="") if field == "pause_reason" else agent)

    assert "script" not in {tag for tag, _ in Tags(html).found}
    assert "{{ 7 * 7 }}" in html or field == "extension"
    assert html.count("<article") == 1


def test_hostile_callers_and_queues_stay_text_in_every_list() -> None:
    floor = AFloor(
        [],
        [replace(TILE, queue=HOSTILE, name=HOSTILE)],
        [replace(CALLER, phone=HOSTILE, queue=HOSTILE, callid=HOSTILE)],
        [replace(GONE, phone=HOSTILE, queue=HOSTILE, callid=HOSTILE)],
    )

    assert "script" not in {tag for tag, _ in Tags(all_html(floor)).found}


def test_ids_are_safe_and_different_for_every_extension() -> None:
    odd = ["1 1", "1_20_1", "1.1", "É", "1'1", "101", 'a"b', "#"]
    drawing = RENDERER.everything(
        AFloor([replace(AGENT, extension=extension) for extension in odd]), EVERYONE
    )

    names = drawing.lists["agents"]
    assert len(set(names)) == len(odd)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in names)


def test_a_masked_audience_gets_the_last_three_digits_and_never_the_number() -> None:
    html = all_html(AFloor(), Audience(masked=True))

    assert NUMBER not in html
    assert NUMBER[:-3] not in html
    assert html.count("•••739") >= 3


def test_an_extension_is_no_number_to_hide() -> None:
    assert "10255" in card_of(replace(AGENT, phone="10255"), Audience(masked=True))


def test_an_audience_of_one_queue_sees_nothing_of_the_others() -> None:
    floor = AFloor(
        [AGENT, replace(AGENT, extension="102", queues=("888",), name="Hidden")],
        [TILE, replace(TILE, queue="888", name="Elsewhere")],
        [CALLER, replace(CALLER, callid="w2", queue="888", phone="0911111888")],
        [GONE, replace(GONE, callid="x2", queue="888", phone="0922222888")],
    )

    html = all_html(floor, Audience(queues=frozenset({"999"})))

    for secret in ("Hidden", "Elsewhere", "0911111888", "0922222888"):
        assert secret not in html
    assert floor.asked_for == [frozenset({"999"})]


def test_a_call_of_another_queue_shows_only_that_the_agent_talks() -> None:
    agent = replace(AGENT, queues=("888", "999"), queue="888")

    html = card_of(agent, Audience(queues=frozenset({"999"})))

    assert NUMBER not in html
    assert "888" not in html
    assert 'data-status="talk"' in html


def order_of(audience: Audience) -> list[str]:
    names = {"100": "Đinh An", "9": "Bình", "10": "đặng Vy", "x": "", "2": "Dũng"}
    agents = [replace(AGENT, extension=number, name=name) for number, name in names.items()]
    drawing = RENDERER.everything(AFloor(agents), audience)
    return [name.removeprefix("a-") for name in drawing.lists["agents"]]


def test_cards_are_in_the_order_of_their_extensions() -> None:
    assert order_of(EVERYONE) == ["2", "9", "10", "100", "x"]


def test_or_of_their_names_as_people_sort_them() -> None:
    assert order_of(Audience(order="name")) == ["9", "10", "100", "2", "x"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"status": Status.ON, "calls": (), "phone": "", "queue": ""}, "Free"),
        ({"status": Status.RING}, "Ringing"),
        ({"status": Status.TALK}, "Talking"),
        ({"status": Status.PAUSE}, "Paused"),
        ({"status": Status.OFF}, "Off"),
        ({"other_call": True, "calls": ()}, "Other call"),
        ({"in_doubt": True}, "in doubt"),
        ({"paused": True}, "paused"),
        ({"pause_wanted": True}, "pause next"),
        ({"name": ""}, "Agent 101"),
    ],
)
def test_a_card_says_in_words_what_it_shows(facts: dict[str, object], words: str) -> None:
    assert words in card_of(replace(AGENT, **facts))  # type: ignore[arg-type]


def test_every_status_has_an_icon_and_a_counter() -> None:
    drawing = RENDERER.everything(AFloor(), EVERYONE)
    css = (STATIC / "base.css").read_text()

    for status in Status:
        assert f'data-look="{status}"' in card_of(replace(AGENT, status=status))
        sign = rf'\.card\[data-look="{status}"\] header[^{{]*{{ --picture: "{status}"'
        assert re.search(sign, css)
        assert f"count-{status}" in drawing.fragments
    assert ">3<" in drawing.fragments["count-on"]


def test_time_in_status_is_told_as_a_moment_for_the_browser_to_count_from() -> None:
    assert 'data-since="1700000000000" hx-morph-skip-children' in card_of(AGENT)


def test_a_figure_comes_with_its_formula_and_what_it_was_made_of() -> None:
    html = RENDERER.everything(AFloor(), EVERYONE).fragments["q-999"]

    assert "78.9" in html
    assert "SL 20 s" in html
    assert "answered within 20 s ÷ (answered + abandoned \N{MINUS SIGN} short abandons)" in html
    assert "= 90 ÷ (101 + 17 \N{MINUS SIGN} 4) = 114" in html
    assert "short_ignored" in html


def test_where_nothing_was_offered_there_is_a_dash_and_no_zero() -> None:
    tile = replace(TILE, today=NOTHING_OFFERED)

    html = RENDERER.everything(AFloor(tiles=[tile]), EVERYONE).fragments["q-999"]

    assert html.count("<dd>–") == 3


def test_only_what_changed_is_drawn() -> None:
    floor = AFloor([AGENT, replace(AGENT, extension="102")])

    drawing = RENDERER.fragments(Changes(agents={"102"}, queues={"999"}), floor, EVERYONE)

    assert {"a-102", "q-999", "totals"} <= set(drawing.fragments)
    assert "a-101" not in drawing.fragments
    assert "waiting" not in drawing.fragments
    assert drawing.lists == {}


def test_a_tick_alone_draws_nothing() -> None:
    assert RENDERER.fragments(Changes(beat=True), AFloor(), EVERYONE).fragments == {}


def test_a_changed_roster_draws_every_card_in_order() -> None:
    floor = AFloor([AGENT, replace(AGENT, extension="20")])

    drawing = RENDERER.fragments(Changes(roster=True), floor, EVERYONE)

    assert drawing.lists["agents"] == ("a-20", "a-101")


def test_the_waiting_list_says_how_many_it_does_not_show() -> None:
    rows = [replace(CALLER, callid=f"w{number}") for number in range(130)]

    html = RENDERER.everything(AFloor(waiting=rows), EVERYONE).fragments["waiting"]

    assert html.count("<li id=") == 50
    assert "and 80 more" in html
    assert ">130<" in html


def test_who_gave_up_in_other_queues_takes_nobody_off_a_list() -> None:
    story = after("88 abandons 888 after 3, +1s", *(f"{n} abandons 999 after 3" for n in range(50)))
    one, all_of_them = (
        RENDERER.everything(story.floor, Audience(queues=queues)).fragments["abandons"]
        for queues in (frozenset({"888"}), None)
    )

    assert one.count("<li id=") == 1
    assert "Nobody has given up today." not in one
    assert all_of_them.count("<li id=") == 50


def test_an_agent_who_has_gone_meanwhile_is_no_error() -> None:
    assert RENDERER.fragments(Changes(agents={"gone"}), AFloor([]), EVERYONE).lists == {}


def test_an_unknown_language_falls_back_to_english() -> None:
    drawing = RENDERER.everything(AFloor(), Audience(language="xx"))

    assert "Talking" in drawing.fragments["a-101"]


def test_a_board_of_the_past_is_drawn_beside_the_one_of_now() -> None:
    now, then = AFloor([AGENT]), AFloor([replace(AGENT, name="Somebody else")])
    drawn = RENDERER.everything(now, EVERYONE).fragments["a-101"]

    assert "Somebody else" in RENDERER.past(then, EVERYONE).fragments["a-101"]
    # The very text: it is not drawn again.
    assert RENDERER.everything(now, EVERYONE).fragments["a-101"] is drawn
