"""The board in a real browser: news without reload, and never old news as if it were new."""

import re
import signal
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.forked import ForkedPitwall
from tests.running import Pitwall
from tests.signing_in import sign_in

pytestmark = pytest.mark.browser

LIVE = "body[data-link=live]"
STALE = "body[data-link=stale]"
# What judges the feed, and not what counts, is told that a minute has passed without a tick.
LATE_BY_A_MINUTE = "{ const now = pitwall.serverNow; pitwall.serverNow = () => now() + 60000; }"
WATCH_FRAMES = """() => {
    window.frames = 0;
    document.addEventListener("htmx:ws:after:message:incoming", () => { window.frames += 1; });
}"""
# The next painting takes 120 ms, those after it take what they take.
SLOW_FOR_ONCE = """() => {
    const usual = window.requestAnimationFrame;
    window.requestAnimationFrame = paint => {
        window.requestAnimationFrame = usual;
        return setTimeout(paint, 120);
    };
}"""
# Two ticks of 5 s must be missed, and a person may be told 12 s after the feed died.
STALE_WITHIN_S = 12


@pytest.fixture
def pitwall(free_port: int, tmp_path: Path) -> Iterator[Pitwall]:
    running = ForkedPitwall(free_port, tmp_path)
    running.add_user("ann", "supervisor", "900")
    running.add_user("boss", "admin")
    running.start()
    for extension in ("101", "102", "103"):
        running.hook("/Agent/ChangeStatus", extension=extension, status="on")
    yield running
    running.stop()


@pytest.fixture
def board(pitwall: Pitwall, page: Page) -> Page:
    return opened(page, pitwall)


def opened(page: Page, pitwall: Pitwall) -> Page:
    if not page.context.cookies():
        sign_in(page.context, pitwall.url, "ann")
    page.goto(pitwall.url)
    page.wait_for_selector(LIVE)
    return page


def is_called(pitwall: Pitwall, extension: str, callid: str = "c1", event: str = "RING") -> None:
    pitwall.hook(
        "/callcenter/call_in",
        callid=callid,
        phone="0938363739",
        extension=extension,
        queue="999",
        event=event,
    )


def connection_is_refused(complaints: list[str]) -> None:
    """A browser complains about every refused connection; here that's what was asked for."""
    refusals = ("ERR_", "WebSocket", "ws:error", "401")
    complaints[:] = [one for one in complaints if not any(word in one for word in refusals)]


def test_the_page_is_of_use_before_any_script_runs(
    pitwall: Pitwall, page: Page, complaints: list[str]
) -> None:
    sign_in(page.context, pitwall.url, "ann")
    page.route("**/*.js", lambda route: route.abort())
    page.goto(pitwall.url)

    expect(page.locator("#a-101")).to_contain_text("Free")
    expect(page.locator("#link")).to_have_text("Connecting")
    connection_is_refused(complaints)


def test_a_webhook_changes_a_card_without_reload(board: Page, pitwall: Pitwall) -> None:
    board.evaluate("window.sameDocument = true")
    is_called(pitwall, "102")

    expect(board.locator("#a-102")).to_contain_text("Ringing")
    expect(board.locator("#a-102 .phone")).to_have_text("0938363739")
    expect(board.locator("#waiting")).to_contain_text("0938363739")
    is_called(pitwall, "102", event="ANSWER")
    expect(board.locator("#a-102")).to_contain_text("Talking")
    expect(board.locator("#waiting")).to_contain_text("Nobody waits")
    assert board.evaluate("window.sameDocument")


def test_a_new_agent_takes_the_place_that_the_order_gives(board: Page, pitwall: Pitwall) -> None:
    pitwall.hook("/Agent/ChangeStatus", extension="99", status="pause")

    expect(board.locator("#agents > article")).to_have_count(4)
    ids = board.eval_on_selector_all("#agents > article", "cards => cards.map(card => card.id)")
    assert ids == ["a-99", "a-101", "a-102", "a-103"]


def test_two_browsers_show_the_same(board: Page, pitwall: Pitwall, context: BrowserContext) -> None:
    other = opened(context.new_page(), pitwall)
    is_called(pitwall, "103", event="ANSWER")

    for page in (board, other):
        expect(page.locator("#a-103")).to_contain_text("Talking")
        expect(page.locator("#count-talk")).to_have_text("1")
        expect(page.locator("#count-on")).to_have_text("2")


