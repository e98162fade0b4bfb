"""A supervisor's day in a real browser, against the simulator's PBX: every button, and trouble."""

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.forked import ForkedPitwall
from tests.running import TOKEN, Pitwall
from tests.signing_in import sign_in
from tests.simulated_pbx import KEY, SimulatedPbx

pytestmark = pytest.mark.browser

TALKING = ".card[data-call]"


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pitwall, SimulatedPbx]]:
    port, pbx_port = free_ports(2)
    pbx = SimulatedPbx(pbx_port, f"http://127.0.0.1:{port}/hook/{TOKEN}")
    pitwall = ForkedPitwall(
        port,
        tmp_path_factory.mktemp("floor"),
        PITWALL_PBX_URL=pbx.url,
        PITWALL_PBX_KEY=KEY,
        PITWALL_PBX_DOMAIN="demo.example",
    )
    pitwall.add_user("ann", "supervisor", "900")
    pitwall.add_user("eve", "supervisor", "910")
    pitwall.add_user("noor", "supervisor")
    pitwall.add_user("vic", "viewer")
    pitwall.start()
    pbx.start()
    yield pitwall, pbx
    pbx.stop()
    pitwall.stop()


@pytest.fixture
def pitwall(floor: tuple[Pitwall, SimulatedPbx]) -> Pitwall:
    return floor[0]


@pytest.fixture
def pbx(floor: tuple[Pitwall, SimulatedPbx]) -> Iterator[SimulatedPbx]:
    yield floor[1]
    floor[1].ask("/sim/faults", api_slow=0, api_error=0, api_garbage=0)
    for extension in ("900", "910"):
        floor[1].ask("/sim/hangup", extension=extension)


@pytest.fixture
def board(pitwall: Pitwall, pbx: SimulatedPbx, page: Page) -> Page:
    return signed_in(page, pitwall, "ann")


def free_ports(number: int) -> list[int]:
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def signed_in(page: Page, pitwall: Pitwall, username: str) -> Page:
    sign_in(page.context, pitwall.url, username)
    page.goto(pitwall.url)
    expect(page.locator("body")).to_have_attribute("data-link", "live")
    expect(page.locator(".card[data-status=talk]").first).to_be_visible(timeout=15_000)
    return page


def card_of(page: Page, extension: str) -> Locator:
    return page.locator(f"#a-{extension}")


def a_talking_one(page: Page, but: str = "") -> str:
    """The extension of an agent in a call whom nobody hears."""
    cards = page.locator(f"{TALKING}:not(:has(.heard)) .extension").all_inner_texts()
    return next(extension for extension in cards if extension != but)


def toast(page: Page, kind: str) -> Locator:
    return page.locator(f"#toasts .toast[data-kind={kind}]").last


def listen(page: Page, extension: str, act: str = "listen") -> None:
    card_of(page, extension).locator(f".acts [data-act={act}]").click()
    page.locator("#spy select[name=reason]").select_option("Training")
    page.locator("#spy .primary").click()


def test_listen_then_whisper_then_barge(board: Page, pbx: SimulatedPbx) -> None:
    extension = a_talking_one(board)
    listen(board, extension)
    expect(toast(board, "done")).to_contain_text("Nobody hears you")
    expect(card_of(board, extension).locator(".heard")).to_be_visible()

    card_of(board, extension).locator(".acts [data-act=whisper]").click()
    expect(toast(board, "done")).to_contain_text("the customer hears nothing")
    card_of(board, extension).locator(".acts [data-act=barge]").click()
    expect(board.locator("#spy h2")).to_contain_text(f"{extension}?")
    board.locator("#spy .primary").click()
    expect(toast(board, "done")).to_contain_text("both hear you")

    mine = [each for each in pbx.heard("/spy/") if each["dst"] == extension]
    assert [each["src"] for each in mine] == ["900"] * 3
    assert [each["mode"] for each in mine] in (
        ["whisper", "callee", "threeway"],
        ["whisper", "caller", "threeway"],
    )


