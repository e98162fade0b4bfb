"""Administration in a real browser: what is saved here is on the boards, with nothing refused."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.forked import ForkedPitwall
from tests.running import Pitwall
from tests.signing_in import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pitwall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pitwall]:
    """One for all tests: each has an extension or a queue of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = ForkedPitwall(port, tmp_path_factory.mktemp("admin"))
    running.add_user("boss", "admin")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def boss(pitwall: Pitwall, page: Page) -> Page:
    sign_in(page.context, pitwall.url, "boss")
    page.goto(f"{pitwall.url}/admin")
    return page


def ring(pitwall: Pitwall, extension: str) -> None:
    pitwall.hook("/Agent/ChangeStatus/", extension=extension, status="on")


def test_a_name_typed_here_is_on_a_board_that_is_open(
    pitwall: Pitwall, boss: Page, context: BrowserContext
):
    ring(pitwall, "101")
    ring(pitwall, "102")
    board = context.new_page()
    board.goto(pitwall.url)
    boss.goto(f"{pitwall.url}/admin/agents")
    boss.get_by_label("Name of 102").fill("half-typed")
    boss.get_by_label("Name of 101").fill("Nguyễn Ánh")
    boss.get_by_label("Name of 101").press("Enter")

    expect(boss.locator("#said")).to_contain_text("Saved: 101")
    expect(board.locator("#a-101 h3")).to_have_text("Nguyễn Ánh")
    # Another row's unsaved text is kept.
    expect(boss.get_by_label("Name of 102")).to_have_value("half-typed")


def test_the_mark_never_listen_is_set_and_taken_away_by_keyboard(pitwall: Pitwall, boss: Page):
    ring(pitwall, "103")
    boss.goto(f"{pitwall.url}/admin/agents")
    for checked in (True, False):
        boss.get_by_label("Never listen to 103").focus()
        boss.keyboard.press("Space")
        boss.keyboard.press("Tab")
        boss.keyboard.press("Enter")
        expect(boss.locator("#said")).to_contain_text("Saved: 103")
        boss.reload()
        expect(boss.get_by_label("Never listen to 103")).to_be_checked(checked=checked)


def test_the_form_that_added_an_agent_is_empty_again(pitwall: Pitwall, boss: Page):
    boss.goto(f"{pitwall.url}/admin/agents")
    form = boss.locator("form[data-clear]")
    form.get_by_label("Extension").fill("205")
    form.get_by_label("Name").fill("New")
    form.get_by_role("button", name="Add").click()

    expect(boss.locator("#said")).to_contain_text("Added: 205")
    expect(form.get_by_label("Extension")).to_have_value("")
    expect(boss.get_by_label("Name of 205")).to_have_value("New")


def test_what_became_of_a_form_far_below_is_seen(
    pitwall: Pitwall, boss: Page, complaints: list[str]
):
    boss.set_viewport_size({"width": 1280, "height": 600})
    boss.goto(f"{pitwall.url}/admin/users")
    form = boss.locator("form[id^=add-]")
    form.get_by_label("User name").fill("boss")
    form.get_by_role("button", name="Add").click()

    expect(boss.locator("main .problem")).to_be_in_viewport()
    expect(form.get_by_label("User name")).to_have_value("boss")
    # The browser's own word for what was refused.
    complaints.clear()


def test_bad_lines_are_told_by_number_and_can_be_put_right(
    pitwall: Pitwall, boss: Page, complaints: list[str]
):
    boss.goto(f"{pitwall.url}/admin/agents")
    box = boss.get_by_label("Agents, one a line")
    box.fill("301;Ann;Sales\n1 2;Bob")
    boss.get_by_role("button", name="Take over these lines").click()
    expect(boss.get_by_role("alert")).to_contain_text("Line 2")
    expect(box).to_have_value("301;Ann;Sales\n1 2;Bob")
    complaints.clear()
    box.fill("301;Ann;Sales\n302;Bob")
    boss.get_by_role("button", name="Take over these lines").click()

    expect(boss.locator("#said")).to_contain_text("2 lines were read, 2 agents changed.")
    expect(boss.get_by_role("alert")).to_have_count(0)
    expect(box).to_have_value(re.compile("301;Ann;Sales\n302;Bob;"))


