"""The patch that puts frames into the page: what stays, what moves, and what goes."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PATCH = Path(__file__).parent.parent / "static" / "patch.js"
ROWS = "".join(f'<li id="{name}"><b>{name}</b><button>go</button></li>' for name in "abcd")


@pytest.fixture
def lists(page: Page) -> Page:
    page.set_content(f'<ol id="rows">{ROWS}</ol>')
    page.evaluate("window.pitwall = {}")
    page.add_script_tag(path=PATCH)
    page.evaluate("window.was = Object.fromEntries([...rows.children].map(one => [one.id, one]))")
    return page


def whole(names: str) -> str:
    rows = "".join(f'<li id="{name}"><b>{name}!</b><button>go</button></li>' for name in names)
    return f'<hx-partial hx-target="#rows" hx-swap="innerMorph">{rows}</hx-partial>'


@pytest.mark.parametrize("names", ["dcba", "bcd", "abd", "xabcd", "axbd", "d", "", "cxad"])
def test_a_list_gets_the_members_and_the_order_of_the_frame(lists: Page, names: str) -> None:
    lists.evaluate("text => pitwall.apply(text)", whole(names))

    told = lists.evaluate("[...rows.children].map(one => one.textContent)")
    assert told == [f"{name}!go" for name in names]
    assert lists.evaluate("[...rows.children].every(one => !was[one.id] || was[one.id] === one)")


def test_what_has_the_focus_keeps_it_while_its_row_moves(lists: Page) -> None:
    lists.evaluate("was.b.querySelector('button').focus()")

    lists.evaluate("text => pitwall.apply(text)", whole("dcba"))

    assert lists.evaluate("document.activeElement === was.b.querySelector('button')")


def test_attributes_follow_the_frame_except_those_of_the_page(lists: Page) -> None:
    lists.evaluate("was.a.setAttribute('data-open', ''); was.a.setAttribute('data-old', '')")

    lists.evaluate(
        "text => pitwall.apply(text)",
        '<li hx-swap-oob="outerMorph" id="a" data-look="talk"><b>A</b><i>new</i></li>',
    )

    names = lists.evaluate("was.a.getAttributeNames().sort()")
    assert names == ["data-look", "data-open", "id"]
    assert lists.evaluate("was.a.innerHTML") == "<b>A</b><i>new</i>"


def test_what_is_not_on_the_page_is_left_out(lists: Page) -> None:
    assert lists.evaluate("text => pitwall.apply(text)", '<li id="z">z</li>') == []
    assert lists.evaluate("rows.childElementCount") == 4


def test_rows_that_leave_move_none_of_the_others(lists: Page) -> None:
    lists.evaluate("rows.innerHTML = rows.innerHTML.replaceAll('</li>', '</li>\\n')")

    touched = lists.evaluate(
        """text => {
            const seen = new MutationObserver(() => {});
            seen.observe(rows, { childList: true });
            pitwall.apply(text);
            const nodes = seen.takeRecords().map(one => [...one.removedNodes, ...one.addedNodes]);
            return nodes.flat().map(node => node.id).filter(Boolean);
        }""",
        whole("cdx").replace("</li>", "</li>\n"),
    )

    assert touched == ["a", "b", "x"]
