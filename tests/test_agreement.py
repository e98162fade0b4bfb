"""The line that says when floor and PBX last agreed: on every board, live, and true."""

import re

import pytest

from app.domain.days import BusinessDay
from app.domain.events import PbxAsked, PhoneReported, PhoneVerified
from app.domain.floor import Floor
from app.domain.turn import Changes
from app.render import Audience, Renderer
from tests.admin_site import UTC

NOW = 1_800_000_000_000
RENDERER = Renderer(UTC, "test")


def line_after(*events):
    """What the board says once these happened, as the last of them changed it."""
    floor = Floor(BusinessDay(UTC))
    changes = Changes()
    for seq, event in enumerate(events, 1):
        changes = floor.apply(seq, NOW + seq * 60_000, event)
    drawing = RENDERER.fragments(changes, floor, Audience())
    return drawing.fragments["agreement"]


def words(html):
    shown = re.sub(r'<span class="brief".*?</span>', "", html)
    return " ".join(re.sub(r"<[^>]+>", "", shown).split())


def test_it_says_since_when_and_how_many_repairs():
    html = line_after(
        PhoneReported(extension="101", status="on"),
        PhoneVerified(extension="101", status="talk", source="status"),
        PbxAsked(phones=1),
    )

    assert f'data-since="{NOW + 180_000}"' in html
    assert words(html).endswith("ago, 1 repair today")
    assert 'data-state="agreed"' in html


def test_a_repair_is_counted_there_at_once():
    html = line_after(
        PhoneReported(extension="101", status="on"),
        PbxAsked(phones=1),
        PhoneVerified(extension="101", status="talk", source="status"),
    )

    assert "1 repair today" in html


def test_a_pbx_that_fails_is_told_and_the_last_agreement_kept():
    html = line_after(PbxAsked(phones=1), PbxAsked(error="The PBX could not be <b>reached</b>."))

    assert 'data-state="failing"' in html
    assert f'data-since="{NOW + 60_000}"' in html
    assert "could not be &lt;b&gt;reached" in html


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([PhoneReported(extension="101", status="on")], "Not compared with a PBX"),
        ([PbxAsked(error="No answer.")], "Never compared with the PBX"),
    ],
)
def test_without_any_agreement_it_claims_none(events, sentence):
    html = line_after(*events)

    assert words(html) == sentence
    assert "data-since" not in html


def test_a_wall_has_no_room_for_it():
    floor = Floor(BusinessDay(UTC))
    floor.apply(1, NOW, PbxAsked(phones=1))
    drawing = RENDERER.everything(floor, Audience(page="wall"))

    assert "agreement" not in drawing.fragments
