"""The versioned screen: what a viewer gets, when, and that nothing is sent twice or lost."""

import asyncio

import pytest

from app.screen import Screen
from app.screens import MOST_UNWATCHED, Screens

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


def a_screen(frame_s: float = 0) -> Screen:
    return Screen(Clock(), build="b1", frame_s=frame_s)


def card(name: str, text: str) -> str:
    return f'<article id="{name}">{text}</article>'


def with_cards(*names: str) -> Screen:
    screen = a_screen()
    screen.update({name: card(name, "free") for name in names}, {"agents": names})
    return screen


def test_a_new_viewer_gets_the_whole_board_as_one_container() -> None:
    frame = with_cards("a-1", "a-2").since(0)

    assert frame.startswith(
        '<hx-partial hx-target="#agents" hx-swap="innerMorph"><article id="a-1"'
    )
    assert "hx-swap-oob" not in frame.split("</hx-partial>")[0]


def test_a_viewer_gets_only_what_is_newer() -> None:
    screen = with_cards("a-1", "a-2")
    seen = screen.version

    screen.update({"a-2": card("a-2", "talks")})

    assert '<article hx-swap-oob="outerMorph" id="a-2">talks' in screen.since(seen)
    assert "a-1" not in screen.since(seen)


def test_a_slow_viewer_skips_what_it_missed() -> None:
    screen = with_cards("a-1")
    seen = screen.version

    for text in ("rings", "talks", "free again"):
        screen.update({"a-1": card("a-1", text)})

    assert "free again" in screen.since(seen)
    assert "rings" not in screen.since(seen)


def test_the_same_html_is_no_change() -> None:
    screen = with_cards("a-1")
    seen = screen.version

    screen.update({"a-1": card("a-1", "free")}, {"agents": ("a-1",)})

    assert screen.version == seen


def test_a_changed_roster_sends_the_container_and_no_single_card_of_it() -> None:
    screen = with_cards("a-1", "a-2")
    seen = screen.version

    screen.update({"a-3": card("a-3", "new")}, {"agents": ("a-1", "a-3")})
    frame = screen.since(seen)

    assert frame.index("a-1") < frame.index("a-3") < frame.index("</hx-partial>")
    assert "a-2" not in frame
    assert "a-2" not in screen.html("agents")
    assert frame.count("hx-swap-oob") == 1


def test_another_order_of_the_same_cards_is_news() -> None:
    screen = with_cards("a-1", "a-2")
    seen = screen.version

    screen.update({}, {"agents": ("a-2", "a-1")})

    assert screen.version > seen
    assert screen.html("agents") == card("a-2", "free") + card("a-1", "free")


def test_a_page_is_made_of_containers_and_of_what_is_in_none() -> None:
    screen = with_cards("a-1")
    screen.update({"head": card("head", "3 calls wait")})

    assert screen.names == ["agents", "head"]


def test_a_page_has_none_who_left() -> None:
    screen = with_cards("a-1", "a-2")
    screen.update({}, {"agents": ["a-1"]})

    assert screen.names == ["agents"]
    assert screen.html("a-2") == ""


def test_that_nothing_can_be_saved_is_news_and_so_is_its_end() -> None:
    screen, told = with_cards("a-1"), []
    screen.tell(lambda: told.append(screen.version))
    before = screen.version
    for unsaved in (5, 5, 0):
        screen.warn(unsaved)

    assert told == [before + 1, before + 2]


def test_a_screen_is_watched_until_the_last_one_looks_away() -> None:
    screen, listener = a_screen(), [].clear
    watched = [screen.is_watched]
    screen.tell(listener)
    watched.append(screen.is_watched)
    screen.tell_no_more(listener)

    assert [*watched, screen.is_watched] == [False, True, False]


def test_an_agent_who_comes_back_with_the_same_card_is_shown_again() -> None:
    screen = with_cards("a-1", "a-2")
    screen.update({}, {"agents": ("a-1",)})

    screen.update({"a-2": card("a-2", "free")}, {"agents": ("a-1", "a-2")})

    assert "a-2" in screen.html("agents")


