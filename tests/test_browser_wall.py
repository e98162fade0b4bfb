"""The wall in a real Chromium: readable from afar, honest when it is not live, on for weeks."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.domain.states import Status
from tests import wall_soak
from tests.forked import ForkedPitwall
from tests.running import Pitwall
from tests.signing_in import sign_in
from tests.test_render import FIGURES
from tests.wall_soak import AGENTS, Feed, open_wall, soaked

pytestmark = pytest.mark.browser

SIZES = [(3840, 2160), (1920, 1080), (1280, 800), (1080, 1920)]
LAYOUTS = ["overview", "queue", "agents"]
# Capitals of 2.9 hundredths of the short side: 23 mm on 65 inches, 16 arc minutes from 5 m.
LEAST_CAPITALS = 2.9
NUMBER = "0938363739"

SMALL_TEXTS = """least => {
  const pen = document.createElement("canvas").getContext("2d");
  const side = Math.min(innerWidth, innerHeight);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const small = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.nodeValue.trim() || element.closest(".unseen, noscript, [hidden]")) continue;
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (box.width < 2 || box.height < 2 || style.visibility === "hidden") continue;
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const capitals = pen.measureText("H").actualBoundingBoxAscent * 100 / side;
    if (capitals < least - 0.05) small.push(`${node.nodeValue.trim()}: ${capitals.toFixed(2)}`);
  }
  return small;
}"""
MUST_FIT = ".hero *, .agent .state b, .agent time, .line p, .caller time, .head span"
CUT_OFF = """selector => [...document.querySelectorAll(selector)]
  .filter(element => element.checkVisibility() && element.clientWidth)
  .filter(element => element.scrollWidth > element.clientWidth + 1)
  .filter(element => getComputedStyle(element).clipPath === "none")
  .map(element => `${element.className} ${element.textContent.trim()}`)"""
VISIBLE_AGENTS = """() => [...document.querySelectorAll("#agents > *")]
  .filter(tile => tile.checkVisibility()).map(tile => tile.id)"""


@pytest.fixture
def pitwall(free_port: int, tmp_path: Path) -> Iterator[Pitwall]:
    running = ForkedPitwall(free_port, tmp_path)
    running.add_user("boss", "admin")
    running.start()
    for extension in ("101", "102", "103"):
        running.hook("/Agent/ChangeStatus", extension=extension, status="on")
    is_called(running, "101")
    yield running
    running.stop()


def is_called(pitwall: Pitwall, extension: str, event: str = "RING", callid: str = "c1") -> None:
    pitwall.hook(
        "/callcenter/call_in",
        callid=callid,
        phone=NUMBER,
        extension=extension,
        queue="999",
        event=event,
    )


def boss_of(browser: Browser, pitwall: Pitwall) -> Page:
    page = browser.new_context(locale="en-GB").new_page()
    sign_in(page.context, pitwall.url, "boss")
    page.goto(pitwall.url)
    return page


def hung_up(
    pitwall: Pitwall, page: Page, browser: Browser, layout: str = "overview", **chosen: str
) -> Page:
    """`page` as a wall that an administrator has let in."""
    page.goto(f"{pitwall.url}/wall")
    boss = boss_of(browser, pitwall)
    boss.goto(f"{pitwall.url}/admin/walls")
    form = boss.locator("form", has=boss.get_by_role("button", name="Let it in"))
    form.get_by_label("Code").fill(page.locator(".code").inner_text())
    form.get_by_label("Name").fill("Hall")
    form.locator("[name=layout]").select_option(layout)
    for name, value in chosen.items():
        field = form.locator(f"[name={name}]")
        if name == "queues":
            form.get_by_label("Only these").check()
            field.fill(value)
        else:
            field.select_option(value)
    form.get_by_role("button", name="Let it in").click()
    expect(boss.get_by_role("status")).to_contain_text("Hall")
    boss.context.close()
    page.wait_for_url("**/wall")
    page.wait_for_selector("body[data-link=live]")
    return page


def refusals_were_asked_for(page: Page, complaints: list[str]) -> None:
    page.wait_for_timeout(500)
    words = ("ERR_", "WebSocket", "ws:error", "401")
    complaints[:] = [one for one in complaints if not any(word in one for word in words)]


def test_a_screen_that_was_let_in_shows_its_layout_for_good(
    pitwall: Pitwall, page: Page, browser: Browser
) -> None:
    hung_up(pitwall, page, browser, "queue", queues="999", masking="hidden", theme="light")

    expect(page.locator("h1")).to_have_text("999")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.locator("#waiting li")).to_have_count(1)
    assert NUMBER[-3:] not in page.locator("#waiting").inner_text()
    page.reload()
    page.wait_for_selector("body[data-link=live]")
    expect(page.locator("#tiles")).to_have_count(0)


def test_a_wall_whose_queue_and_theme_are_changed_shows_them_everywhere(
    pitwall: Pitwall, page: Page, browser: Browser, complaints: list[str]
) -> None:
    hung_up(pitwall, page, browser, "queue", queues="999", theme="light")
    boss = boss_of(browser, pitwall)
    boss.goto(f"{pitwall.url}/admin/walls")
    boss.locator("summary", has_text="Hall").click()
    hung = boss.locator("details[open]")
    hung.locator("[name=queues]").fill("888")
    hung.locator("[name=theme]").select_option("dark")
    hung.get_by_role("button", name="Save").click()

    expect(page.locator("h1")).to_have_text("888")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("body")).to_have_attribute("data-link", "live")
    expect(page.locator("#waiting li")).to_have_count(0)
    boss.context.close()
    refusals_were_asked_for(page, complaints)


def test_news_reach_the_wall_and_beyond_its_target_a_figure_stands_out(
    pitwall: Pitwall, page: Page, browser: Browser
) -> None:
    hung_up(pitwall, page, browser)
    for number in range(6):
        is_called(pitwall, "102", callid=f"w{number}")

    expect(page.locator("[data-name=waiting] .value")).to_have_text("7")
    expect(page.locator("[data-name=waiting]")).to_have_attribute("data-bad", "")


def test_a_wall_whose_server_freezes_says_since_when_and_stops_its_timers(
    pitwall: Pitwall, page: Page, browser: Browser
) -> None:
    hung_up(pitwall, page, browser)
    pitwall.signal(signal.SIGSTOP)
    page.wait_for_selector("body[data-link=stale]", timeout=13_000)

    expect(page.locator("#banner")).to_contain_text("No data since")
    ghost = page.evaluate("getComputedStyle(document.body, '::after').backgroundImage")
    assert "repeating-linear-gradient" in ghost
    timers = page.locator(".agent time, #now").all_inner_texts()
    page.wait_for_timeout(1500)
    assert page.locator(".agent time, #now").all_inner_texts() == timers

    pitwall.signal(signal.SIGCONT)
    page.wait_for_selector("body[data-link=live]", timeout=15_000)
    expect(page.locator("#banner")).to_be_empty()


def test_a_wall_survives_a_restart_and_reloads_for_a_new_build_only_when_it_is_answered(
    pitwall: Pitwall, page: Page, browser: Browser, complaints: list[str]
) -> None:
    page.add_init_script("Math.random = () => 0")
    hung_up(pitwall, page, browser)
    page.evaluate("window.sameDocument = true")
    pitwall.stop()
    page.wait_for_selector("body[data-link=stale]")
    # Earlier, the last frame before the end would have asked for the reload.
    page.evaluate("document.body.dataset.build = 'an older one'")
    page.wait_for_timeout(1500)
    assert page.evaluate("window.sameDocument")

    pitwall.start()
    page.wait_for_function("() => !window.sameDocument", timeout=30_000)
    page.wait_for_selector("body[data-link=live]", timeout=30_000)
    refusals_were_asked_for(page, complaints)


def test_a_wall_that_is_turned_off_shows_nothing_any_more(
    pitwall: Pitwall, page: Page, browser: Browser, complaints: list[str]
) -> None:
    hung_up(pitwall, page, browser)
    boss = boss_of(browser, pitwall)
    boss.goto(f"{pitwall.url}/admin/walls")
    boss.locator("summary", has_text="Hall").click()
    boss.get_by_role("button", name="Turn it off now").click()

    page.wait_for_url("**/pair", timeout=15_000)
    boss.context.close()
    refusals_were_asked_for(page, complaints)


def test_who_is_signed_in_sees_how_a_wall_would_look(browser: Browser, pitwall: Pitwall) -> None:
    boss = boss_of(browser, pitwall)
    boss.goto(f"{pitwall.url}/wall?layout=agents&theme=light")
    boss.wait_for_selector("body[data-link=live][data-layout=agents]")

    is_called(pitwall, "102", event="ANSWER", callid="c2")
    expect(boss.locator("#a-102")).to_contain_text("Talks")
    boss.context.close()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_that_is_written_can_be_read_from_five_metres(
    page: Page, layout: str, size: tuple[int, int]
) -> None:
    fed(page, layout, size)

    assert page.evaluate(SMALL_TEXTS, LEAST_CAPITALS) == []
    assert page.evaluate(CUT_OFF, MUST_FIT) == []
    width, height = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert (width, height) == size


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)], ids=str)
def test_vietnamese_words_fit_as_well(page: Page, size: tuple[int, int]) -> None:
    fed(page, "overview", size, "vi")

    assert page.locator("html").get_attribute("lang") == "vi"
    assert page.evaluate(CUT_OFF, MUST_FIT) == []


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("language", "words"), [("en", "own targets"), ("vi", "mục tiêu riêng")])
def test_that_queues_have_targets_of_their_own_fits_as_well(
    page: Page, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], language: str, words: str
) -> None:
    monkeypatch.setattr(wall_soak, "FIGURES", replace(FIGURES, service_level_s=None))
    fed(page, "overview", size, language)

    expect(page.locator("[data-name=longest] .target")).to_have_text(words)
    assert page.evaluate(CUT_OFF, MUST_FIT) == []


def fed(
    page: Page,
    layout: str = "overview",
    size: tuple[int, int] = (1920, 1080),
    language: str = "en",
) -> Feed:
    """The wall with a busy floor that stands still."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    feed = Feed(layout, language)
    open_wall(page, feed, frames=1, is_still=True)
    page.wait_for_selector("body[data-link=live]")
    return feed


