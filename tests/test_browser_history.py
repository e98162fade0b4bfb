"""The pages of the past in a real browser: charts, paging, claims, and winding the board back."""

import io
import socket
import threading
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.forked import ForkedPitwall
from tests.running import Pitwall
from tests.signing_in import sign_in

pytestmark = pytest.mark.browser

PAGES = ["/day", "/calls", "/abandons", "/agents", "/agents/101", "/queues/999", "/rewind"]


class Player(BaseHTTPRequestHandler):
    """A PBX that has one recording: a second of silence."""

    def do_GET(self) -> None:
        sound = io.BytesIO()
        with wave.open(sound, "wb") as silence:
            silence.setparams((1, 2, 8000, 8000, "NONE", ""))
            silence.writeframes(bytes(16_000))
        self.send_response(200)
        self.send_header("Content-Type", "audio/wav")
        self.send_header("Content-Length", str(len(sound.getvalue())))
        self.end_headers()
        self.wfile.write(sound.getvalue())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def pbx() -> Iterator[str]:
    """Where recordings are: host and port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Player) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def pitwall(tmp_path_factory: pytest.TempPathFactory, pbx: str) -> Iterator[Pitwall]:
    """One for all tests: sixty callers, three of whom gave up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = ForkedPitwall(port, tmp_path_factory.mktemp("past"), PITWALL_RECORDING_HOSTS=pbx)
    running.add_user("ann", "supervisor", "900")
    running.start()
    for extension in ("101", "102"):
        running.hook("/Agent/ChangeStatus", extension=extension, status="on")
    for number in range(60):
        calls(running, f"c{number}", f"09383637{number:02}")
    yield running
    running.stop()


def calls(pitwall: Pitwall, callid: str, phone: str) -> None:
    said = {"callid": callid, "phone": phone, "queue": "999"}
    if int(callid[1:]) % 20:
        pitwall.hook("/callcenter/call_in", **said, extension="101", event="RING")
        pitwall.hook("/callcenter/call_in", **said, extension="101", event="ANSWER")
    else:
        pitwall.hook("/callcenter/call_in", **said, extension="", event="RING")
        pitwall.hook("/callcenter/calldata", **said, status="ABANDON", holdtime="9")
    pitwall.hook("/callcenter/hangup", callid=callid)


@pytest.fixture
def visitor(pitwall: Pitwall, page: Page) -> Page:
    sign_in(page.context, pitwall.url, "ann")
    page.goto(pitwall.url)
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    return page


def second_shown(page: Page) -> int:
    return int(page.locator("#then").get_attribute("data-at") or 0) // 1000


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_a_telephone(pitwall: Pitwall, visitor: Page, path: str) -> None:
    visitor.set_viewport_size({"width": 390, "height": 844})
    visitor.goto(pitwall.url + path)

    assert visitor.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_day_has_its_charts_in_both_themes(pitwall: Pitwall, visitor: Page) -> None:
    visitor.goto(f"{pitwall.url}/day")
    expect(visitor.locator(".plot canvas")).to_have_count(3)
    pictures = set()
    for theme in ("dark", "light"):
        visitor.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        visitor.wait_for_timeout(300)
        pictures.add(visitor.locator("#chart-volume canvas").evaluate("it => it.toDataURL()"))

    assert len(pictures) == 2


def test_the_heat_map_comes_after_the_page_and_can_be_changed(
    pitwall: Pitwall, visitor: Page
) -> None:
    visitor.goto(f"{pitwall.url}/day")
    expect(visitor.locator("table.heat")).to_be_visible()
    visitor.get_by_role("button", name="Abandoned, %").click()

    expect(visitor.locator("table.heat[data-metric=abandon_rate]")).to_be_visible()


def test_older_calls_are_put_below_those_shown(pitwall: Pitwall, visitor: Page) -> None:
    visitor.goto(f"{pitwall.url}/calls")
    expect(visitor.locator("#rows tr")).to_have_count(51)
    visitor.get_by_text("Older calls").click()

    expect(visitor.locator("#rows tr")).to_have_count(60)
    expect(visitor.get_by_text("Older calls")).to_have_count(0)


def test_a_filter_finds_at_once_and_is_in_the_address(pitwall: Pitwall, visitor: Page) -> None:
    visitor.goto(f"{pitwall.url}/calls")
    visitor.get_by_label("Outcome").select_option("abandoned")
    expect(visitor.locator("#rows tr")).to_have_count(3)

    assert "outcome=abandoned" in visitor.url


