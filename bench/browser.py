"""A real Chromium with a thousand cards: how long a frame takes to be seen, and what it costs.

A supervisor's browser has a machine of its own. Here it shares one, so the floor is driven by
`floor_server`, which leaves nearly all of it to the browser.
"""

import asyncio
import contextlib
import os
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession, Page, async_playwright

from bench.heap import Heap, heap_of
from bench.measure import share
from bench.processes import CORES, free_port, running
from tests.browser_setup import ARGUMENTS, find_chromium

AGENTS = 1000
# With this many events a second fifty of the cards change in each of ten frames.
RATE = 800.0
# What is fast in a page is so once the browser has learned it.
LEARN_S = 30.0
WARM_S = 3.0
MOMENTS, MOMENT_S = 8, 0.23
SLOWDOWN = 6
# A slowed-down page takes three or four frames a second: of thirty the p99 would be the worst.
LONGER = 5
WATCH = """
window.none = () => ({ spent: [], behind: [], changed: [], frames: 0 });
window.bench = none();
let began = 0;
document.addEventListener('htmx:ws:before:message:incoming', event => {
  bench.changed.push(event.detail.message.data.split('<article').length - 1);
  began = performance.now();
}, true);
document.addEventListener('htmx:ws:after:message:incoming', () => {
  bench.spent.push(performance.now() - began);
  const now = Number(document.getElementById('beat').dataset.now);
  requestAnimationFrame(() => setTimeout(() => bench.behind.push(Date.now() - now)));
});
const frame = () => { bench.frames += 1; if (bench.counts) requestAnimationFrame(frame); };
window.count = () => {
  const already = window.bench.counts;
  window.bench = { ...none(), counts: true };
  if (!already) requestAnimationFrame(frame);
};
"""
# To count frames is to ask for sixty a second, which a slowed-down page is spared.
COUNT = "() => count()"
TAKE = "() => { const taken = bench; window.bench = none(); return taken; }"


@dataclass(frozen=True)
class Browsed:
    """Times in ms. `behind` is how old what is shown was when it had been painted.

    `changed` is how many cards and tiles a frame brought.
    """

    cards: int
    changed: float
    frames_per_s: float
    spent_p50: float
    spent_p99: float
    fps: float
    behind_p99: float
    slow_spent_p50: float
    slow_behind_p99: float
    slow_frames_per_s: float
    heap: tuple[Heap, Heap]
    nodes: tuple[float, float]


async def measure(seconds: float) -> Browsed | None:
    """None where there is no browser."""
    chromium = find_chromium(whole=True)
    if chromium is None:
        return None
    port = free_port()
    with on_all_cores():
        return await _measured(chromium, port, seconds)


@contextlib.contextmanager
def on_all_cores() -> Iterator[None]:
    """A browser is several threads, and inherits where its starter may run."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _measured(chromium: str, port: int, seconds: float) -> Browsed:
    async with (
        running("bench.floor_server", port, AGENTS, RATE),
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await page.add_init_script(WATCH)
        await page.goto(f"http://127.0.0.1:{port}")
        tools = await page.context.new_cdp_session(page)
        await page.evaluate(COUNT)
        await asyncio.sleep(LEARN_S)
        heap, nodes = await heap_of(tools), await _nodes(tools)
        await page.evaluate(COUNT)
        await asyncio.sleep(seconds)
        usual = await page.evaluate(TAKE)
        heap_after, nodes_after = await heap_of(tools), await _nodes(tools)
        await tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        await asyncio.sleep(WARM_S)
        await page.evaluate(TAKE)
        await asyncio.sleep(LONGER * seconds)
        slow = await page.evaluate(TAKE)
        cards = await _cards(page)
        await browser.close()
    return Browsed(
        cards=cards,
        changed=statistics.fmean(usual["changed"] or [0]),
        frames_per_s=len(usual["spent"]) / seconds,
        spent_p50=share(usual["spent"], 50),
        spent_p99=share(usual["spent"], 99),
        fps=usual["frames"] / seconds,
        behind_p99=share(usual["behind"], 99),
        slow_spent_p50=share(slow["spent"], 50),
        slow_behind_p99=share(slow["behind"], 99),
        slow_frames_per_s=len(slow["spent"]) / (LONGER * seconds),
        heap=(heap, heap_after),
        nodes=(nodes, nodes_after),
    )


async def _cards(page: Page) -> int:
    return int(await page.evaluate("() => document.querySelectorAll('#agents .card').length"))


async def _nodes(tools: CDPSession) -> float:
    """The least of some moments: what a frame under way brings is no growth."""
    await tools.send("Performance.enable")
    return min([await _nodes_now(tools) for _ in range(MOMENTS)])


async def _nodes_now(tools: CDPSession) -> float:
    await asyncio.sleep(MOMENT_S)
    await tools.send("HeapProfiler.collectGarbage")
    told: Any = await tools.send("Performance.getMetrics")
    return next(float(row["value"]) for row in told["metrics"] if row["name"] == "Nodes")