def test_others_see_who_listens_and_walls_and_viewers_do_not(
    board: Page, pitwall: Pitwall, context: Any, browser: Any
) -> None:
    extension = a_talking_one(board)
    listen(board, extension)
    expect(card_of(board, extension).locator(".heard")).to_be_visible()
    others = [browser.new_context() for _ in range(2)]
    eve, vic = (
        signed_in(each.new_page(), pitwall, name)
        for each, name in zip(others, ("eve", "vic"), strict=True)
    )
    card_of(eve, extension).locator("summary").click()

    heard = card_of(eve, extension).locator("dd[data-listener]")
    expect(heard).to_contain_text(re.compile(r"ann listens \d+:\d\d"))
    expect(heard.get_by_role("button")).to_be_hidden()
    assert card_of(vic, extension).locator(".heard, [data-listener], [data-act]").count() == 0
    for each in others:
        each.close()


def test_hanging_up_is_told_by_hand_where_the_phone_does_not(
    board: Page, pbx: SimulatedPbx
) -> None:
    extension = a_talking_one(board)
    listen(board, extension)
    expect(card_of(board, extension).locator(".heard")).to_be_visible()
    pbx.ask("/sim/hangup", extension="900")
    card_of(board, extension).locator("summary").click()
    end = card_of(board, extension).get_by_role("button", name="I have hung up")
    if end.is_visible():
        end.click()

    expect(card_of(board, extension).locator(".heard")).to_have_count(0)


def test_a_double_click_is_one_call(pitwall: Pitwall, pbx: SimulatedPbx, page: Page) -> None:
    # Not ann, whose last click on the same agent may have been within ten seconds.
    board = signed_in(page, pitwall, "eve")
    pbx.ask("/sim/faults", api_slow=0.5)
    before = len(pbx.heard("/spy/"))
    extension = a_talking_one(board)
    card_of(board, extension).locator(".acts [data-act=listen]").click()
    board.locator("#spy select[name=reason]").select_option("Quality")
    board.locator("#spy .primary").dblclick()
    expect(toast(board, "done")).to_be_visible()

    assert len(pbx.heard("/spy/")) == before + 1


def test_pause_with_a_reason_and_resume(board: Page) -> None:
    extension = a_talking_one(board)
    card_of(board, extension).locator(".acts [data-act=pause]").click()
    board.locator("#pause select[name=reason]").select_option("Lunch")
    board.locator("#pause input[name=note]").fill("<b>soup</b>")
    board.locator("#pause select[name=minutes]").select_option("30")
    board.locator("#pause .primary").click()
    resume = card_of(board, extension).locator(".acts [data-act=resume]")
    expect(resume).to_be_visible()
    resume.click()

    expect(card_of(board, extension).locator(".acts [data-act=pause]")).to_be_visible()
    expect(toast(board, "done")).to_contain_text("is back")


def test_pause_after_this_call_and_take_it_back(board: Page, pbx: SimulatedPbx) -> None:
    extension = a_talking_one(board)
    card = card_of(board, extension)
    card.locator("summary").click()
    card.get_by_role("button", name="Pause after this call").click()
    board.locator("#pause .primary").click()
    expect(card.locator(".mark.paused")).to_have_text("pause next")
    card.locator(".acts [data-act=resume]").click()

    expect(card.locator(".mark.paused")).to_have_count(0)


def test_several_are_paused_and_resumed_at_once(board: Page) -> None:
    one = a_talking_one(board)
    both = (one, a_talking_one(board, one))
    board.locator("#select").click()
    for extension in both:
        card_of(board, extension).locator(".pick").check()
    expect(board.locator("#selected")).to_have_text("2")
    board.locator("[data-several=pause]").click()
    expect(board.locator("#pause h2")).to_have_text("Pause 2 agents")
    board.locator("#pause .primary").click()
    for extension in both:
        expect(card_of(board, extension).locator(".acts [data-act=resume]")).to_be_visible()
    board.locator("[data-several=resume]").click()

    for extension in both:
        expect(card_of(board, extension).locator(".acts [data-act=pause]")).to_be_visible()
    expect(board.locator("#toasts .toast").last).to_contain_text("resumed")


def test_call_an_agent_and_call_back_who_gave_up(
    board: Page, pitwall: Pitwall, pbx: SimulatedPbx
) -> None:
    parameters = {"callid": "gone.0912000111", "phone": "0912000111", "queue": "901"}
    pitwall.hook("/callcenter/call_in", event="RING", did="1900", **parameters)
    pitwall.hook("/callcenter/calldata", status="ABANDON", holdtime="9", **parameters)
    pitwall.hook("/callcenter/hangup", callid="gone.0912000111")
    row = board.locator(".abandons .row").filter(has_text="0912000111")
    row.locator("[data-act=call-back]").click()

    expect(row.get_by_text("called back")).to_be_attached()
    assert any("to_number/0912000111" in path for path in pbx.heard("/dial/"))


