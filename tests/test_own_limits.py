"""Queues with target times of their own: no page prints one that was not used."""

import html
import re
from pathlib import Path

import pytest

from app.audience import Audience
from app.domain import board
from app.domain.events import QueueNamed
from app.render import Renderer
from tests.past_site import past_site
from tests.story import Story, after

EVERYONE = Audience()
RENDERER = Renderer(build="b1")
OWN = "each queue's own target time"
WAITING = "1 rings 101 in 900, +5s, 2 rings 102 in 901"


def limited(queue: str, seconds: int) -> QueueNamed:
    return QueueNamed(queue=queue, name="", service_level_s=seconds)


def two_queues(*limits: int) -> Story:
    """A caller waits in each; these are the queues' target times."""
    told = [limited(queue, seconds) for queue, seconds in zip(("900", "901"), limits, strict=True)]
    return after(WAITING, *told)


def drawn(story: Story, fragment: str, audience: Audience = EVERYONE) -> str:
    return html.unescape(RENDERER.everything(story.floor, audience).fragments[fragment])


def steps_in(fragment: str) -> list[str]:
    return re.findall(r'data-steps="([^"]*)"', fragment)


def test_totals_of_queues_that_share_a_target_time_name_it() -> None:
    totals = drawn(two_queues(60, 60), "totals")

    assert "answered within 60 s ÷" in totals
    assert "A wait of exactly 60 s counts" in totals
    assert OWN not in totals


@pytest.mark.parametrize(
    ("audience", "words"),
    [
        (EVERYONE, f"answered within {OWN} ÷"),
        (Audience(language="vi"), "trả lời trong thời gian mục tiêu riêng của từng hàng đợi ÷"),
        (Audience(page="wall", layout="overview"), "own targets"),
    ],
    ids=["board", "vi", "wall"],
)
def test_totals_of_queues_that_differ_name_none(audience: Audience, words: str) -> None:
    totals = drawn(two_queues(10, 60), "totals", audience)

    assert words in totals
    assert not re.search(r"\b20 (?:s|giây)\b", totals)


def test_the_longest_wait_grows_old_by_the_queue_it_waits_in() -> None:
    assert steps_in(drawn(two_queues(10, 60), "totals")) == ["5 10 30"]
    assert board.totals(after(WAITING).state, frozenset({"901"})).oldest_t == 20
    assert board.totals(after("101 on").state).oldest_t is None


@pytest.mark.parametrize("page", ["board", "wall"])
def test_each_waiting_caller_grows_old_by_their_own_queue(page: str) -> None:
    audience = Audience(page=page, layout="queue" if page == "wall" else "")
    story = two_queues(10, 60)
    assert steps_in(drawn(story, "waiting", audience)) == ["5 10 30", "30 60 180"]

    changes = story.floor.apply(story.state.seq + 1, story.now, limited("900", 100))
    again = RENDERER.fragments(changes, story.floor, audience).fragments["waiting"]
    assert steps_in(again) == ["50 100 300", "30 60 180"]


def test_a_day_of_queues_that_differ_names_none(tmp_path: Path) -> None:
    with past_site(tmp_path) as site:
        site.append([limited("900", 10), limited("901", 60)])
        page = " ".join(html.unescape(site.get("/day").text).split())
        queue = " ".join(html.unescape(site.get("/queues/900").text).split())

    assert f"answered within {OWN} ÷" in page
    assert f"of them within {OWN}" in page
    assert '"t":null' in page
    assert "answered within 10 s ÷" in queue
