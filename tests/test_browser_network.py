"""A board whose network is cut, or that slept: a person is told, and old figures are never live."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.cable import Cable
from tests.forked import ForkedPitwall
from tests.running import Pitwall
from tests.signing_in import sign_in

pytestmark = pytest.mark.browser

LIVE = "body[data-link=live]"
STALE = "body[data-link=stale]"
STALE_WITHIN_S = 12
# A page that wakes up has a second for its timer, and one to say it.
AWAKE_WITHIN_MS = 3_000
TEN_MINUTES_MS, A_MINUTE_MS = 661_000, 61_000
# What the page says of its link, each time with the status that it shows of an agent.
WATCH = """() => {
    window.said = [];
    const { dataset } = document.body;
    const shown = () => document.getElementById("a-101").dataset.status;
    const note = () => said.push([dataset.link, shown()]);
    new MutationObserver(note).observe(document.body, { attributeFilter: ["data-link"] });
}"""
# The last marker, without its moment.
UNREADABLE = """() => {
    const beat = document.getElementById("beat").cloneNode();
    beat.setAttribute("hx-swap-oob", "outerMorph");
    beat.dataset.now = "17x";
    return beat.outerHTML;
}"""
# A machine that sleeps stops the clock of timers and of `performance`, on many systems.
SLEPT = "{ const now = Date.now; Date.now = () => now() + 20 * 60000; }"


@pytest.fixture
def cable(free_port: int) -> Iterator[Cable]:
    with Cable(free_port) as laid:
        yield laid


@pytest.fixture
def pitwall(free_port: int, tmp_path: Path, cable: Cable) -> Iterator[Pitwall]:
    """Boards reach it through the cable, webhooks past it."""
    running = ForkedPitwall(free_port, tmp_path, PITWALL_PUBLIC_URL=cable.url)
    running.add_user("ann", "supervisor", "900")
    running.start()
    running.hook("/Agent/ChangeStatus", extension="101", status="on")
    yield running
    running.stop()


@pytest.fixture
def board(pitwall: Pitwall, cable: Cable, page: Page) -> Page:
    sign_in(page.context, cable.url, "ann")
    page.goto(cable.url)
    page.wait_for_selector(LIVE)
    return page


@pytest.fixture
def clock(page: Page) -> None:
    """The page's clock may be turned forward."""
    page.clock.install()


@pytest.fixture
def passing(page: Page) -> list[bool]:
    """While there is something in it, sockets are passed on; then they open, and stay silent."""
    passes = [True]

    def pass_on(socket: WebSocketRoute) -> None:
        if passes:
            socket.connect_to_server()

    page.route_web_socket("**/live*", pass_on)
    return passes


@pytest.fixture
def sockets(page: Page) -> list[WebSocketRoute]:
    """The page's ends of the sockets it opened, the newest last."""
    opened = list[WebSocketRoute]()

    def pass_on(socket: WebSocketRoute) -> None:
        opened.append(socket)
        socket.connect_to_server()

    page.route_web_socket("**/live*", pass_on)
    return opened


@pytest.fixture(autouse=True)
def _lost_connections_are_asked_for(page: Page, complaints: list[str]) -> Iterator[None]:
    yield
    page.close()
    words = ("ERR_", "WebSocket", "ws:error")
    complaints[:] = [one for one in complaints if not any(word in one for word in words)]


def cut_and_changed(pitwall: Pitwall, cable: Cable) -> None:
    """The board can't know of the pause."""
    cable.cut()
    pitwall.hook("/Agent/ChangeStatus", extension="101", status="pause")


def catches_up(board: Page, cable: Cable) -> None:
    """From stale on: live it is only with the pause, once the network is there again."""
    board.evaluate(WATCH)
    cable.mend()
    expect(board.locator("#a-101")).to_have_attribute("data-status", "pause", timeout=30_000)
    board.wait_for_selector(LIVE, timeout=30_000)
    said = board.evaluate("said")
    assert ["live", "pause"] in said
    assert not [one for one in said if one in (["live", "on"], ["slow", "on"])]


def test_a_cut_network_is_told_within_twelve_seconds(
    board: Page, pitwall: Pitwall, cable: Cable
) -> None:
    cut_and_changed(pitwall, cable)
    cut = time.monotonic()
    board.wait_for_selector(STALE, timeout=STALE_WITHIN_S * 1000)
    assert time.monotonic() - cut < STALE_WITHIN_S

    expect(board.locator("#banner")).to_contain_text("Not live since")
    catches_up(board, cable)


def test_a_board_whose_machine_slept_says_at_once_that_it_is_not_live(
    board: Page, pitwall: Pitwall, cable: Cable
) -> None:
    cut_and_changed(pitwall, cable)
    board.evaluate(SLEPT)
    board.wait_for_selector(STALE, timeout=AWAKE_WITHIN_MS)

    catches_up(board, cable)


def test_a_tab_that_was_frozen_says_at_once_that_it_is_not_live(
    board: Page, pitwall: Pitwall, cable: Cable
) -> None:
    devtools = board.context.new_cdp_session(board)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    cut_and_changed(pitwall, cable)
    time.sleep(STALE_WITHIN_S)
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    board.wait_for_selector(STALE, timeout=AWAKE_WITHIN_MS)

    catches_up(board, cable)


def test_a_frame_that_is_not_what_the_server_sent_makes_the_board_ask_anew(
    sockets: list[WebSocketRoute], board: Page
) -> None:
    sockets[-1].send(board.evaluate(UNREADABLE))
    board.wait_for_function("() => document.getElementById('beat').dataset.now === '17x'")
    board.wait_for_function("() => Number(document.getElementById('beat').dataset.now)")
    board.wait_for_selector(LIVE)

    assert len(sockets) == 2


@pytest.mark.usefixtures("clock")
def test_a_board_that_is_answered_and_hears_nothing_for_ten_minutes_reloads(
    pitwall: Pitwall, page: Page, passing: list[bool], board: Page
) -> None:
    board.evaluate("window.sameDocument = true")
    passing.clear()
    pitwall.stop()
    pitwall.start()
    board.wait_for_selector(STALE)
    board.clock.fast_forward(TEN_MINUTES_MS)
    board.wait_for_timeout(1_000)
    assert board.evaluate("window.sameDocument")

    passing.append(True)
    board.clock.fast_forward(A_MINUTE_MS)
    board.wait_for_function("() => !window.sameDocument")
    board.wait_for_selector(LIVE)


@pytest.mark.usefixtures("clock")
def test_a_board_whose_server_was_away_for_ten_minutes_goes_on_without_a_reload(
    pitwall: Pitwall, board: Page
) -> None:
    board.evaluate("window.sameDocument = true")
    pitwall.stop()
    board.wait_for_selector(STALE)
    for span in (TEN_MINUTES_MS, A_MINUTE_MS):
        board.clock.fast_forward(span)
        board.wait_for_timeout(1_000)
    pitwall.start()
    board.wait_for_selector(LIVE, timeout=30_000)
    board.clock.fast_forward(A_MINUTE_MS)
    board.wait_for_timeout(1_000)

    assert board.evaluate("window.sameDocument")
