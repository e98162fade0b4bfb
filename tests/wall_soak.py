"""A wall in a real Chromium that is fed as fast as it asks: what is left after N updates.

`python -m tests.wall_soak 10000` prints the table that docs/wall.md has.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, WebSocketRoute, sync_playwright

from app.audience import Audience
from app.domain.states import Status
from app.domain.view import AgentCard, Totals, WaitingRow
from app.render import Renderer
from app.screen import Screen
from app.web.board import drawn
from app.web.viewer import understood
from tests.browser_setup import ARGUMENTS, find_chromium
from tests.test_render import AGENT, CALLER, FIGURES, TILE, AFloor

STATIC = Path(__file__).parent.parent / "static"
HOST = "http://wall.test"
BUILD = "b1"
AGENTS = 60
CHANGED = 12
NAMES = ["Sales", "Chăm sóc khách hàng", "Billing", "Support", "Khiếu nại", "VIP"]
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff": "font/woff",
}


@dataclass(frozen=True, slots=True)
class Weight:
    """What the page weighs after so many updates; memory in MB."""

    updates: int
    heap: float
    nodes: int
    listeners: int


class ABusyFloor(AFloor):
    """Somebody waits for a quarter of an hour, and more than a hundred were served."""

    def totals(self, queues: frozenset[str] | None = None) -> Totals:
        agents = {status: sum(card.status is status for card in self.agents) for status in Status}
        longest = now() - 14 * 60_000
        return Totals(112, longest, 5, agents, 0, FIGURES, to_call_back=27, oldest_t=20)


class Feed:
    """A busy floor of `AGENTS` agents: each frame changes a fifth, some also who is there."""

    def __init__(self, layout: str = "overview", language: str = "en") -> None:
        self._chance = random.Random(7)
        self._audience = Audience(page="wall", layout=layout, language=language, masked=True)
        self._renderer = Renderer(build=BUILD)
        self.cards = [self._card(101 + number) for number in range(AGENTS)]
        self.screen = Screen(now, BUILD, frame_s=0)
        self.sent = 0
        self.rests = False
        # What the page asked for while it rested.
        self.asked: Callable[[], None] = lambda: None
        self._draw()

    def page(self) -> str:
        return self._renderer.page(
            "wall.html",
            self._audience.language,
            name="Soak",
            layout=self._audience.layout,
            theme="dark",
            feed="/wall/live",
            board=drawn(self.screen),
            zone="UTC",
        )

    def frame(self, *, is_still: bool = False) -> str:
        """The next one, as if the wall had seen all before."""
        seen = self.screen.version if self.sent else 0
        if not is_still:
            self._change()
        self._draw()
        self.sent += 1
        return self.screen.since(seen)

    def _change(self) -> None:
        for index in self._chance.sample(range(len(self.cards)), CHANGED):
            self.cards[index] = self._card(int(self.cards[index].extension))
        if self._chance.random() < 0.02:
            self.cards = [self._card(101 + number) for number in range(AGENTS - 2)]
        elif len(self.cards) < AGENTS:
            self.cards = [self._card(101 + number) for number in range(AGENTS)]

    def _card(self, extension: int) -> AgentCard:
        status = self._chance.choice(list(Status))
        until = now() + self._chance.randrange(-5, 5) * 1000
        return replace(
            AGENT,
            extension=str(extension),
            name=f"Nguyễn Văn {extension}",
            status=status,
            since=now() - self._chance.randrange(90_000 if status is Status.RING else 4_000_000),
            pause_until=until if status is Status.PAUSE else None,
            in_doubt=self._chance.random() < 0.05,
        )

    def _draw(self) -> None:
        waiting = [self._caller(number) for number in range(self._chance.randrange(9))]
        tiles = [
            replace(
                TILE,
                queue=str(900 + number),
                name=NAMES[number],
                waiting=self._chance.randrange(5),
                oldest=now() - self._chance.randrange(900_000),
            )
            for number in range(6)
        ]
        drawing = self._renderer.everything(ABusyFloor(self.cards, tiles, waiting), self._audience)
        self.screen.update(drawing.fragments, drawing.lists, now())

    def _caller(self, number: int) -> WaitingRow:
        return replace(CALLER, callid=f"w{self._chance.randrange(10**9)}", since=now() - number)


def now() -> int:
    return round(time.time() * 1000)


def open_wall(
    page: Page,
    feed: Feed,
    frames: int = 0,
    *,
    is_still: bool = False,
    serves: Callable[[WebSocketRoute], object] | None = None,
) -> None:
    """The wall's page with its own scripts and styles, and a server that is this program.

    `frames`: so many and no more, 0: as many as it asks for. `is_still`: nobody on the
    floor does anything. `serves`: does something else with each connection.
    """

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(HOST)
        if path == "/wall":
            route.fulfill(body=feed.page(), content_type="text/html")
        elif path.startswith(f"/static/{BUILD}/"):
            file = STATIC / path.removeprefix(f"/static/{BUILD}/")
            route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
        else:
            route.fulfill(status=204)

    def serve(socket: WebSocketRoute) -> None:
        feed.sent = 0
        socket.on_message(lambda said: send_ahead(socket, str(said)))
        send(socket)

    def send_ahead(socket: WebSocketRoute, said: str) -> None:
        if feed.rests:
            feed.asked = partial(send_ahead, socket, said)
            return
        shown, ahead = understood(said) or (0, 0)
        for _ in range(ahead - (feed.screen.version - shown)):
            send(socket)

    def send(socket: WebSocketRoute) -> None:
        if not frames or feed.sent < frames:
            socket.send(feed.frame(is_still=is_still))

    page.route(f"{HOST}/**", answer)
    page.route_web_socket("**/wall/live*", serves or serve)
    page.goto(f"{HOST}/wall")


def weights(page: Page, feed: Feed, updates: int, samples: int = 5) -> Iterator[Weight]:
    """Weigh the page after each share of the updates: no frame comes meanwhile, and the garbage is
    collected before, twice, because what goes first may have held what was replaced.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.enable")
    for number in range(1, samples + 1):
        while feed.sent < updates * number // samples:
            page.wait_for_timeout(50)
        feed.rests, feed.asked = True, lambda: None
        for _ in range(2):
            page.wait_for_timeout(200)
            session.send("HeapProfiler.collectGarbage")
        metrics = session.send("Performance.getMetrics")["metrics"]
        found = {metric["name"]: metric["value"] for metric in metrics}
        yield Weight(
            feed.sent,
            round(found["JSHeapUsedSize"] / 1e6, 2),
            int(found["Nodes"]),
            int(found["JSEventListeners"]),
        )
        feed.rests = False
        feed.asked()


def soaked(browser: Browser, updates: int, samples: int) -> list[Weight]:
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    feed = Feed()
    open_wall(page, feed)
    taken = list(weights(page, feed, updates, samples))
    page.close()
    return taken


def main() -> None:
    updates = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        print(f"Chromium {browser.version}, {AGENTS} agents, {CHANGED} of them change per update")
        print("| updates | JS heap, MB | DOM nodes | listeners |\n| --- | --- | --- | --- |")
        for weight in soaked(browser, updates, 10):
            print(f"| {weight.updates} | {weight.heap} | {weight.nodes} | {weight.listeners} |")
        browser.close()


if __name__ == "__main__":
    main()
