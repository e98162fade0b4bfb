"""The buttons of a card: which are there, for whom, and why one can't be pressed."""

import re
from dataclasses import replace

import pytest

from app.audience import Audience
from app.domain.states import Status
from app.render import hashed_id
from tests.test_render import AGENT, card_of

ALL = frozenset({"listen", "whisper", "barge", "customer", "pause", "call", "phone", "pbx"})
TALKING = replace(AGENT, status=Status.TALK, calls=("7",))


def drawn(card=TALKING, acts=ALL):
    return card_of(card, Audience(acts=acts))


def buttons(html):
    """{act: why it can't be pressed, "" when it can}"""
    found = re.findall(r'data-act="([^"]+)"[^>]*? data-tip="([^"]*)"([^>]*)>', html)
    return {act: tip if "aria-disabled" in rest else "" for act, tip, rest in found}


def test_a_talking_agent_can_be_listened_to():
    assert buttons(drawn()) == {"listen": "", "whisper": "", "barge": "", "pause": ""}


def test_every_button_has_words_for_those_who_do_not_see_it():
    found = re.findall(r'<button type="button" class="act"[^>]*>', drawn())

    assert len(found) == 4
    for each in found:
        assert re.search(rf'aria-label="[^":]+: {AGENT.name}"', each)
        assert re.search(r'data-tip="[^"]+"', each)


@pytest.mark.parametrize(
    ("card", "acts", "offered"),
    [
        (replace(TALKING, status=Status.ON, calls=()), ALL, {"pause"}),
        (replace(TALKING, other_call=True, calls=()), ALL, {"pause"}),
        (replace(TALKING, status=Status.PAUSE, paused=True, calls=()), ALL, {"resume"}),
        (replace(TALKING, paused=True), ALL - {"barge"}, {"listen", "whisper", "resume"}),
        (replace(TALKING, pause_wanted=True), frozenset({"pause", "pbx"}), {"resume"}),
        (TALKING, frozenset({"read_audit"}), set()),
        (TALKING, frozenset(), set()),
    ],
)
def test_only_what_one_may_is_offered(card, acts, offered):
    assert set(buttons(drawn(card, acts))) == offered


@pytest.mark.parametrize(
    ("card", "acts", "words"),
    [
        (TALKING, ALL - {"phone"}, "no extension"),
        (TALKING, ALL - {"pbx"}, "No exchange is configured"),
        (replace(TALKING, never_listen=True), ALL, "never listen"),
    ],
)
def test_a_button_that_can_not_be_pressed_says_why(card, acts, words):
    told = buttons(drawn(card, acts))

    assert all(words in told[act] for act in ("listen", "whisper", "barge"))


def test_a_live_listening_is_on_the_card_with_who_how_and_since_when():
    html = drawn(replace(TALKING, listeners=(("Hanh", "whisper", 1_700_000_000_000),)))

    assert "Hanh whispers" in html
    assert re.search(r'<b dir="auto">Hanh whispers</b> <time data-since="1700000000000"', html)
    assert f'data-listener="{hashed_id("Hanh", "l")}"' in html


@pytest.mark.parametrize("acts", [frozenset(), frozenset({"pause", "call", "phone", "pbx"})])
def test_those_without_the_right_do_not_learn_who_listens(acts):
    html = drawn(replace(TALKING, listeners=(("Hanh", "whisper", 1_700_000_000_000),)), acts)

    assert "Hanh" not in html


def test_a_call_id_that_holds_a_number_is_not_in_the_page():
    html = card_of(
        replace(TALKING, calls=("1700.0912345678",), phone="0912345678"),
        Audience(acts=ALL, masked=True),
    )

    assert "0912345678" not in html
    assert hashed_id("1700.0912345678", "c") in html