def test_a_search_that_can_not_be_meant_says_why_until_it_can(
    pitwall: Pitwall, visitor: Page, complaints: list[str]
) -> None:
    visitor.goto(f"{pitwall.url}/calls")
    visitor.get_by_label("Number").fill("12")
    visitor.keyboard.press("Tab")
    expect(visitor.locator("#found").get_by_role("alert")).to_contain_text("three digits or more")
    expect(visitor.locator("#rows")).to_have_count(0)

    visitor.get_by_label("Number").fill("712")
    visitor.keyboard.press("Tab")
    expect(visitor.locator("#rows tr")).to_have_count(1)
    expect(visitor.locator("#found").get_by_role("alert")).to_have_count(0)
    complaints.clear()


def test_a_recording_plays_under_the_page_s_policy(
    pitwall: Pitwall, visitor: Page, pbx: str
) -> None:
    record = {"callid": "c1", "status": "ANSWER", "extension": "101", "direction": "Inbound"}
    pitwall.hook("/callcenter/calldata", **record, recordingfile=f"http://{pbx}/rec/1.wav")
    visitor.goto(f"{pitwall.url}/calls/c1")
    visitor.get_by_role("button", name="Play").click()
    player = visitor.locator("audio")

    expect(player).to_have_js_property("readyState", 4)
    assert player.evaluate("it => it.duration") == 1


def test_a_caller_is_taken_on_with_one_click(pitwall: Pitwall, visitor: Page) -> None:
    visitor.goto(f"{pitwall.url}/abandons")
    row = visitor.locator(".worklist tbody tr").first
    row.get_by_role("button", name="Take on").click()
    expect(visitor.locator(".worklist tbody tr").first).to_contain_text("taken on by ann")
    visitor.get_by_role("link", name="Mine").click()

    expect(visitor.locator(".worklist tbody tr")).to_have_count(1)


def test_the_past_is_wound_by_keys_and_buttons(pitwall: Pitwall, visitor: Page) -> None:
    visitor.goto(f"{pitwall.url}/rewind")
    now = second_shown(visitor)
    visitor.locator("#slider").focus()
    for keys, seconds in [("ArrowLeft", -1), ("Shift+ArrowLeft", -10), ("ArrowRight", 1)]:
        visitor.keyboard.press(keys)
        now += seconds
        expect(visitor.locator("#then")).to_have_attribute("data-at", f"{now}000")
    visitor.locator("[data-step='-1']").click()
    expect(visitor.locator("#then")).to_have_attribute("data-at", f"{now - 1}000")

    assert "at=20" in visitor.url


def test_a_moment_that_nobody_knows_takes_nothing_off_those_that_are_known(
    pitwall: Pitwall, visitor: Page
) -> None:
    visitor.goto(f"{pitwall.url}/rewind")
    visitor.get_by_placeholder("Search", exact=True).fill("102")
    newest = visitor.locator("#slider").get_attribute("max")
    assert newest is not None

    visitor.locator("#slider").fill("0")
    expect(visitor.get_by_text("Nobody knows how the floor was at that moment.")).to_be_visible()
    visitor.keyboard.press("/")
    visitor.locator("#slider").fill(newest)

    expect(visitor.get_by_placeholder("Search", exact=True)).to_have_value("102")
    expect(visitor.locator("#a-101")).to_be_hidden()
    visitor.get_by_role("button", name="Show all").click()
    expect(visitor.locator("#a-101")).to_be_visible()
    visitor.locator("#order").select_option("name")
    assert visitor.evaluate("localStorage.getItem('order')") == "name"


def test_a_moment_that_nobody_knows_can_be_opened_and_left(pitwall: Pitwall, visitor: Page) -> None:
    visitor.goto(f"{pitwall.url}/rewind?at=2001-01-01T12:00:00")
    expect(visitor.get_by_text("Nobody knows how the floor was at that moment.")).to_be_visible()

    visitor.goto(f"{pitwall.url}/rewind")
    expect(visitor.locator("#a-101")).to_be_visible()


def test_counters_of_the_past_stand_still(pitwall: Pitwall, visitor: Page) -> None:
    visitor.goto(f"{pitwall.url}/rewind")
    counter = visitor.locator("#a-101 time").first
    shown = counter.text_content()
    visitor.wait_for_timeout(1500)

    assert shown is not None
    assert ":" in shown
    assert counter.text_content() == shown


def test_the_past_says_that_it_is_past_and_offers_no_deed(pitwall: Pitwall, visitor: Page) -> None:
    visitor.goto(f"{pitwall.url}/rewind")

    expect(visitor.locator(".past-banner")).to_contain_text("Nothing here can be acted on.")
    expect(visitor.locator("[data-act]")).to_have_count(0)


def test_the_past_can_be_filtered_like_the_board(pitwall: Pitwall, visitor: Page) -> None:
    visitor.goto(f"{pitwall.url}/rewind")
    visitor.get_by_placeholder("Search", exact=True).fill("102")

    expect(visitor.locator("#a-101")).to_be_hidden()
    expect(visitor.locator("#a-102")).to_be_visible()