def test_without_a_phone_the_buttons_say_why(
    pitwall: Pitwall, pbx: SimulatedPbx, page: Page
) -> None:
    board = signed_in(page, pitwall, "noor")
    before = len(pbx.heard("/spy/"))
    button = board.locator(f"{TALKING} .acts [data-act=listen]").first
    expect(button).to_have_attribute("aria-disabled", "true")
    button.focus()
    board.keyboard.press("Enter")

    expect(toast(board, "refused")).to_contain_text("Your account has no extension")
    assert len(pbx.heard("/spy/")) == before


def test_a_refusal_of_the_server_is_shown_in_words(
    board: Page, complaints: list[str], pbx: SimulatedPbx
) -> None:
    extension = a_talking_one(board)
    board.locator(f"#a-{extension}").evaluate("card => { card.dataset.call = 'c-0'; }")
    listen(board, extension)

    expect(toast(board, "refused")).to_contain_text("not on the floor")
    complaints.clear()


@pytest.mark.parametrize(
    ("status", "body"),
    [(502, "<h1>Bad gateway</h1>"), (403, "This page is not ours.\n"), (500, "")],
)
def test_an_answer_that_says_nothing_of_the_deed_is_told_as_unknown(
    board: Page, complaints: list[str], status: int, body: str
) -> None:
    extension = a_talking_one(board)
    board.route("**/actions/pause", lambda route: route.fulfill(status=status, body=body))
    card_of(board, extension).locator(".acts [data-act=pause]").click()
    board.locator("#pause .primary").click()

    expect(toast(board, "unknown")).to_contain_text("whether it was done is unknown")
    expect(board.locator("#toasts [data-kind=asking], [aria-busy=true]")).to_have_count(0)
    complaints.clear()


def test_a_pbx_lost_in_the_middle_is_told_in_words(
    board: Page, pbx: SimulatedPbx, complaints: list[str]
) -> None:
    extension = a_talking_one(board)
    pbx.ask("/sim/faults", api_error=1)
    listen(board, extension)

    expect(
        board.locator("#toasts .toast:is([data-kind=failed], [data-kind=unknown])")
    ).to_be_visible()
    expect(board.locator("#toasts")).not_to_contain_text(KEY)
    expect(board.locator("[aria-busy=true]")).to_have_count(0)
    complaints.clear()


def test_a_pbx_that_hangs_is_answered_for_within_six_seconds(
    board: Page, pbx: SimulatedPbx, complaints: list[str]
) -> None:
    extension = a_talking_one(board)
    pbx.ask("/sim/faults", api_slow=20)
    listen(board, extension)
    expect(card_of(board, extension).locator(".acts [data-act=listen]")).to_have_attribute(
        "aria-busy", "true"
    )

    expect(toast(board, "unknown")).to_be_visible(timeout=6_500)
    complaints.clear()


def test_everything_can_be_done_from_the_keyboard(board: Page) -> None:
    extension = a_talking_one(board)
    card_of(board, extension).locator(".acts [data-act=listen]").focus()
    board.keyboard.press("Enter")
    expect(board.locator("#spy")).to_be_visible()
    board.keyboard.type("Qua")
    board.keyboard.press("Tab")
    board.keyboard.press("Enter")

    expect(toast(board, "done")).to_contain_text("Nobody hears you")


def test_a_caller_of_the_worklist_is_called_back_with_one_click(
    pitwall: Pitwall, pbx: SimulatedPbx, board: Page
) -> None:
    caller = {"callid": "old", "phone": "0912000999", "queue": "901"}
    pitwall.hook("/callcenter/call_in", **caller, extension="", event="RING")
    pitwall.hook("/callcenter/calldata", **caller, status="ABANDON", holdtime="9")
    pitwall.hook("/callcenter/hangup", callid="old")
    board.goto(f"{pitwall.url}/abandons")
    row = board.locator(".worklist tbody tr", has_text="0912000999")
    row.get_by_role("button", name="Call back").click()

    expect(board.locator("#said")).to_contain_text("Your phone 900 rings")
    expect(row).to_contain_text("ann called at")
    assert any("to_number/0912000999" in path for path in pbx.heard("/dial/"))
