"""Alarms in a real browser: set by an administrator, on the board, heard, seen, and gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.forked import ForkedPitwall
from tests.running import Pitwall
from tests.signing_in import sign_in

pytestmark = pytest.mark.browser

LIVE = "body[data-link=live]"
# A tick each five seconds judges, and a machine that is busy may be late.
JUDGED_MS = 12_000
# Counts the sounds, and keeps what the desktop is asked to show, where a test can wait for it.
COUNTING = """
    document.addEventListener("pitwall:beep", () => {
        const kept = document.documentElement.dataset;
        kept.beeps = Number(kept.beeps || 0) + 1;
    });
    window.Notification = class {
        static permission = "default";
        static async requestPermission() { return (this.permission = "granted"); }
        constructor(title, options) { document.documentElement.dataset.notice = options.body; }
    };
"""


@pytest.fixture
def pitwall(free_port: int, tmp_path: Path) -> Iterator[Pitwall]:
    running = ForkedPitwall(free_port, tmp_path)
    running.add_user("boss", "admin", "900")
    running.start()
    running.hook("/Agent/ChangeStatus", extension="101", status="on")
    # The queue is known, so that its tile is there before any alarm is.
    caller(running, "c0")
    running.hook("/callcenter/hangup", callid="c0")
    yield running
    running.stop()


@pytest.fixture
def board(pitwall: Pitwall, page: Page) -> Page:
    """Signed in, with one rule more: critical as soon as anybody waits in 999."""
    page.add_init_script(COUNTING)
    sign_in(page.context, pitwall.url, "boss")
    page.goto(f"{pitwall.url}/admin/alarms")
    form = page.locator("form[data-clear=added]")
    form.get_by_label("Watch").select_option("waiting")
    form.get_by_label("Only this queue").fill("999")
    form.get_by_label("Critical beyond").fill("0")
    form.get_by_label("Speak again after").fill("5")
    form.get_by_role("button", name="Add").click()
    expect(page.locator("#said")).to_contain_text("The rule was added.")
    expect(page.locator("details.rule").first).to_contain_text("critical over 0")
    page.goto(pitwall.url)
    page.wait_for_selector(LIVE)
    return page


def caller(pitwall: Pitwall, callid: str = "c1") -> None:
    pitwall.hook(
        "/callcenter/call_in",
        callid=callid,
        phone="0938363739",
        extension="101",
        queue="999",
        event="RING",
    )


def test_an_alarm_comes_is_seen_and_goes_and_moves_nothing(board: Page, pitwall: Pitwall) -> None:
    strip = board.locator("#alarms")
    expect(strip).to_contain_text("No alarm")
    before = board.locator("#a-101").bounding_box()
    caller(pitwall)

    alarm = strip.locator(".alarm", has_text="Callers waiting")
    expect(alarm).to_contain_text("Critical", timeout=JUDGED_MS)
    assert board.locator("#a-101").bounding_box() == before
    expect(board.get_by_role("status").filter(has_text="Callers waiting")).to_be_attached()
    alarm.get_by_role("button", name="Acknowledge").click()
    expect(alarm).to_contain_text("acknowledged by boss")
    expect(alarm.get_by_role("button")).to_have_count(0)

    pitwall.hook("/callcenter/hangup", callid="c1")
    expect(strip).to_contain_text("No alarm", timeout=JUDGED_MS)
    board.goto(f"{pitwall.url}/alarms")
    history = board.locator("table.history")
    for word in ("raised", "acknowledged", "cleared"):
        expect(history).to_contain_text(word)


def test_a_critical_alarm_is_heard_until_somebody_sees_it(board: Page, pitwall: Pitwall) -> None:
    button = board.locator("#alarm-sound")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page = board.locator("html")
    expect(page).to_have_attribute("data-beeps", "1")  # so one knows what it will be like
    caller(pitwall)

    expect(page).to_have_attribute("data-beeps", "2", timeout=JUDGED_MS)
    expect(page).to_have_attribute("data-beeps", "3", timeout=JUDGED_MS)  # it speaks again
    board.get_by_role("button", name="Acknowledge").click()
    expect(board.locator("#alarms")).to_contain_text("acknowledged by")
    heard = page.get_attribute("data-beeps")
    board.wait_for_timeout(6_000)
    assert page.get_attribute("data-beeps") == heard

    board.reload()
    board.wait_for_selector(LIVE)
    expect(button).to_have_attribute("aria-pressed", "true")
    assert page.get_attribute("data-beeps") is None


def test_who_wants_none_hears_and_is_shown_nothing(board: Page, pitwall: Pitwall) -> None:
    caller(pitwall)

    expect(board.locator("#alarms")).to_contain_text("Critical", timeout=JUDGED_MS)
    page = board.locator("html")
    assert [page.get_attribute(f"data-{name}") for name in ("beeps", "notice")] == [None, None]


def test_the_desktop_is_told_once_allowed(board: Page, pitwall: Pitwall) -> None:
    board.locator("#alarm-notices").click()
    expect(board.locator("#alarm-notices")).to_have_attribute("aria-pressed", "true")
    caller(pitwall)

    said = "Critical: Callers waiting – 999"
    expect(board.locator("html")).to_have_attribute("data-notice", said, timeout=JUDGED_MS)


def test_an_alarm_is_silenced_and_the_silence_ended(board: Page, pitwall: Pitwall) -> None:
    caller(pitwall)
    expect(board.locator("#alarms")).to_contain_text("Critical", timeout=JUDGED_MS)
    board.goto(f"{pitwall.url}/alarms")
    alarm = board.locator(".standing li", has_text="Callers waiting")
    alarm.get_by_label("For how long").select_option("60")
    alarm.get_by_role("button", name="Silence").click()

    expect(alarm).to_contain_text("silenced by boss until")
    alarm.get_by_role("button", name="End the silence").click()
    board.wait_for_timeout(JUDGED_MS / 2)
    board.reload()
    expect(alarm).not_to_contain_text("silenced by")


def test_every_page_fits_a_phone(board: Page, pitwall: Pitwall) -> None:
    caller(pitwall)
    expect(board.locator("#alarms")).to_contain_text("Critical", timeout=JUDGED_MS)
    board.set_viewport_size({"width": 390, "height": 844})
    for path in ("/", "/alarms", "/admin/alarms", "/admin/channels"):
        board.goto(pitwall.url + path)

        assert board.evaluate("document.documentElement.scrollWidth") == 390, path