def test_however_many_cards_changed_no_other_is_sent() -> None:
    names = [f"a-{number}" for number in range(1000)]
    screen = with_cards(*names)
    seen = screen.version

    screen.update({name: card(name, "talks") for name in names[:-1]})

    frame = screen.since(seen)
    assert "hx-partial" not in frame
    assert names[-1] not in frame
    assert frame.count("outerMorph") == len(names)


def test_every_frame_ends_with_the_marker() -> None:
    screen = with_cards("a-1", "a-2")
    screen.update({}, tick=999_000)
    frame = screen.since(screen.version)

    assert frame.startswith('<i id="beat" hidden')
    for part in ('data-tick="999000"', 'data-now="1000000"', 'data-counts="agents:2"'):
        assert part in frame


def test_a_tick_alone_is_news() -> None:
    screen = with_cards("a-1")
    seen = screen.version

    screen.update({}, tick=5_000)
    assert screen.version == seen + 1

    screen.update({}, tick=5_000)
    screen.update({})
    assert (screen.version, screen.tick) == (seen + 1, 5_000)


def test_viewers_at_the_same_version_share_one_text() -> None:
    screen = with_cards("a-1")

    assert screen.since(0) is screen.since(0)


def test_a_frame_is_not_shared_once_its_clock_is_old() -> None:
    clock = Clock()
    screen = Screen(clock, frame_s=0, passed=lambda: clock.now / 1000)
    screen.update({"tiles": '<p id="tiles"></p>'})
    screen.since(0)

    clock.now += 1_000

    assert f'data-now="{clock.now}"' in screen.since(0)


async def test_a_first_change_goes_out_at_once_and_the_next_ones_together() -> None:
    screen = a_screen(frame_s=0.05)
    screen.update({"p": card("p", "1")})
    assert screen.version == 1

    screen.update({"p": card("p", "2")})
    screen.update({"p": card("p", "3")})
    assert screen.version == 1

    await asyncio.wait_for(screen.wait(1), 1)
    assert screen.version == 2
    assert ">3<" in screen.since(1)


async def test_what_changes_while_a_frame_is_pending_is_never_lost() -> None:
    screen = a_screen(frame_s=0.02)
    screen.update({"p": card("p", "1")})
    screen.update({"p": card("p", "2")})
    early = screen.since(1)
    screen.update({"q": card("q", "3")})

    await asyncio.wait_for(screen.wait(1), 1)

    assert ">2<" in early
    assert ">2<" in screen.since(1)
    assert ">3<" in screen.since(1)


async def test_waiting_ends_with_the_next_change() -> None:
    screen = a_screen()
    viewer = asyncio.ensure_future(screen.wait(0))
    await asyncio.sleep(0)
    assert not viewer.done()

    screen.update({"p": card("p", "1")})

    await asyncio.wait_for(viewer, 1)


def screens_at(now: list[float]) -> Screens[str]:
    def draw(key: str, screen: Screen) -> None:
        screen.update({"p": card("p", key)})

    return Screens(a_screen, draw, keep_s=60, monotonic=lambda: now[0])


def test_an_audience_is_drawn_on_first_use_and_then_kept() -> None:
    screens = screens_at([0.0])

    assert ">en<" in screens.screen("en").html("p")
    assert screens.screen("en") is screens.screen("en")
    assert screens.screen("vi") is not screens.screen("en")


def test_a_screen_that_nobody_has_watched_for_a_while_is_dropped() -> None:
    now = [0.0]
    screens = screens_at(now)
    screens.screen("en")

    with screens.watch("vi"):
        now[0] = 61.0
        assert [key for key, _ in screens.live()] == ["vi"]
        assert screens.viewers == 1

    assert [key for key, _ in screens.live()] == ["vi"]
    now[0] = 122.0
    assert screens.live() == []


def test_pages_that_are_only_loaded_keep_few_screens_and_no_watched_one_goes():
    now = [0.0]
    screens = screens_at(now)
    with screens.watch("watched"):
        for number in range(100):
            now[0] += 0.01
            screens.screen(f"page {number}")
        kept = [key for key, _ in screens.live()]

    assert kept[0] == "watched"
    assert kept[1:] == [f"page {number}" for number in range(100 - MOST_UNWATCHED, 100)]