def test_tiles_that_do_not_fit_are_paged_until_everybody_was_seen(page: Page) -> None:
    page.clock.install()
    feed = fed(page)
    here = {f"a-{card.extension}" for card in feed.cards if card.status is not Status.OFF}
    seen: list[str] = page.evaluate(VISIBLE_AGENTS)
    assert 0 < len(seen) < len(here)

    pages = int(page.locator("[data-pages-of=agents]").inner_text().split("/")[1])
    for _ in range(pages - 1):
        page.clock.fast_forward(12_100)
        seen += page.evaluate(VISIBLE_AGENTS)
    assert sorted(seen) == sorted(here)


def test_few_tiles_grow_until_they_fill_the_screen(page: Page) -> None:
    feed = Feed("agents")
    feed.cards = [replace(card, status=Status.ON) for card in feed.cards[:6]]
    page.set_viewport_size({"width": 1920, "height": 1080})
    open_wall(page, feed, frames=1, is_still=True)
    page.wait_for_selector("body[data-link=live]")

    box = page.locator("#a-101").bounding_box()
    assert box is not None
    assert box["height"] > 200


def test_a_pause_past_its_planned_end_shows_by_itself(page: Page) -> None:
    feed = Feed("agents")
    resting = replace(feed.cards[0], status=Status.PAUSE, in_doubt=False, other_call=False)
    feed.cards = [replace(resting, pause_until=resting.since), *feed.cards[1:3]]
    open_wall(page, feed, frames=1, is_still=True)

    tile = page.locator("#a-101[data-over]")
    expect(tile.locator("b.late")).to_be_visible()
    expect(tile.locator(".state b:not(.late)")).to_be_hidden()
    expect(tile.locator(".block .i-late")).to_be_visible()


def test_a_wall_weighs_the_same_after_many_updates(browser: Browser) -> None:
    first, *_, last = soaked(browser, updates=900, samples=3)

    assert last.heap < first.heap + 1.0
    assert last.nodes < first.nodes + AGENTS * 5
    assert last.listeners <= first.listeners
