"""The browser of the tests itself: it opens pages, runs the vendored scripts, and tells on them."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

STATIC = Path(__file__).parent.parent / "static"

pytestmark = pytest.mark.browser


def test_the_vendored_htmx_runs(page: Page) -> None:
    page.set_content("<p id=here>before</p>")
    page.add_script_tag(path=STATIC / "htmx-4.0.1.min.js")
    page.add_script_tag(path=STATIC / "hx-ws-4.0.1.min.js")

    assert page.evaluate("htmx.version") == "4.0.1"


def test_an_error_on_a_page_is_a_complaint(page: Page, complaints: list[str]) -> None:
    page.set_content("<script>console.error('refused')</script><script>nothing.there</script>")
    page.wait_for_function("document.readyState === 'complete'")

    refused, failed = complaints
    assert refused == "refused"
    assert failed.startswith("ReferenceError: nothing is not defined\n    at ")
    complaints.clear()
