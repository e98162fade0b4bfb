"""axe-core finds nothing on any page, in either theme: names, roles, contrast, order, landmarks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from starlette.routing import Route

from app.main import ROUTES
from tests.forked import ForkedPitwall
from tests.running import Pitwall
from tests.signing_in import sign_in

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
# Answers that are no pages: data, files, redirects, parts of pages.
NO_PAGES = (
    "/api/", "/health/", "/metrics", "/alive", "/wall/alive", "/export/", "/login/oidc", "/static",
    "/hook/", "/{rest", "/admin/audit/export", "/alarms/export", "/setup/", "/day/heat",
    "/rewind/board", "/admin/queues/effect",
)  # fmt: skip
# One of each for the paths that name something.
EXAMPLES = {"{extension}": "101", "{queue}": "999", "{callid}": "c1"}
WALLS = ["/wall?layout=overview", "/wall?layout=queue&queue=999", "/wall?layout=agents"]
STRANGERS = ["/login", "/pair", "/setup/wrong"]


def pages() -> Iterator[str]:
    """Every page of the application, by its routes: a new one is looked at without being told."""
    for route in ROUTES:
        if not isinstance(route, Route) or "GET" not in (route.methods or ()):
            continue
        path = route.path
        if path.startswith(NO_PAGES) or path.endswith("/events") or path in {"/wall", *STRANGERS}:
            continue
        for name, value in EXAMPLES.items():
            path = path.replace(name, value)
        yield path


@pytest.fixture(scope="module")
def pitwall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pitwall]:
    running = ForkedPitwall(free_port(), tmp_path_factory.mktemp("axe"))
    running.add_user("boss", "admin", "900")
    running.start()
    in_every_state(running)
    yield running
    running.stop()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_every_state(pitwall: Pitwall) -> None:
    """Somebody free, ringing, talking, paused, off; callers who wait and who gave up."""
    for number, status in enumerate(("on", "on", "on", "pause", "off", "talk")):
        pitwall.hook("/Agent/ChangeStatus", extension=str(101 + number), status=status)
    for callid, extension, event in (("c1", "101", "ANSWER"), ("c2", "102", "RING")):
        is_called(pitwall, callid, extension, event)
    is_called(pitwall, "c3", "103", "RING")
    pitwall.hook(
        "/callcenter/calldata", callid="c3", calldate="2030-01-01 10:00:00", extension="103",
        phone="0938363740", status="ABANDON", queue="999", holdtime="12",
    )  # fmt: skip


def is_called(pitwall: Pitwall, callid: str, extension: str, event: str) -> None:
    pitwall.hook(
        "/callcenter/call_in", callid=callid, phone="0938363739", extension=extension,
        queue="999", event=event,
    )  # fmt: skip


@pytest.fixture(scope="module", params=["dark", "light"])
def signed_in(
    request: pytest.FixtureRequest, browser: Browser, pitwall: Pitwall
) -> Iterator[BrowserContext]:
    visitor = browser.new_context(
        color_scheme=request.param, viewport={"width": 1280, "height": 800}, locale="en-GB"
    )
    visitor.add_init_script(path=AXE)
    sign_in(visitor, pitwall.url, "boss")
    yield visitor
    visitor.close()


@pytest.fixture
def look(signed_in: BrowserContext, pitwall: Pitwall) -> Iterator[Callable[[str], Page]]:
    page = signed_in.new_page()

    def at(path: str) -> Page:
        answer = page.goto(pitwall.url + path)
        assert answer is not None
        assert answer.status < 500, answer.text()
        return page

    yield at
    page.close()


def faults(page: Page) -> list[str]:
    """What axe says, one line for each element."""
    found: dict[str, Any] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations'], elementRef: false})"
    )
    return [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("path", sorted(set(pages())))
def test_axe_finds_nothing_on_a_page(look: Callable[[str], Page], path: str) -> None:
    assert faults(look(path)) == []


@pytest.mark.parametrize("path", WALLS)
def test_axe_finds_nothing_on_a_wall(look: Callable[[str], Page], path: str) -> None:
    page = look(path)
    page.wait_for_selector("body[data-link=live]")

    assert faults(page) == []


def test_axe_finds_nothing_on_the_live_board_with_all_that_opens(
    look: Callable[[str], Page],
) -> None:
    page = look("/")
    page.wait_for_selector("body[data-link=live]")
    page.locator("#totals .prove").nth(2).click()
    expect(page.locator("#tip")).to_be_visible()
    assert faults(page) == []

    page.locator("#a-101 summary").click()
    assert faults(page) == []
    page.locator("#a-101 .why").click()
    expect(page.locator("#story .story li").first).to_be_visible()
    assert faults(page) == []


def test_axe_finds_nothing_on_the_board_of_a_phone(look: Callable[[str], Page]) -> None:
    page = look("/login")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(page.url.replace("/login", "/"))
    page.wait_for_selector("body[data-link=live]")

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert faults(page) == []


@pytest.mark.parametrize("path", STRANGERS)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_before_somebody_signs_in(
    browser: Browser, pitwall: Pitwall, theme: Any, path: str
) -> None:
    stranger = browser.new_context(color_scheme=theme)
    stranger.add_init_script(path=AXE)
    page = stranger.new_page()
    page.goto(pitwall.url + path)
    found = faults(page)
    stranger.close()

    assert found == []
