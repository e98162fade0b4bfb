"""What the benchmark counts as a page's memory: its objects, and not the code compiled for it."""

from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from bench.heap import Heap, heap_in, heap_of
from tests.browser_setup import ARGUMENTS, find_chromium

pytestmark = pytest.mark.anyio

WORK = "window.sum = 0; for (let n = 0; n < 1e6; n++) sum += n % 7;"
LEAK = "window.kept = Array.from({ length: 10000 }, (_, n) => ({ n, text: `number ${n}` }));"


def snapshot(*found: tuple[str, int]) -> dict[str, Any]:
    """As V8 writes it: things of these kinds and sizes."""
    kinds = ["hidden", "object", "code", "native", "synthetic", "string"]
    meta = {"node_fields": ["type", "name", "self_size"], "node_types": [kinds, "string", "number"]}
    nodes = [number for kind, size in found for number in (kinds.index(kind), 0, size)]
    return {"snapshot": {"meta": meta}, "nodes": nodes}


def test_objects_and_strings_are_kept_code_and_elements_are_counted_apart() -> None:
    found = snapshot(("object", 40), ("string", 2), ("code", 500), ("native", 7), ("synthetic", 9))

    assert heap_in(found) == Heap(kept=42, code=500)


async def growth(page: Page, script: str) -> int:
    """Bytes that a page keeps more after it ran `script`."""
    tools = await page.context.new_cdp_session(page)
    before = await heap_of(tools)
    await page.evaluate(f"() => {{ {script} }}")
    after = await heap_of(tools)
    return after.kept - before.kept


async def test_a_page_that_keeps_things_is_found_out_and_one_that_works_is_not() -> None:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("There is no Chromium on this machine.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        page = await browser.new_page()
        # To run the first script at all takes some memory.
        await growth(page, WORK)

        assert await growth(page, WORK) < 10_000
        assert await growth(page, LEAK) > 300_000
        await browser.close()