def test_time_in_status_goes_on_by_itself(board: Page) -> None:
    timer = board.locator("#a-101 time")
    first = timer.inner_text()

    expect(timer).not_to_have_text(first)
    assert timer.inner_text().startswith("0:")


def test_a_restart_is_told_and_then_made_good(
    board: Page, pitwall: Pitwall, complaints: list[str]
) -> None:
    pitwall.stop()
    board.wait_for_selector(STALE)
    expect(board.locator("#banner")).to_contain_text("Not live since")

    pitwall.start()
    is_called(pitwall, "101", event="ANSWER")
    board.wait_for_selector(LIVE, timeout=30_000)
    expect(board.locator("#a-101")).to_contain_text("Talking")
    expect(board.locator("#banner")).to_be_hidden()
    connection_is_refused(complaints)


def test_a_dead_feed_is_told_within_twelve_seconds(board: Page, pitwall: Pitwall) -> None:
    pitwall.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    board.wait_for_selector(STALE, timeout=STALE_WITHIN_S * 1000)
    assert time.monotonic() - stopped < STALE_WITHIN_S

    timer = board.locator("#a-101 time")
    frozen = timer.inner_text()
    board.wait_for_timeout(1_500)
    assert timer.inner_text() == frozen

    pitwall.signal(signal.SIGCONT)
    board.wait_for_selector(LIVE, timeout=15_000)


def test_news_on_a_board_that_is_not_live_show_spans_and_not_hours(
    board: Page, pitwall: Pitwall
) -> None:
    board.evaluate(LATE_BY_A_MINUTE)
    is_called(pitwall, "101")
    board.wait_for_selector(STALE)

    expect(board.locator("#waiting li time")).to_have_text(re.compile(r"^0:0\d$"))
    expect(board.locator("#a-101 time").first).to_have_text(re.compile(r"^0:0\d$"))


def test_an_open_menu_and_the_focus_survive_updates(board: Page, pitwall: Pitwall) -> None:
    board.locator("#a-101 summary").click()
    board.locator("#a-102 summary").focus()
    for event in ("RING", "ANSWER"):
        is_called(pitwall, "101", event=event)
        is_called(pitwall, "102", callid="c2", event=event)
    expect(board.locator("#a-102 .status")).to_contain_text("Talking")

    expect(board.locator("#a-101 details .facts")).to_be_visible()
    expect(board.locator("#a-102 summary")).to_be_focused()


def test_a_click_during_updates_is_not_lost(board: Page, pitwall: Pitwall) -> None:
    # A queue's tile comes with its first call, and moves what stands below: before, not between.
    is_called(pitwall, "101", callid="first", event="ANSWER")
    pitwall.hook("/callcenter/hangup", callid="first")
    board.wait_for_selector("#tiles > *")
    button = board.locator("[data-filter-status=talk]")
    for number in range(10):
        button.hover(position={"x": 10, "y": 10})
        board.mouse.down()
        is_called(pitwall, "101", callid=f"c{number}", event="ANSWER")
        board.wait_for_timeout(60)
        board.mouse.up()
        pitwall.hook("/callcenter/hangup", callid=f"c{number}")
        expect(button).to_have_attribute("aria-pressed", "true" if number % 2 == 0 else "false")


def test_no_frame_is_applied_while_a_button_is_held(board: Page, pitwall: Pitwall) -> None:
    board.locator("#a-103 summary").hover()
    board.mouse.down()
    is_called(pitwall, "101")
    board.wait_for_timeout(700)
    assert "Free" in board.locator("#a-101").inner_text()

    board.mouse.up()
    expect(board.locator("#a-101")).to_contain_text("Ringing")


def said_by(page: Page, pitwall: Pitwall) -> list[str]:
    """What the page answers to a dozen frames."""
    said: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda text: said.append(str(text))))
    opened(page, pitwall)
    for status in ("pause", "on") * 6:
        pitwall.hook("/Agent/ChangeStatus", extension="101", status=status)
        page.wait_for_timeout(150)
    return said


def test_a_page_that_paints_as_frames_come_is_sent_several_ahead(
    pitwall: Pitwall, page: Page
) -> None:
    assert any(re.fullmatch(r"\d+ 8", one) for one in said_by(page, pitwall))


