"""Makes the pictures in `docs/pictures`: a seeded working day, the real server, a real browser.

Run by `make screenshots`. The simulated exchange has worked since early this morning; its webhooks
are put into a fresh log at the times at which they were sent, and then the server is started on it.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Page, sync_playwright

from app.database import Database
from app.domain.events import AgentNamed, Event, QueueNamed, Tick
from app.log.sqlite import SqliteLog
from app.pbx.voicecloud import decode
from app.simulator.world import Plan, World
from tests.browser_setup import ARGUMENTS, find_chromium
from tests.running import PASSWORD, ROOT, Pitwall

PICTURES = ROOT / "docs" / "pictures"
HOURS = 5
AFTERNOON = 15
PORT = 8470


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: where, how large (CSS pixels), in which theme."""

    name: str
    path: str
    width: int = 1920
    height: int = 1080
    theme: Literal["dark", "light"] = "dark"


SHOTS = (
    Shot("board", "/"),
    Shot("board-light", "/", theme="light"),
    Shot("board-phone", "/", 390, 844, "light"),
    Shot("wall", "/wall?layout=overview"),
    Shot("day", "/day", 1440, 1400, "light"),
    Shot("calls", "/calls", 1440, 900, "light"),
    Shot("abandons", "/abandons", 1440, 900, "light"),
    Shot("webhooks", "/diagnostics", 1440, 900, "light"),
    Shot("alarms", "/admin/alarms", 1440, 900, "light"),
)


def zone_where_it_is_afternoon() -> ZoneInfo:
    """So that the pictures show a working day whenever they are made."""
    behind = (datetime.now(UTC).hour - AFTERNOON) % 24
    return ZoneInfo(f"Etc/GMT+{behind}" if behind <= 12 else f"Etc/GMT-{24 - behind}")


ZONE = zone_where_it_is_afternoon()


class Clock:
    """The log's clock, set by the simulated day (ms)."""

    now = 0

    def __call__(self) -> int:
        return self.now


async def seed(path: Path) -> None:
    """Write the day so far into a fresh database."""
    clock, end = Clock(), time.time()
    start = end - HOURS * 3600
    world = World(Plan(agents=48, queues=5, seed=7, start=start, zone=ZONE, load=0.78))
    database = await Database.open(str(path))
    log = await SqliteLog.open(database, clock)
    clock.now = round(start * 1000)
    await log.append(named(world))
    world.start()
    moment = start
    while moment < end:
        moment = min(moment + 5, end)
        clock.now = round(moment * 1000)
        await log.append([*heard(world, moment), Tick()])
    await log.close()
    await database.close()


def named(world: World) -> list[Event]:
    """The names that an administrator would have typed."""
    switch = world.exchange.switch
    agents = [agent for agent in switch.agents.values() if agent.queues]
    return [
        *(AgentNamed(extension=agent.extension, name=agent.name) for agent in agents),
        *(QueueNamed(queue=number, name=queue.name) for number, queue in switch.queues.items()),
    ]


def heard(world: World, moment: float) -> list[Event]:
    """What the exchange pushed up to that moment (seconds since the epoch)."""
    return [
        decode(webhook.path, webhook.params, now=round(moment * 1000), zone=ZONE)
        for webhook in world.run_until(moment)
    ]


def wait_for_history(path: Path) -> None:
    """The day's pages follow the log a little behind a fresh start."""
    connection = sqlite3.connect(path)
    [newest] = connection.execute("SELECT max(seq) FROM event").fetchone()
    progress = "SELECT coalesce(max(seq), 0) FROM history_progress"
    while connection.execute(progress).fetchone()[0] < newest:
        time.sleep(0.5)
    connection.close()


def take(browser: Browser, pitwall: Pitwall, shot: Shot) -> None:
    """Sign in, open the page and take its picture."""
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height}, color_scheme=shot.theme
    )
    page = context.new_page()
    sign_in(page, pitwall, shot.path)
    page.wait_for_timeout(2500)
    page.screenshot(path=PICTURES / f"{shot.name}.png")
    context.close()
    print(f"docs/pictures/{shot.name}.png", flush=True)


def sign_in(page: Page, pitwall: Pitwall, path: str) -> None:
    """As the administrator, to that page."""
    page.goto(f"{pitwall.url}/login?next=/")
    page.get_by_label("User name").fill("linh")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{pitwall.url}/")
    if path != "/":
        page.goto(f"{pitwall.url}{path}")


def main() -> int:
    """Make all pictures, or those named on the command line."""
    chromium = find_chromium()
    if chromium is None:
        print("No Chromium was found; `make browser` installs one.", file=sys.stderr)
        return 1
    wanted = [shot for shot in SHOTS if len(sys.argv) < 2 or shot.name in sys.argv[1:]]
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(seed(Path(folder) / "pitwall.db"))
        pitwall = Pitwall(PORT, Path(folder), PITWALL_TIMEZONE=str(ZONE))
        pitwall.add_user("linh", "admin", "900")
        pitwall.start()
        try:
            wait_for_history(Path(folder) / "pitwall.db")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
                for shot in wanted:
                    take(browser, pitwall, shot)
                browser.close()
        finally:
            pitwall.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
