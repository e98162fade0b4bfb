"""`make soak`: a day of a large floor at many times its speed, with viewers who come and go.

`python -m tests.soak [--minutes N] [--agents N] [--speed N] [--viewers N] [--busy] [--note FILE]`
"""

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import CDPSession, async_playwright

from app.access import Access
from app.access.walls import Display
from app.database import Database
from app.main import wall_clock
from tests.browser_setup import ARGUMENTS, find_chromium
from tests.chaos.crowd import Crowd, sign_in
from tests.chaos.site import free_port
from tests.live_viewer import reset
from tests.running import ROOT, TOKEN, Pitwall
from tests.soak.growth import ASK
from tests.soak.past import live_through
from tests.soak.report import Soak, is_growing, is_passed, written
from tests.soak.samples import API_TOKEN, MEBIBYTE, PageSample, Probe, Sample, probe, sample
from tests.waiting import until

DAY_MINUTES = 24 * 60 / 20
SAMPLE_S, PROBE_S = 5.0, 0.25
PAGE_S = 60.0
# How long a process that grew is watched to see what grows.
GROWTH_S, TOLD_S = 180.0, 60.0
GROWN = "grown.txt"
# A board a second comes and goes at real speed.
RECONNECTS_PER_S = 1.0


@dataclass
class Run:
    """One soak under way."""

    options: argparse.Namespace
    pitwall: Pitwall
    folder: Path
    crowd: Crowd
    began: float = field(default_factory=time.monotonic)
    samples: list[Sample] = field(default_factory=list)
    page: list[PageSample] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    reconnects: int = 0
    lost: int = 0
    grown: str = ""
    more_s: float = 0.0

    @property
    def left_s(self) -> float:
        return float(self.began + self.options.minutes * 60 + self.more_s - time.monotonic())

    @property
    def told(self) -> Soak:
        return Soak(
            self.options.minutes,
            self.options.agents,
            self.options.speed,
            self.options.viewers,
            self.reconnects,
            self.lost,
            self.samples,
            self.page,
            self.probes,
            self.grown,
        )

    async def sampling(self) -> None:
        while self.left_s > 0:
            self.samples.append(
                await asyncio.to_thread(sample, self.pitwall, self.folder, self.began)
            )
            await asyncio.sleep(SAMPLE_S)

    async def probing(self) -> None:
        while self.left_s > 0:
            self.probes.append(await asyncio.to_thread(probe, self.pitwall))
            await asyncio.sleep(PROBE_S)

    async def coming_and_going(self) -> None:
        """One board after the other is closed, as often by a cut as in an orderly way."""
        while self.left_s > 0:
            await asyncio.sleep(random.expovariate(RECONNECTS_PER_S))
            number = random.randrange(len(self.crowd.viewers))
            viewer = self.crowd.viewers[number]
            self.lost += not viewer.is_open
            if random.random() < 0.5:
                reset(viewer)
            else:
                viewer.transport.close()
            await viewer.gone
            self.crowd.viewers[number] = await self.crowd.enter(number)
            self.reconnects += 1

    async def looking(self, devtools: CDPSession) -> None:
        while self.left_s > 0:
            self.page.append(await weighed(devtools, time.monotonic() - self.began))
            await asyncio.sleep(min(PAGE_S, max(1.0, self.left_s)))

    async def finding_growth(self) -> None:
        """What grows while boards come and go as before; the process is slower meanwhile."""
        lost = self.lost
        self.pitwall.signal(ASK)
        self.more_s += GROWTH_S
        await self.coming_and_going()
        self.pitwall.signal(ASK)
        told = self.folder / GROWN
        with suppress(TimeoutError):
            await until(told.exists, TOLD_S)
        self.grown = told.read_text(encoding="utf-8") if told.exists() else "It did not say."
        self.lost = lost


