"""Ten thousand frames of walls over a busy floor: nobody's whole number is in any of them."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from app.audience import LAYOUTS, Audience
from app.domain.alarm_acts import event_of
from app.domain.days import BusinessDay
from app.domain.default_rules import DEFAULTS
from app.domain.events import Tick
from app.domain.floor import Floor
from app.domain.turn import Changes
from app.pbx.voicecloud import decode
from app.render import Renderer
from app.screen import Screen
from app.simulator.world import Plan, World
from tests.story import TICK_MS, UTC_ZONE

START = 1_772_438_400
# More callers than agents can serve: a wall has somebody waiting all the time.
PLAN = Plan(agents=30, seed=11, start=START, zone=datetime.UTC, load=1.4)
SECONDS = 900
FRAMES = 10_000
WALLS = [
    Audience(page="wall", layout=layout, masked=True, hidden=is_hidden)
    for layout in LAYOUTS
    for is_hidden in (False, True)
]
BARE = Audience(page="wall", layout="queue")
# What makes a number, however it begins and is divided: 0938 363 739, +84938363739.
SIGNIFICANT = 9
BETWEEN = re.compile(r"(?<=[0-9])[ .()-]{1,2}(?=[0-9])")
DIGITS = re.compile(f"[0-9]{{{SIGNIFICANT},}}")


@dataclass
class Wall:
    """What one wall was sent so far, frame by frame; a late one is sent the whole."""

    audience: Audience
    renderer: Renderer
    frames: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.screen = Screen(lambda: self.screen.tick, frame_s=0)

    def show(self, changes: Changes, floor: Floor) -> None:
        drawing, seen = self.renderer.fragments(changes, floor, self.audience), self.screen.version
        self.screen.update(drawing.fragments, drawing.lists, floor.state.at)
        if self.screen.version > seen:
            self.frames.append(self.screen.since(seen))
        if len(self.frames) % 100 == 0:
            self.frames.append(self.screen.since(0))


@pytest.fixture(scope="module")
def watched() -> tuple[list[Wall], Wall, set[str]]:
    """A simulated floor at the speed of the machine: walls, a bare one, and all its numbers."""
    world, floor, renderer = World(PLAN), Floor(BusinessDay(UTC_ZONE)), Renderer()
    walls = [Wall(audience, renderer) for audience in WALLS]
    bare, numbers = Wall(BARE, renderer), set[str]()
    for rule in DEFAULTS:
        is_on = event_of(replace(rule, enabled=True), "ann")
        floor.apply(floor.state.seq + 1, START * 1000, is_on)
    for at, path, params in told_by(world):
        event = decode(path, params, now=at, zone=UTC_ZONE) if path else Tick()
        changes = floor.apply(floor.state.seq + 1, at, event)
        numbers.add(params.get("phone", ""))
        for wall in (*walls, bare):
            wall.show(changes, floor)
    return walls, bare, {number for number in numbers if len(number) >= SIGNIFICANT}


def told_by(world: World) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Time (ms), path and parameters of each webhook; each five seconds a tick, with no path."""
    world.start()
    for second in range(START, START + SECONDS, TICK_MS // 1000):
        for webhook in world.run_until(second):
            yield round(webhook.at * 1000), webhook.path, webhook.params
        yield second * 1000, "", {}


def whole_numbers(wall: Wall, numbers: set[str]) -> set[str]:
    """Those of the numbers that are in the wall's frames."""
    keys = {number[-SIGNIFICANT:]: number for number in numbers}
    runs = (run for frame in wall.frames for run in DIGITS.findall(BETWEEN.sub("", frame)))
    return {keys[run[-SIGNIFICANT:]] for run in runs if run[-SIGNIFICANT:] in keys}


def test_ten_thousand_frames_show_no_whole_number(
    watched: tuple[list[Wall], Wall, set[str]],
) -> None:
    walls, _, numbers = watched

    assert sum(len(wall.frames) for wall in walls) >= FRAMES
    assert [number for wall in walls for number in whole_numbers(wall, numbers)] == []


def test_a_wall_that_masked_nothing_would_be_found_out(
    watched: tuple[list[Wall], Wall, set[str]],
) -> None:
    walls, bare, numbers = watched
    masked = "".join(frame for wall in walls for frame in wall.frames)
    found = whole_numbers(bare, numbers)

    assert len(found) > 100
    assert all(f"•••{number[-3:]}<" in masked for number in found)
