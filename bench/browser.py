"""A real Chromium with a thousand cards: how long a frame takes to be seen, and what it costs."""

import statistics
from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession, Page, async_playwright

from bench.ingest import CONNECTIONS, serving
from bench.load import Load
from bench.measure import share
from tests.browser_setup import ARGUMENTS, find_chromium

AGENTS = 1000
# With this many webhooks a second fifty of the cards change in each of ten frames.
RATE = 800.0
WARM_S = 3.0
SLOWDOWN = 6
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
const frame = () => { bench.frames += 1; requestAnimationFrame(frame); };
requestAnimationFrame(frame);
"""
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
    heap_mib: tuple[float, float]
    nodes: tuple[float, float]


async def measure(seconds: float) -> Browsed | None:
    """None where there is no browser."""
    chromium = find_chromium()
    if chromium is None:
        return None
    async with serving("whole", AGENTS, 10, core=None) as served, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        context = await browser.new_context(viewport={"width": 1920, "height": 1080})
        name, _, value = served.ready["cookies"][0].partition("=")
        url = f"http://127.0.0.1:{served.port}"
        await context.add_cookies([{"name": name, "value": value, "url": url}])
        page = await context.new_page()
        await page.add_init_script(WATCH)
        await page.goto(url)
        tools = await context.new_cdp_session(page)
        load = Load(served.port, CONNECTIONS)
        await load.open()
        await load.pace(served.moments(RATE), RATE, WARM_S)
        before = await _sizes(tools)
        await page.evaluate(TAKE)
        await load.pace(served.moments(RATE), RATE, seconds)
        usual = await page.evaluate(TAKE)
        after = await _sizes(tools)
        await tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        await load.pace(served.moments(RATE), RATE, WARM_S)
        await page.evaluate(TAKE)
        await load.pace(served.moments(RATE), RATE, seconds)
        slow = await page.evaluate(TAKE)
        cards = await _cards(page)
        load.close()
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
        slow_frames_per_s=len(slow["spent"]) / seconds,
        heap_mib=(before["JSHeapUsedSize"] / 2**20, after["JSHeapUsedSize"] / 2**20),
        nodes=(before["Nodes"], after["Nodes"]),
    )


async def _cards(page: Page) -> int:
    return int(await page.evaluate("() => document.querySelectorAll('#agents .card').length"))


async def _sizes(tools: CDPSession) -> dict[str, float]:
    await tools.send("HeapProfiler.collectGarbage")
    await tools.send("Performance.enable")
    told: Any = await tools.send("Performance.getMetrics")
    return {row["name"]: row["value"] for row in told["metrics"]}
