"""The program's clock under a machine's clock that is set, and what the log makes of a jump."""

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.clock import ContinuedClock, SteadyClock, wall_ms
from app.database import Database
from app.domain.events import CallAnswered, CallRinging, Event, PhoneReported, Tick
from app.domain.states import CallState
from app.log.sqlite import SqliteLog
from app.web.admin.attention import concerns
from tests.logs import NOON
from tests.served import Served
from tests.story import Story

pytestmark = pytest.mark.anyio

HOUR, DAY = 3_600_000, 86_400_000
JUMPS = [HOUR, -HOUR, DAY, -DAY]
APP = Path(__file__).parent.parent / "app"


class Machine:
    def __init__(self) -> None:
        self.wall_now, self.passed_now = NOON, 5_000_000

    def passes(self, ms: int) -> None:
        self.wall_now += ms
        self.passed_now += ms

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall_now, lambda: self.passed_now)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_it_tells_the_walls_time(machine):
    clock = machine.clock()
    machine.passes(12_345)

    assert clock() == machine.wall_now


@pytest.mark.parametrize("jump", JUMPS)
def test_four_minutes_around_a_jump_are_four_minutes(machine, jump):
    clock = machine.clock()
    machine.passes(120_000)
    began = clock()
    machine.wall_now += jump
    for _ in range(240):
        machine.passes(1_000)
        clock()

    assert abs(clock() - began - 240_000) <= 5_000


@pytest.mark.parametrize("jump", JUMPS)
def test_it_never_goes_back(machine, jump):
    clock, seen = machine.clock(), [0]
    machine.wall_now += jump
    for step in (1, 7, 49, 50, 51, 1_000) * 50:
        machine.passes(step)
        seen.append(clock())

    assert seen == sorted(seen)


def test_it_comes_round_to_the_walls_time(machine):
    clock = machine.clock()
    machine.wall_now -= 60_000
    for _ in range(120):
        machine.passes(60_000)
        clock()

    assert clock() == machine.wall_now


def test_a_slow_correction_of_the_machine_is_followed(machine):
    clock = machine.clock()
    for _ in range(1_000):
        machine.passes(1_000)
        machine.wall_now += 1
        clock()

    assert abs(clock() - machine.wall_now) <= 20


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_ends_no_call_and_sends_nobody_home(machine, jump):
    clock, story = machine.clock(), Story()
    told = [
        PhoneReported(extension="101", status="on"),
        CallRinging(callid="c1", extension="101", queue="999"),
        CallAnswered(callid="c1", extension="101", queue="999"),
    ]
    for event in told:
        machine.passes(1_000)
        story.floor.apply(story.floor.state.seq + 1, clock(), event)
    machine.wall_now += jump
    for _ in range(60):
        machine.passes(5_000)
        story.floor.apply(story.floor.state.seq + 1, clock(), Tick())

    state = story.floor.state
    assert state.calls["c1"].state is CallState.ANSWERED
    assert state.agents["101"].status == "talk"
    assert 295_000 <= state.at - (state.calls["c1"].answered_at or 0) <= 310_000


@pytest.mark.parametrize("behind", [20_000, HOUR, DAY])
def test_a_site_goes_on_from_its_log_when_the_machine_is_behind(machine, behind):
    clock = ContinuedClock(machine.clock())
    assert clock.go_on_from(NOON + behind) == behind
    began = clock()
    for _ in range(240):
        machine.passes(1_000)
        clock()

    assert began == NOON + behind
    assert 235_000 <= clock() - began < 240_000


def test_a_site_comes_round_to_the_machines_time(machine):
    clock = ContinuedClock(machine.clock())
    clock.go_on_from(NOON + 60_000)
    for _ in range(120):
        machine.passes(60_000)
        clock()

    assert clock() == machine.wall_now


def test_a_log_of_the_past_changes_nothing(machine):
    clock = ContinuedClock(machine.clock())

    assert clock.go_on_from(NOON - HOUR) == 0
    assert clock() == machine.wall_now


async def store(path: Path, clock: Callable[[], int], events: Sequence[Event]) -> None:
    """Append them to the log in the database there."""
    database = await Database.open(str(path))
    log = await SqliteLog.open(database, clock)
    await log.append(events)
    await log.close()
    await database.close()


async def test_time_passes_for_a_program_that_starts_an_hour_before_its_log(tmp_path):
    ahead = wall_ms() + HOUR
    await store(tmp_path / "served.db", lambda: ahead, [Tick()])
    with Served(tmp_path) as served:
        for number in range(3):
            await asyncio.to_thread(served.hook, "/callcenter/hangup", callid=f"c{number}")
            await asyncio.sleep(0.2)
        parts = served.parts
        times = [record.at for record in served.call(parts.log.records(range(2, 99)))]
        kinds = [concern.kind for concern in concerns(parts)]
        behind = parts.clock() - parts.floor.state.at

    assert ahead <= times[0] < times[-1] - 300
    assert 0 <= behind < 15_000
    assert "clock" in kinds


def test_nothing_else_reads_the_machines_clock():
    reads = re.compile(r"time\.time\b|time_ns\(|datetime\.now|date\.today")
    readers = {
        path.relative_to(APP).as_posix()
        for path in APP.rglob("*.py")
        if reads.search(path.read_text()) and "simulator" not in path.parts
    }

    assert readers == {"clock.py"}