def test_a_long_list_is_filtered_without_accents(pitwall: Pitwall, boss: Page):
    boss.goto(f"{pitwall.url}/admin/agents")
    lines = "\n".join(f"{n};{'Đặng' if n == 405 else 'Agent'} {n};T" for n in range(401, 413))
    boss.get_by_label("Agents, one a line").fill(lines)
    boss.get_by_role("button", name="Take over these lines").click()
    boss.get_by_label("Show only").fill("dang")

    expect(boss.locator("#agent-rows > tr:visible")).to_have_count(1)
    expect(boss.get_by_label("Name of 405")).to_be_visible()


def test_the_effect_of_a_limit_is_seen_while_typing_and_saved_then(pitwall: Pitwall, boss: Page):
    said = {"callid": "c", "queue": "999", "status": "ABANDON", "holdtime": "8", "phone": "1"}
    pitwall.hook("/callcenter/calldata", **said)
    boss.goto(f"{pitwall.url}/admin/queues")
    row = boss.locator("tr[aria-current] td.number")
    expect(row).to_have_text("0.0 %")
    boss.get_by_label("Short, in seconds").first.fill("10")
    expect(row).to_have_text("–")
    boss.locator("details").get_by_role("button", name="Save").click()

    expect(boss.locator("#said")).to_contain_text("Saved: 999")
    expect(boss.locator("details .level")).to_have_text("–")


def test_a_queue_half_typed_stays_while_the_limits_of_another_are_tried(
    pitwall: Pitwall, boss: Page
):
    boss.goto(f"{pitwall.url}/admin/queues")
    queue = boss.get_by_label("Queue, as the PBX sends it")
    for number in ("771", "772"):
        queue.fill(number)
        boss.get_by_role("button", name="Add").click()
        expect(boss.locator("#said")).to_contain_text(f"Added: {number}")
        expect(queue).to_have_value("")

    queue.fill("77")
    other = boss.locator("details", has_text="771")
    other.locator("summary").click()
    with boss.expect_response("**/admin/queues/effect*"):
        other.get_by_label("T, in seconds", exact=True).fill("33")
    expect(other.locator(".effect")).to_contain_text("T = 33 s")

    expect(queue).to_have_value("77")


def test_a_new_webhook_address_is_shown_once(free_port: int, tmp_path: Path, page: Page):
    pitwall = ForkedPitwall(free_port, tmp_path, PITWALL_WEBHOOK_TOKEN="")
    pitwall.add_user("boss", "admin")
    pitwall.start()
    try:
        sign_in(page.context, pitwall.url, "boss")
        page.goto(f"{pitwall.url}/admin/webhooks")
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Make a new address").click()
        expect(page.locator("#secret")).to_have_text(re.compile(r"/hook/[\w-]{43}$"))
        page.reload()

        expect(page.locator("#secret")).to_have_count(0)
        expect(page.get_by_text("It was not used since this start")).to_be_visible()
    finally:
        pitwall.stop()


def test_a_token_is_made_and_ended(pitwall: Pitwall, boss: Page):
    boss.goto(f"{pitwall.url}/admin/tokens")
    boss.on("dialog", lambda dialog: dialog.accept())
    boss.get_by_label("The program that will use it").fill("Grafana")
    boss.get_by_role("button", name="Make").click()
    expect(boss.locator("#secret")).to_have_text(re.compile("^pw_"))
    boss.get_by_role("button", name="End the token of Grafana").click()

    expect(boss.locator("#said")).to_contain_text("Ended: Grafana")
    expect(boss.locator("#secret")).to_have_count(0)


def test_the_connection_test_says_what_is_missing(pitwall: Pitwall, boss: Page):
    boss.goto(f"{pitwall.url}/admin/pbx")
    boss.get_by_role("button", name="Test the connection").click()

    expect(boss.locator("[data-what=reach]")).to_contain_text("set PITWALL_PBX_URL")


@pytest.mark.parametrize("width", [390, 1920])
def test_no_page_is_wider_than_the_screen(pitwall: Pitwall, boss: Page, width: int):
    ring(pitwall, "101")
    boss.set_viewport_size({"width": width, "height": 844})
    pages = (
        "",
        "/agents",
        "/queues",
        "/webhooks",
        "/tokens",
        "/pbx",
        "/drift",
        "/availability",
        "/audit",
        "/walls",
    )
    for path in (*(f"/admin{page}" for page in pages), "/account", "/diagnostics", "/alarms"):
        answer = boss.goto(f"{pitwall.url}{path}")
        assert answer is not None
        assert answer.ok, path
        assert boss.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
