"""Signing in, users, walls and the audit in a real browser, with nothing refused by its policy."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.access import Access
from app.database import Database
from tests.forked import ForkedPitwall
from tests.running import PASSWORD as ACCOUNT_PASSWORD
from tests.running import Pitwall

pytestmark = pytest.mark.browser

PASSWORD = "seven grey herons"


@pytest.fixture
def pitwall(free_port: int, tmp_path: Path) -> Iterator[Pitwall]:
    running = ForkedPitwall(free_port, tmp_path)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def boss(pitwall: Pitwall, tmp_path: Path, page: Page) -> Page:
    """The first administrator, made by the one-time link."""
    link = elsewhere(setup_path(str(tmp_path / "pitwall.db")))
    page.goto(pitwall.url + link)
    page.get_by_label("User name").fill("boss")
    page.get_by_label("Password, at least").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set it and sign in").click()
    page.wait_for_url(f"{pitwall.url}/")
    return page


async def setup_path(path: str) -> str:
    """As another program does: over a connection of its own to the same file."""
    database = await Database.open(path)
    access = await Access.open(database, lambda: int(time.time() * 1000))
    link = await access.setup_path()
    await database.close()
    assert link
    return link


def elsewhere(work):
    """In another thread, because the browser's loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result(10)


def sign_in(page: Page, pitwall: Pitwall, username: str, password: str) -> None:
    page.goto(f"{pitwall.url}/login?next=/account")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_without_encryption_people_sign_in_where_that_is_allowed(
    free_port: int, tmp_path: Path, page: Page
) -> None:
    far = f"http://wall.test:{free_port}"
    running = ForkedPitwall(
        free_port, tmp_path, PITWALL_PUBLIC_URL=far, PITWALL_ALLOW_INSECURE_LAN="yes"
    )
    running.add_user("ann", "supervisor")
    running.start()
    try:
        page.goto(f"{far}/login")
        page.get_by_label("User name").fill("ann")
        page.get_by_label("Password").fill(ACCOUNT_PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("body")).to_have_attribute("data-link", "live")
        expect(page.get_by_text("Not encrypted")).to_be_visible()
        # It would complain of a server that goes away.
        page.goto("about:blank")
    finally:
        running.stop()


def test_people_sign_in_and_out(boss: Page, pitwall: Pitwall, complaints: list[str]) -> None:
    boss.goto(f"{pitwall.url}/account")
    boss.get_by_role("button", name="Sign out").first.click()
    boss.wait_for_url("**/login")
    sign_in(boss, pitwall, "boss", "wrong")
    expect(boss.get_by_role("alert")).to_have_text("The name or the password is not right.")
    complaints.clear()

    sign_in(boss, pitwall, "boss", PASSWORD)
    expect(boss.get_by_role("heading", name="Your account")).to_be_visible()


def test_an_administrator_adds_a_user_and_shuts_them_out(
    boss: Page, pitwall: Pitwall, browser: Browser, complaints: list[str]
) -> None:
    boss.goto(f"{pitwall.url}/admin/users")
    adding = boss.get_by_role("region", name="Add a user")
    adding.get_by_label("User name").fill("ann")
    adding.get_by_role("combobox", name="Role").select_option("supervisor")
    adding.get_by_role("button", name="Add").click()
    link = boss.locator("code").inner_text()

    ann = browser.new_context().new_page()
    ann.goto(link)
    ann.get_by_label("Password, at least").fill(PASSWORD)
    ann.get_by_label("The same again").fill(PASSWORD)
    ann.get_by_role("button", name="Set it and sign in").click()
    ann.wait_for_url(f"{pitwall.url}/")
    ann.goto(f"{pitwall.url}/account")
    expect(ann.get_by_text("ann · supervisor")).to_be_visible()

    boss.reload()
    boss.locator("summary", has_text="ann").click()
    account = boss.locator("details[open]")
    account.get_by_label("May sign in").select_option("1")
    account.get_by_role("button", name="Save").click()
    expect(boss.locator("summary", has_text="disabled")).to_be_visible()
    ann.reload()
    ann.wait_for_url("**/login?next=/account")
    ann.context.close()


def test_who_may_do_more_than_before_can_do_it_on_the_board_that_is_open(
    boss: Page, pitwall: Pitwall, browser: Browser
) -> None:
    boss.goto(f"{pitwall.url}/admin/users")
    adding = boss.get_by_role("region", name="Add a user")
    adding.get_by_label("User name").fill("vic")
    adding.get_by_label("Password").fill(PASSWORD)
    adding.get_by_role("button", name="Add").click()
    expect(boss.locator("summary", has_text="vic")).to_be_visible()
    vic = browser.new_context().new_page()
    sign_in(vic, pitwall, "vic", PASSWORD)
    vic.wait_for_url("**/account")
    vic.goto(pitwall.url)
    vic.wait_for_selector("body[data-link=live]")
    expect(vic.locator("#select")).to_have_count(0)

    boss.locator("summary", has_text="vic").click()
    account = boss.locator("details[open]")
    account.get_by_label("Exactly these").check()
    account.get_by_role("checkbox", name="pause").check()
    account.get_by_role("button", name="Save").click()

    vic.locator("#select").click()
    expect(vic.locator("#several")).to_be_visible()
    vic.context.close()


def test_a_mistake_is_told_on_the_page(boss: Page, pitwall: Pitwall, complaints: list[str]) -> None:
    boss.goto(f"{pitwall.url}/admin/users")
    adding = boss.get_by_role("region", name="Add a user")
    adding.get_by_label("User name").fill("ann")
    adding.get_by_label("Password").fill("password1234")
    adding.get_by_role("button", name="Add").click()

    expect(boss.get_by_role("alert")).to_contain_text("one of the first that an attacker tries")
    complaints.clear()


def test_a_wall_is_let_in_by_its_code(boss: Page, pitwall: Pitwall, browser: Browser) -> None:
    screen = browser.new_context().new_page()
    screen.goto(f"{pitwall.url}/pair")
    code = screen.get_by_label("Code").inner_text()
    boss.goto(f"{pitwall.url}/admin/walls")
    boss.get_by_label("Code").fill(code)
    boss.get_by_label("Name").fill("Hall")
    boss.get_by_role("button", name="Let it in").click()

    expect(boss.locator("summary", has_text="Hall")).to_be_visible()
    screen.wait_for_url("**/wall")
    screen.wait_for_selector("body[data-link=live]")
    boss.locator("summary", has_text="Hall").click()
    boss.get_by_role("button", name="Turn it off now").click()
    screen.wait_for_url("**/pair")
    screen.context.close()


def test_the_audit_tells_what_was_done(boss: Page, pitwall: Pitwall) -> None:
    boss.goto(f"{pitwall.url}/admin/audit")
    expect(boss.get_by_role("row", name="sign in by link")).to_be_visible()
    boss.get_by_role("link", name="Check that nothing was changed").click()
    expect(boss.get_by_role("status")).to_have_text("Every row is as it was written.")

    with boss.expect_download() as download:
        boss.get_by_role("link", name="Export as CSV").click()
    assert download.value.suggested_filename == "audit.csv"