async def weighed(devtools: CDPSession, at_s: float) -> PageSample:
    for _ in range(2):
        # What the first one lets go of may have held elements that a frame has just replaced.
        await devtools.send("HeapProfiler.collectGarbage")
        await asyncio.sleep(0.2)
    told: Any = await devtools.send("Performance.getMetrics")
    figures = {one["name"]: one["value"] for one in told["metrics"]}
    return PageSample(
        at_s,
        figures["JSHeapUsedSize"] / MEBIBYTE,
        int(figures["Nodes"]),
        int(figures["JSEventListeners"]),
    )


def pair(folder: Path) -> str:
    """A wall's token; the process must not run yet."""
    return asyncio.run(_pair(folder))


async def _pair(folder: Path) -> str:
    database = await Database.open(str(folder / "pitwall.db"))
    access = await Access.open(database, wall_clock)
    token = await access.walls.add(Display("Soak"), "soak", "127.0.0.1")
    await database.close()
    return token


async def open_wall(stack: AsyncExitStack, url: str, token: str) -> CDPSession | None:
    """The wall's page in a real browser; None where there is none."""
    chromium = await asyncio.to_thread(find_chromium)
    if chromium is None:
        return None
    playwright = await stack.enter_async_context(async_playwright())
    browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
    stack.push_async_callback(browser.close)
    context = await browser.new_context(viewport={"width": 1920, "height": 1080})
    await context.add_cookies([{"name": "wall", "value": token, "url": url}])
    page = await context.new_page()
    await page.goto(f"{url}/wall")
    await page.wait_for_selector("body[data-link=live], body[data-link=slow]", timeout=60_000)
    devtools = await context.new_cdp_session(page)
    await devtools.send("Performance.enable")
    return devtools


async def soaked(run: Run, wall: str) -> None:
    await run.crowd.open(run.options.viewers)
    async with AsyncExitStack() as stack:
        devtools = await open_wall(stack, run.pitwall.url, wall)
        jobs = [run.sampling(), run.probing(), run.coming_and_going()]
        if devtools is not None:
            jobs.append(run.looking(devtools))
        run.began = time.monotonic()
        await asyncio.gather(*jobs)
        run.lost += sum(not viewer.is_open for viewer in run.crowd.viewers)
        if is_growing(run.told):
            await run.finding_growth()
    run.crowd.close()


def simulate(options: argparse.Namespace, port: int) -> "subprocess.Popen[bytes]":
    words = ["--target", f"http://127.0.0.1:{port}/hook/{TOKEN}", "--port", str(free_port())]
    words += ["--agents", str(options.agents), "--speed", str(options.speed), "--connections", "32"]
    return subprocess.Popen([sys.executable, "-m", "app.simulator", *words], cwd=ROOT)


def soak(options: argparse.Namespace, folder: Path) -> Soak:
    port = free_port()
    live_through(folder)
    cookies, wall = sign_in(folder, options.viewers), pair(folder)
    settings = {
        "PITWALL_API_TOKEN": API_TOKEN,
        "PITWALL_TEST_SPEED": str(options.speed),
        "PITWALL_TEST_GROWN": str(folder / GROWN),
    }
    pitwall = Pitwall(port, folder, ("tests.soak.server",), **settings)
    pitwall.start()
    simulator = simulate(options, port)
    run = Run(options, pitwall, folder, Crowd(port, cookies))
    try:
        asyncio.run(soaked(run, wall))
    finally:
        simulator.terminate()
        simulator.wait(20)
        pitwall.stop()
    return run.told


def options_of(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=DAY_MINUTES)
    parser.add_argument("--agents", type=int, default=500)
    parser.add_argument("--speed", type=float, default=20)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument(
        "--busy", action="store_true", help="others use the machine: do not judge how late it is"
    )
    parser.add_argument("--note", type=Path, help="write the result into this file, too")
    return parser.parse_args(words)


def main() -> int:
    options = options_of()
    with tempfile.TemporaryDirectory(prefix="pitwall-soak-") as folder:
        done = soak(options, Path(folder))
    text = written(done)
    print(text)
    if options.note is not None:
        options.note.write_text(text, encoding="utf-8")
    return 0 if is_passed(done, busy=options.busy) else 1


if __name__ == "__main__":
    sys.exit(main())
