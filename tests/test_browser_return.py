"""How a page comes back: spread, ever more seldom until there is data, one attempt at a time."""

import time

import pytest
from playwright.sync_api import Page, WebSocketRoute

from tests.wall_soak import Feed, open_wall

pytestmark = pytest.mark.browser

# `attempts`: for each one, how many others were open or under way when the page made it.
WATCH = """(() => {
    Object.assign(window, { attempts: [], opened: 0, ended: 0, frames: 0 });
    const made = [];
    const Usual = window.WebSocket;
    window.WebSocket = class extends Usual {
        constructor(...told) {
            window.attempts.push(made.filter(one => one.readyState < 2).length);
            super(...told);
            made.push(this);
        }
    };
    document.addEventListener("htmx:ws:after:connection", () => { window.opened += 1; });
    document.addEventListener("htmx:ws:after:message:incoming", () => { window.frames += 1; });
    document.addEventListener("htmx:ws:close", event => {
        if (event.detail.reason === "closed") window.ended += 1;
    });
})()"""


class Server:
    """Accepts every connection, and from then on does what the test says."""

    def __init__(self, page: Page, chance: float) -> None:
        """`chance` is what the page's dice always show, from 0 to 1. Time stands still."""
        self._page = page
        self._feed = Feed()
        self._sockets: list[WebSocketRoute] = []
        page.clock.install()
        page.add_init_script(f"Math.random = () => {chance}")
        open_wall(page, self._feed, serves=self._accept)
        while not self._sockets:
            page.wait_for_timeout(20)
        page.clock.pause_at(time.time() + 5)
        page.evaluate(WATCH)
        self.speaks()

    def _accept(self, socket: WebSocketRoute) -> None:
        self._sockets.append(socket)

    def speaks(self) -> None:
        """One frame; return when the page has put it."""
        before = int(self._page.evaluate("frames"))
        self._feed.sent = 0
        self._sockets[-1].send(self._feed.frame())
        self._page.wait_for_function("before => frames > before", arg=before)

    def hangs_up(self) -> None:
        before = int(self._page.evaluate("ended"))
        self._sockets[-1].close(code=1011)
        self._page.wait_for_function("before => ended > before", arg=before)

    def is_asked_after(self, seconds: float, within: float = 0.3) -> None:
        """Not before, and then once; return when that was accepted."""
        before, opened = self.attempts, int(self._page.evaluate("opened"))
        self._page.clock.run_for(round((seconds - 0.2) * 1000))
        assert self.attempts == before
        for _ in range(round(within * 10)):
            if self.attempts == before:
                self._page.clock.run_for(100)
        assert self.attempts == before + 1
        self._page.wait_for_function("before => opened > before", arg=opened)

    @property
    def attempts(self) -> int:
        return int(self._page.evaluate("attempts.length"))

    @property
    def were_one_at_a_time(self) -> bool:
        return not any(self._page.evaluate("attempts"))


def test_a_server_that_accepts_and_hangs_up_is_asked_ever_more_seldom(page: Page) -> None:
    server = Server(page, chance=1)
    for seconds in (1, 2, 4, 8, 16, 32, 64, 64):
        server.hangs_up()
        server.is_asked_after(seconds)

    assert server.were_one_at_a_time


def test_data_ends_the_growth(page: Page) -> None:
    server = Server(page, chance=1)
    for seconds in (1, 2, 4):
        server.hangs_up()
        server.is_asked_after(seconds)
    server.speaks()

    server.hangs_up()
    server.is_asked_after(1)


@pytest.mark.parametrize("chance", [0, 1])
def test_a_silent_server_is_left_after_twelve_seconds_and_a_growing_spread(
    page: Page, chance: int
) -> None:
    server = Server(page, chance)
    # The page looks once a second whether there was silence.
    for spread in (1, 2, 4, 8):
        server.is_asked_after(12 + chance * spread, within=1.3)

    assert server.were_one_at_a_time


def test_who_speaks_before_the_spread_is_over_is_not_left(page: Page) -> None:
    server = Server(page, chance=1)
    page.clock.run_for(12_980)
    server.speaks()
    page.clock.run_for(5_000)

    assert server.attempts == 0
