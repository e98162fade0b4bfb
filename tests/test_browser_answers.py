"""Answers that lack what was asked for, in a real browser: nothing goes, and the page says so."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.forked import ForkedPitwall
from tests.running import Pitwall
from tests.signing_in import sign_in

pytestmark = pytest.mark.browser

OUT_OF_DATE = "No answer from the board: what is shown may be out of date."
UNKNOWN = "No answer from the board: whether it was done is unknown."
BAD_GATEWAY = "<html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"
POLLED_MS = 15_000


@pytest.fixture
def pitwall(free_port: int, tmp_path: Path) -> Iterator[Pitwall]:
    """One caller gave up."""
    running = ForkedPitwall(free_port, tmp_path)
    running.add_user("ann", "supervisor", "900")
    running.start()
    said = {"callid": "c1", "phone": "0938363739", "queue": "999"}
    running.hook("/callcenter/call_in", **said, extension="", event="RING")
    running.hook("/callcenter/calldata", **said, status="ABANDON", holdtime="9")
    running.hook("/callcenter/hangup", callid="c1")
    yield running
    running.stop()


@pytest.fixture
def visitor(pitwall: Pitwall, page: Page) -> Page:
    page.clock.install()
    sign_in(page.context, pitwall.url, "ann")
    page.goto(f"{pitwall.url}/abandons")
    expect(page.locator("#lines tbody tr")).to_have_count(1)
    # A form that is sent before the scripts ran is a plain one, whose answer is the next page.
    page.wait_for_load_state()
    return page


def bad_gateway(route: Route) -> None:
    """What a proxy answers while nothing is behind it."""
    route.fulfill(status=502, content_type="text/html", body=BAD_GATEWAY)


@pytest.mark.parametrize("answer", ["a bad gateway", "nothing at all", "an empty one"])
def test_a_list_that_gets_no_news_stays_says_so_and_heals(
    visitor: Page, complaints: list[str], answer: str
) -> None:
    answers = {
        "a bad gateway": bad_gateway,
        "nothing at all": lambda route: route.abort(),
        "an empty one": lambda route: route.fulfill(status=503, body=""),
    }
    visitor.route("**/abandons?*", answers[answer])
    visitor.clock.fast_forward(POLLED_MS)
    expect(visitor.locator("#unanswered")).to_have_text(OUT_OF_DATE)
    expect(visitor.locator("#lines tbody tr")).to_have_count(1)
    expect(visitor).to_have_title(re.compile("To call back"))

    visitor.unroute("**/abandons?*")
    visitor.clock.fast_forward(POLLED_MS)
    expect(visitor.locator("#unanswered")).to_be_hidden()
    expect(visitor.locator("#lines tbody tr")).to_have_count(1)
    complaints.clear()


def test_a_form_without_an_answer_stays_and_news_do_not_hide_that(
    visitor: Page, complaints: list[str]
) -> None:
    visitor.route("**/abandons?*", bad_gateway)
    visitor.get_by_role("button", name="Take on").click()
    expect(visitor.locator("#unanswered")).to_have_text(UNKNOWN)
    expect(visitor.get_by_role("button", name="Take on")).to_be_enabled()

    visitor.unroute("**/abandons?*")
    with visitor.expect_response("**/abandons?*"):
        visitor.clock.fast_forward(POLLED_MS)
    expect(visitor.locator("#unanswered")).to_have_text(UNKNOWN)
    visitor.get_by_role("button", name="Take on").click()
    expect(visitor.locator("#unanswered")).to_be_hidden()
    visitor.get_by_role("button", name="Let go").click()
    expect(visitor.get_by_role("button", name="Take on")).to_be_visible()
    complaints.clear()


def test_a_screen_to_be_paired_keeps_its_code_over_a_restart(
    pitwall: Pitwall, page: Page, complaints: list[str]
) -> None:
    page.goto(f"{pitwall.url}/pair")
    code = page.locator(".code").inner_text()
    page.route("**/pair", bad_gateway)
    expect(page.locator("#unanswered")).to_have_text(OUT_OF_DATE)
    expect(page.locator(".code")).to_have_text(code)

    page.unroute("**/pair")
    expect(page.locator("#unanswered")).to_be_hidden()
    expect(page.locator(".code")).to_have_text(code)
    complaints.clear()