def test_a_page_that_is_slow_asks_for_one_frame_after_the_other(
    pitwall: Pitwall, page: Page
) -> None:
    page.add_init_script("window.requestAnimationFrame = paint => setTimeout(paint, 120)")

    said = said_by(page, pitwall)
    assert len(said) >= 6
    assert all(one.isdigit() for one in said)


def test_a_page_that_was_slow_for_once_is_sent_the_next_frames_at_once(
    board: Page, pitwall: Pitwall
) -> None:
    board.evaluate(WATCH_FRAMES)
    board.evaluate(SLOW_FOR_ONCE)
    for status in ("pause", "on") * 5:
        pitwall.hook("/Agent/ChangeStatus", extension="101", status=status)
        board.wait_for_timeout(150)

    assert board.evaluate("frames") >= 8


def test_filters_survive_updates_and_can_be_undone(board: Page, pitwall: Pitwall) -> None:
    board.locator("[data-filter-status=talk]").click()
    expect(board.locator("#none")).to_be_visible()

    is_called(pitwall, "102", event="ANSWER")
    expect(board.locator("#agents > article:visible")).to_have_count(1)
    board.locator("#clear").click()
    expect(board.locator("#agents > article:visible")).to_have_count(3)

    board.locator("#search").fill("103")
    expect(board.locator("#agents > article:visible")).to_have_count(1)


def test_the_order_chosen_is_kept_on_the_device(board: Page, pitwall: Pitwall) -> None:
    board.locator("#order").select_option("name")
    board.reload()
    board.wait_for_selector(LIVE)

    expect(board.locator("#order")).to_have_value("name")
    with board.expect_websocket() as opening:
        board.reload()
    assert "/live?" in opening.value.url
    assert opening.value.url.endswith("&order=name")


def test_selected_text_and_scrolling_survive_updates(board: Page, pitwall: Pitwall) -> None:
    board.set_viewport_size({"width": 390, "height": 600})
    board.evaluate("scrollTo(0, 100)")
    board.evaluate("getSelection().selectAllChildren(document.querySelector('#a-101 h3'))")
    is_called(pitwall, "101")
    expect(board.locator("#a-101")).to_contain_text("Ringing")

    assert board.evaluate("String(getSelection())").strip() == "Agent 101"
    assert board.evaluate("scrollY") == 100


def test_a_page_that_is_touched_before_all_of_it_has_come_goes_on(
    board: Page, pitwall: Pitwall
) -> None:
    board.evaluate("document.getElementById('tip').remove()")

    board.locator("#totals .prove").first.hover()
    board.locator("#totals .prove").first.click()
    board.keyboard.press("Tab")
    board.keyboard.press("Escape")
    board.mouse.wheel(0, 300)
    is_called(pitwall, "101")

    expect(board.locator("#a-101")).to_have_attribute("data-status", "ring")


def test_a_formula_is_reachable_by_keyboard(board: Page) -> None:
    board.locator("#totals .prove").nth(1).focus()
    board.keyboard.press("Tab")

    expect(board.locator("#tip")).to_contain_text("÷ (answered + abandoned")
    board.keyboard.press("Escape")
    expect(board.locator("#tip")).to_be_hidden()


def test_the_page_fits_a_phone(board: Page) -> None:
    board.set_viewport_size({"width": 390, "height": 844})

    assert board.evaluate("document.documentElement.scrollWidth") == 390


def test_a_viewer_who_is_signed_out_sees_no_more_of_the_board(
    board: Page, pitwall: Pitwall, context: BrowserContext, complaints: list[str]
) -> None:
    context.clear_cookies()
    board.evaluate("pitwall.connect()")

    expect(board.locator("#banner")).to_have_text("Signed out.")
    board.wait_for_url("**/login?next=/")
    connection_is_refused(complaints)


def test_webhooks_are_shown_with_what_became_of_them(page: Page, pitwall: Pitwall) -> None:
    sign_in(page.context, pitwall.url, "boss")
    page.goto(pitwall.url)
    page.wait_for_selector(LIVE)
    is_called(pitwall, "101")
    with pytest.raises(urllib.error.HTTPError):
        pitwall.hook("/callcenter/call_in", phone="0938363739", extension="101")
    page.goto(f"{pitwall.url}/diagnostics")

    problems = page.locator("section", has=page.locator("#problems"))
    expect(problems).to_contain_text("refused")
    expect(problems).to_contain_text("callid")
    expect(page.locator("body")).not_to_contain_text("0938363739")
