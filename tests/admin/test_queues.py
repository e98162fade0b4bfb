"""The page of the queues: formulas with today's figures, limits, and their audit."""

import html
import re

import pytest

from app.domain.events import CallAbandoned, CallAnswered, CallRinging
from tests.admin_site import post, reasons, refused

pytestmark = pytest.mark.anyio


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
    text = await refused(site, boss, "/admin/queues", **fields)

    assert 'role="alert"' in text
