"""Every odd text at once on the screens of a real browser: all of it is text, none of it acts.

And a board that the server closes, for whatever reason, is whole again by itself.
"""

import socket
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, WebSocketRoute, expect

from tests.bad_cases import BY_NAME, group, runs
from tests.bad_inputs import FILE, Builder
from tests.forked import ForkedPitwall
from tests.running import TOKEN, Pitwall
from tests.signing_in import sign_in

pytestmark = pytest.mark.browser

Ends = tuple[WebSocketRoute, WebSocketRoute]
LIVE = "body[data-link=live]"
# What breaks out would run, be refused by the policy, or leave an element that no page of ours has.
WATCH = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation", event => {
        window.violations.push(event.violatedDirective + " " + event.blockedURI);
    });
"""
# Data for charts is no script but must be whole; what the charts draw positions itself.
STRANGE = """() => [...document.querySelectorAll(
    "script:not([src]):not([type='application/json']), img, iframe," +
    "object, embed, style, base, meta[http-equiv], svg script," +
    "[onerror], [onload], [onmouseover], [onfocus], [onclick], [style], a[href^='javascript:']"
)].filter(element => !element.closest(".uplot")).map(element => element.outerHTML.slice(0, 200))"""
DATA = """() => [...document.querySelectorAll("script[type='application/json']")].every(
    data => JSON.parse(data.textContent))"""
PAGES = (
    "/diagnostics",
    "/admin",
    "/admin/queues",
    "/admin/agents",
    "/admin/drift",
    "/admin/availability",
    "/calls",
    "/abandons",
    "/day",
    "/agents",
    "/agents/101",
    "/alarms",
    "/rewind",
)


class Names:
    """Stands for the receiver that the cases' requests name."""

    token = revoked = previous = TOKEN


@pytest.fixture(scope="module")
def pitwall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pitwall]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = ForkedPitwall(port, tmp_path_factory.mktemp("escaping"))
    running.add_user("boss", "admin", "900")
    running.start()
    running.hook("/Agent/ChangeStatus", extension="101", status="on")
    yield running
    running.stop()


@pytest.fixture
def board(pitwall: Pitwall, page: Page) -> Page:
    page.add_init_script(WATCH)
    sign_in(page.context, pitwall.url, "boss")
    page.goto(pitwall.url)
    page.wait_for_selector(LIVE)
    return page


def send_everything(pitwall: Pitwall) -> int:
    """Every request of the file that goes to the receiver and is not larger than a page."""
    sent = 0
    for case in FILE["cases"]:
        if str(case.get("path", "")).startswith("{hook}") and "as" not in case:
            raw = Builder(Names()).build(case).raw  # type: ignore[arg-type]
            if len(raw) < 20_000:
                speak(pitwall, raw)
                sent += 1
    return sent


def speak(pitwall: Pitwall, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", pitwall.port), 5) as connection:
        connection.settimeout(2)
        connection.sendall(raw)
        try:
            connection.recv(65536)
        except (TimeoutError, ConnectionResetError):
            return


def assert_inert(page: Page) -> None:
    assert page.evaluate("window.violations") == []
    assert page.evaluate(STRANGE) == []
    assert page.evaluate(DATA)


@runs(*(case["name"] for case in group("output-escaping") if "escaped" in case["must_hold"]))
def test_all_odd_texts_on_all_screens_are_only_text(pitwall: Pitwall, board: Page):
    dialogs: list[str] = []
    board.on("dialog", lambda dialog: note(dialog, dialogs))
    before = kinds(board)
    assert send_everything(pitwall) > 230
    odd = [case["query"]["queue"] for case in group("output-escaping") if "query" in case]
    board.wait_for_function(
        "texts => texts.every(text => document.body.textContent.includes(text))", arg=odd
    )
    assert kinds(board) - before <= {
        "BDI",
        "TIME",
        "SPAN",
        "P",
        "LI",
        "OL",
        "SMALL",
        "ARTICLE",
        "B",
        "DL",
        "DT",
        "DD",
    }
    assert_inert(board)
    name_agent(board, pitwall, "<script>alert(1)</script>")
    for path in PAGES:
        board.goto(f"{pitwall.url}{path}")
        assert_inert(board)
    board.goto(f"{pitwall.url}/diagnostics")
    expect(board.locator("body")).to_contain_text("<script>")

    assert dialogs == []


def note(dialog: Dialog, dialogs: list[str]) -> None:
    dialogs.append(dialog.message)
    dialog.dismiss()


def kinds(page: Page) -> set[str]:
    """The kinds of elements on the page."""
    found: list[str] = page.evaluate("[...document.querySelectorAll('*')].map(e => e.nodeName)")
    return {name.upper() for name in found}


def name_agent(page: Page, pitwall: Pitwall, name: str) -> None:
    page.goto(f"{pitwall.url}/admin/agents")
    page.get_by_label("Name of 101").fill(name)
    page.get_by_label("Name of 101").press("Enter")
    expect(page.locator("#said")).not_to_be_empty()


@runs("agent-display-name-script", "agent-display-name-rtl")
def test_a_name_that_is_a_script_is_text_and_one_that_turns_text_round_is_refused(
    pitwall: Pitwall, board: Page, context: BrowserContext, complaints: list[str]
):
    other = context.new_page()
    other.add_init_script(WATCH)
    name_agent(other, pitwall, BY_NAME["agent-display-name-script"]["form"]["name"])
    expect(board.locator("#a-101 h3")).to_have_text("<script>alert(1)</script>")
    name_agent(other, pitwall, BY_NAME["agent-display-name-rtl"]["form"]["name"])
    expect(other.locator("#said")).to_contain_text("visible characters")
    assert_inert(board)
    assert_inert(other)
    # A browser complains of every answer with 422.
    complaints.clear()

    expect(board.locator("#a-101 h3")).to_have_text("<script>alert(1)</script>")


CODES = (1000, 1001, 1008, 1009, 1011, 1012, 1013)


@runs("ws-close-code-seen-by-browser")
def test_a_board_closed_by_the_server_is_live_again(
    pitwall: Pitwall, board: Page, context: BrowserContext, complaints: list[str]
):
    boards = {code: routed(context, pitwall) for code in CODES}
    began = time.monotonic()
    for code, (_, sockets) in boards.items():
        page_side, server_side = sockets[-1]
        page_side.close(code=code)
        server_side.close()
    for page, sockets in boards.values():
        page.wait_for_function(f"document.body.dataset.link !== 'live' || {len(sockets)} > 1")
        page.wait_for_selector(LIVE, timeout=70_000)
        expect(page.locator("#a-101")).to_be_visible()

    assert time.monotonic() - began < 70
    assert [len(sockets) for _, sockets in boards.values()] == [2] * len(CODES)
    complaints.clear()


def routed(context: BrowserContext, pitwall: Pitwall) -> tuple[Page, list[Ends]]:
    """One more live board, and both ends of each of its sockets."""
    page, sockets = context.new_page(), list[Ends]()

    def opened(route: WebSocketRoute) -> None:
        sockets.append((route, route.connect_to_server()))

    page.route_web_socket("**/live*", opened)
    page.goto(pitwall.url)
    page.wait_for_selector(LIVE)
    return page, sockets


@runs("ws-close-code-seen-by-browser")
def test_a_board_whose_connection_just_ends_is_live_again(
    pitwall: Pitwall, board: Page, complaints: list[str]
):
    pitwall.kill()
    board.wait_for_selector("body:not([data-link=live])")
    pitwall.start()
    board.wait_for_selector(LIVE, timeout=70_000)

    expect(board.locator("#a-101")).to_be_visible()
    complaints.clear()
