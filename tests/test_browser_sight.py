"""What waits out of sight: a card that can be seen, or is asked about, never shows what was."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parent.parent / "static"
CARDS = range(100, 300)
SEEN, UNSEEN = "a-101", "a-280"
SHOW = "text => { pitwall.apply(pitwall.sift(text)); }"
TEXT = "id => document.getElementById(id).textContent"
SCROLLED = """async id => {
    document.getElementById(id).scrollIntoView();
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return document.getElementById(id).textContent;
}"""


def card(name: str, text: str, mark: str = "") -> str:
    return f'<article {mark}id="{name}" class="card" style="height: 50px">{text}</article>'


def news(*names: str, text: str = "new") -> str:
    return "".join(card(name, text, 'hx-swap-oob="outerMorph" ') for name in names)


@pytest.fixture
def floor(page: Page) -> Page:
    cards = "".join(card(f"a-{number}", "old") for number in CARDS)
    page.set_content(f'<div id="agents">{cards}</div>')
    page.evaluate("window.pitwall = { age: () => {} }")
    for name in ("patch.js", "sight.js"):
        page.add_script_tag(path=STATIC / name)
    return page


def test_a_card_in_sight_is_put_right_with_the_frame_and_others_wait(floor: Page) -> None:
    floor.evaluate(SHOW, news(SEEN, UNSEEN))

    assert floor.evaluate(TEXT, SEEN) == "new"
    assert floor.evaluate(TEXT, UNSEEN) == "old"


def test_a_card_out_of_sight_is_up_to_date_when_it_comes_into_sight(floor: Page) -> None:
    floor.evaluate(SHOW, news(UNSEEN))

    assert floor.evaluate(SCROLLED, UNSEEN) == "new"


def test_a_card_out_of_sight_is_up_to_date_with_one_of_the_next_frames(floor: Page) -> None:
    floor.evaluate(SHOW, news(UNSEEN))
    floor.evaluate("document.dispatchEvent(new Event('pitwall:frame'))")

    assert floor.evaluate(TEXT, UNSEEN) == "new"


def test_a_frame_puts_in_only_as_much_of_what_waits_as_there_is_time_for(floor: Page) -> None:
    names = [f"a-{number}" for number in CARDS]
    floor.evaluate("const apply = pitwall.apply; pitwall.apply = text => { const until = "
                   "performance.now() + 40; while (performance.now() < until); "
                   "return apply(text); }")  # fmt: skip
    floor.evaluate(SHOW, news(*names))
    floor.evaluate("document.dispatchEvent(new Event('pitwall:frame'))")

    late = floor.evaluate("[...agents.children].filter(card => card.textContent === 'old').length")
    assert 100 < late < len(names)


def test_what_waits_is_put_in_when_no_frame_comes(floor: Page) -> None:
    floor.evaluate(SHOW, news(UNSEEN))
    floor.evaluate("document.dispatchEvent(new Event('pitwall:frame'))")
    floor.evaluate(SHOW, news(UNSEEN, text="newer"))

    expect(floor.locator(f"#{UNSEEN}")).to_have_text("newer")


@pytest.mark.parametrize("key", ["Control+f", "F3"])
def test_who_searches_with_the_browser_finds_what_is_new(floor: Page, key: str) -> None:
    floor.evaluate(SHOW, news(UNSEEN))
    floor.keyboard.press(key)

    assert floor.evaluate(TEXT, UNSEEN) == "new"


def test_while_a_filter_is_set_no_card_waits(floor: Page) -> None:
    floor.evaluate(SHOW, news(UNSEEN))
    floor.evaluate("pitwall.needEveryCard(true)")
    assert floor.evaluate(TEXT, UNSEEN) == "new"

    floor.evaluate(SHOW, news(UNSEEN, text="newer"))
    assert floor.evaluate(TEXT, UNSEEN) == "newer"


def test_what_waited_never_undoes_a_list_that_came_whole(floor: Page) -> None:
    floor.evaluate(SHOW, news(UNSEEN))
    cards = "".join(card(f"a-{number}", "newest") for number in CARDS)
    floor.evaluate(SHOW, f'<hx-partial hx-target="#agents">{cards}</hx-partial>')

    assert floor.evaluate(SCROLLED, UNSEEN) == "newest"


def test_what_waited_never_undoes_what_came_while_the_card_was_in_sight(floor: Page) -> None:
    floor.evaluate(SHOW, news(UNSEEN))
    floor.evaluate(SCROLLED, UNSEEN)
    floor.evaluate(SHOW, news(UNSEEN, text="newest"))
    floor.evaluate("document.dispatchEvent(new Event('pitwall:frame'))")

    assert floor.evaluate(TEXT, UNSEEN) == "newest"


def test_what_tells_the_time_is_what_can_be_seen(floor: Page) -> None:
    floor.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<aside id=\"waiting\"></aside>')"
    )
    floor.evaluate(SHOW, news(SEEN))

    told = floor.evaluate("pitwall.inSight().map(one => one.id)")
    assert {SEEN, "waiting"} <= set(told)
    assert UNSEEN not in told
