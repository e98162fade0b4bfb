"""Compressed frames that refer to earlier ones: whoever keeps up, falls back or joins reads right.

The websockets library, which is the browser here, reads each frame.
"""

import random

import pytest
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from app.screen import Screen
from app.web.frames import DEFLATE, frame_of
from app.web.stream import CUT, MOST_BEHIND, Place
from tests.test_frames import read

CARD = '<article id="a-{0}" class="card"><h3>Đặng Thị {0}</h3><p>{1}</p></article>'


class Floor:
    """A screen whose cards change."""

    def __init__(self, cards: int = 5) -> None:
        self.chance = random.Random(3)
        self.passed = 1_000.0
        self.screen = Screen(lambda: 0, frame_s=0, passed=lambda: self.passed)
        self.cards = cards
        for number in range(cards):
            self.change(number)

    def change(self, number: int | None = None) -> None:
        number = self.chance.randrange(self.cards) if number is None else number
        text = f"{self.chance.randrange(10**9)} ☎ " * self.chance.randrange(1, 4)
        self.screen.update({f"a-{number}": CARD.format(number, text)})


class Page:
    """A browser's end of one connection."""

    def __init__(self, floor: Floor) -> None:
        factory = ClientPerMessageDeflateFactory(client_max_window_bits=True)
        answer, _ = DEFLATE.process_request_params(list(factory.get_request_params()), [])
        self.reads: Extension = factory.process_response_params(answer, [])
        self.floor = floor
        self.place = Place(floor.screen)
        self.seen = 0
        self.frames: list[bytes] = []

    def look(self, *, keeps_up: bool = True) -> None:
        """Take what is newer, and see that it is what the screen says."""
        screen = self.floor.screen
        if screen.version == self.seen:
            return
        text = screen.since(self.seen)
        frame = self.place.frame(text, keeps_up=keeps_up)
        self.seen = screen.version
        self.frames.append(frame)
        shown = bytes(read(frame, [self.reads]).data).decode()
        assert shown.split(CUT, 1)[0] == text


def test_all_who_keep_up_are_sent_the_same_small_frames() -> None:
    floor = Floor()
    pages = [Page(floor) for _ in range(3)]
    for _ in range(30):
        floor.change()
        for page in pages:
            page.look()

    assert pages[0].frames == pages[1].frames == pages[2].frames
    alone = [len(frame_of(floor.screen.since(floor.screen.version - 1)).deflated)]
    assert len(pages[0].frames[-1]) < alone[0] * 0.6


def test_who_comes_later_reads_on_where_the_others_are() -> None:
    floor = Floor()
    first, late = Page(floor), Page(floor)
    for _ in range(20):
        floor.change()
        first.look()
    late.look()
    for _ in range(5):
        floor.change()
        first.look()
        late.look()

    assert late.frames[-5:] == first.frames[-5:]


def test_who_is_slow_is_sent_frames_that_stand_alone() -> None:
    floor = Floor()
    swift, slow = Page(floor), Page(floor)
    for number in range(12):
        floor.change()
        swift.look()
        if number % 3 == 2:
            slow.look(keeps_up=False)

    for frame in slow.frames:
        assert bytes(read(frame, [Page(floor).reads]).data).startswith(b"<article ")


def test_a_frame_that_is_old_is_not_sent_again() -> None:
    floor = Floor()
    swift, other = Page(floor), Page(floor)
    for page in (swift, other):
        page.look()
    floor.change()
    swift.look()
    floor.passed += 5
    other.look()
    assert other.frames[-1] != swift.frames[-1]

    floor.change()
    for page in (swift, other):
        page.look()
    assert other.frames[-1] == swift.frames[-1]


def test_a_run_that_nobody_read_for_long_is_begun_anew() -> None:
    floor = Floor()
    first = Page(floor)
    floor.change()
    first.look()
    for _ in range(MOST_BEHIND + 1):
        floor.change()
    late = Page(floor)
    for _ in range(3):
        late.look()
        first.look()
        floor.change()

    assert late.frames[-1] == first.frames[-1]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_anybody_misses_everybody_reads_what_the_screen_says(seed: int) -> None:
    chance, floor = random.Random(seed), Floor(cards=40)
    pages = [Page(floor) for _ in range(4)]
    for _ in range(120):
        for _ in range(chance.choice((1, 1, 1, 2, 30))):
            floor.change()
        floor.passed += chance.choice((0.0, 0.1, 1.0))
        for page in chance.sample(pages, chance.randrange(1, 5)):
            page.look(keeps_up=chance.random() < 0.8)
        if chance.random() < 0.1:
            pages[chance.randrange(4)] = Page(floor)
