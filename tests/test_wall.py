"""What a wall shows: its layout's parts only, its targets, and no more of a number than it may."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from app.audience import LAYOUTS, Audience
from app.domain.limits import AGES, Targets, wait_ages
from app.domain.states import Status
from app.history.story import Step
from app.render import Renderer
from app.web.agent_events import told_to
from tests.test_render import AGENT, NUMBER, AFloor, Tags

WALL = Audience(page="wall", layout="overview", masked=True)
RENDERER = Renderer(build="b1", targets=Targets(waiting=1, level=80, free=4))


def drawn(audience: Audience = WALL, floor: AFloor | None = None) -> dict[str, str]:
    return RENDERER.everything(floor or AFloor(), audience).fragments


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_wall_holds_the_parts_of_its_layout_and_no_others(layout: str) -> None:
    drawing = RENDERER.everything(AFloor(), replace(WALL, layout=layout))
    parts = {name for name in (*drawing.fragments, *drawing.lists) if "-" not in name}

    assert parts == LAYOUTS[layout] - {"counts"}
    assert "count-on" in drawing.fragments


def test_an_unknown_layout_is_an_overview() -> None:
    assert drawn(replace(WALL, layout="queues")) == drawn()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_there_is_nothing_to_press_on_a_wall(layout: str) -> None:
    tags = {
        tag for html in drawn(replace(WALL, layout=layout)).values() for tag, _ in Tags(html).found
    }

    assert not tags & {"button", "a", "input", "select", "details", "form"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_wall_that_hides_numbers_has_no_digit_of_one_in_its_html(layout: str) -> None:
    html = "".join(drawn(replace(WALL, layout=layout, hidden=True)).values())

    assert NUMBER not in html
    assert NUMBER[-3:] not in html


def test_a_wall_of_one_queue_shows_the_last_three_digits_of_callers() -> None:
    html = drawn(replace(WALL, layout="queue"))["waiting"]

    assert "•••739" in html
    assert NUMBER not in html


def test_a_figure_beyond_its_target_says_so() -> None:
    html = drawn()["totals"]
    bad = {
        attributes["data-name"] for _, attributes in Tags(html).found if "data-bad" in attributes
    }

    # 2 wait where at most 1 should; 78.9 % and 3 free are too little. Nobody is to be called back.
    assert bad == {"waiting", "level", "free"}


def test_a_service_level_just_under_its_target_does_not_look_like_it() -> None:
    environment = RENDERER._in("en")

    assert environment.filters["whole_percent"](0.7999) == "79"
    assert environment.filters["whole_percent"](0.8) == "80"
    assert environment.filters["whole_percent"](None) == "–"


@pytest.mark.parametrize(
    ("name", "brief"),
    [
        ("Nguyễn Thị Bích Ngọc", "N. T. B. Ngọc"),
        ("Kate Nolan", "Kate Nolan"),
        ("Alexander Hamilton", "A. Hamilton"),
        ("Wolfeschlegelsteinhausen", "Wolfeschlegelsteinhausen"),
        ("", ""),
    ],
)
def test_a_long_name_keeps_the_word_that_people_are_called_by(name: str, brief: str) -> None:
    assert RENDERER._in("en").filters["brief"](name) == brief


def test_every_state_has_its_sign_and_its_word() -> None:
    looks = {
        "on": replace(AGENT, status=Status.ON),
        "ring": replace(AGENT, status=Status.RING),
        "talk": AGENT,
        "pause": replace(AGENT, status=Status.PAUSE),
        "other": replace(AGENT, other_call=True),
        "doubt": replace(AGENT, in_doubt=True),
    }
    words = {"Free", "Rings", "Talks", "Pause", "Other", "Doubt"}

    shown = {look: drawn(floor=AFloor([agent]))["a-101"] for look, agent in looks.items()}

    assert all(f"i-{look}" in html for look, html in shown.items())
    assert {word for word in words for html in shown.values() if f"<b>{word}</b>" in html} == words


def test_a_pause_with_a_planned_end_says_when_it_is_over() -> None:
    resting = replace(AGENT, status=Status.PAUSE, pause_until=1_700_000_600_000)

    assert 'data-until="1700000600000"' in drawn(floor=AFloor([resting]))["a-101"]
    assert "data-until" not in drawn(floor=AFloor([replace(resting, status=Status.TALK)]))["a-101"]


def test_every_status_has_its_ages_and_they_grow() -> None:
    assert set(AGES) == set(Status)
    for steps in (*AGES.values(), wait_ages(20)):
        assert list(steps) == sorted(set(steps))


def story(**said: Any) -> Iterable[Step]:
    yield Step(1, 1000, said.pop("kind", "call_ringing"), "webhook", said, [])


CALL = {"callid": "1795.22", "phone": NUMBER, "queue": "999", "extension": "101"}


def test_events_are_told_as_they_were() -> None:
    [event] = told_to(Audience(), story(**CALL))

    assert dict(event.said) == {"callid": "1795.22", "phone": NUMBER, "queue": "999"}


def test_events_of_a_call_of_another_queue_do_not_say_whose_it_is() -> None:
    [event] = told_to(Audience(queues=frozenset({"888"})), story(**CALL))

    assert dict(event.said) == {"callid": "1795.22"}


def test_who_may_not_see_numbers_sees_none_in_events() -> None:
    [event] = told_to(Audience(masked=True), story(**CALL | {"callid": f"call-{NUMBER}"}))

    assert NUMBER not in str(event.said)
    assert dict(event.said)["phone"] == "•••••••739"


def test_only_who_may_know_of_listening_reads_of_it() -> None:
    told = [*story(kind="listen_started", supervisor="Hanh", extension="101", mode="listen")]

    assert told_to(Audience(), told) == []
    assert len(told_to(Audience(acts=frozenset({"listen"})), told)) == 1
