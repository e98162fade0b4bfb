"""The loop from log to floor to screens: restarts, snapshots, many viewers, and its death."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from app.domain.days import BusinessDay
from app.domain.events import Event, PhoneReported, Tick
from app.domain.model import FloorState
from app.log import EventLog, LogUnavailable, Snapshot
from app.log.memory import MemoryLog
from app.pbx.voicecloud import decode
from app.projector import Projector
from app.render import Audience, Renderer
from tests.logs import Clock, Place

UTC = ZoneInfo("UTC")
TRACES = sorted((Path(__file__).parent / "traces").glob("*.jsonl"))
BOARD = Audience()


def projector_on(log: EventLog, clock: Clock) -> Projector:
    return Projector(log, BusinessDay(UTC), Renderer(UTC), clock)


def state_of(projector: Projector) -> bytes:
    return msgspec.json.encode(projector.floor.state)


def events_of(trace: Path) -> list[Event]:
    rows = [json.loads(line) for line in trace.read_text().splitlines()]
    return [
        decode(row["path"], row["params"], now=round(row["t"] * 1000), zone=UTC) for row in rows
    ]


async def applied(projector: Projector, log: EventLog) -> None:
    async with asyncio.timeout(5):
        await projector.wait_for(log.last_seq)


@pytest.mark.anyio
@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.stem)
async def test_a_restart_at_every_tenth_event_changes_nothing(trace, tmp_path):
    place = Place(f"sqlite:{tmp_path / 'pitwall.db'}")
    undisturbed = MemoryLog(place.clock)
    for number, event in enumerate(events_of(trace)):
        if number % 10 == 0:
            await place.close()
            log = await place.open()
            projector = projector_on(log, place.clock)
            await projector.start()
        place.clock.now += 700
        for each in (event, Tick()):
            await log.append([each])
            await undisturbed.append([each])
        if number % 20 == 5:
            await projector.start()
            await projector.save_snapshot()

    restarted, whole = projector_on(log, place.clock), projector_on(undisturbed, place.clock)
    await restarted.start()
    await whole.start()

    assert restarted.applied == whole.applied > 0
    assert state_of(restarted) == state_of(whole)
    await place.close()


@pytest.mark.anyio
async def test_a_snapshot_that_cannot_be_read_only_costs_time():
    clock = Clock()
    log = MemoryLog(clock)
    await log.append([PhoneReported(extension="101", status="on")])
    await log.save_snapshot(Snapshot(1, b"{broken"))

    projector = projector_on(log, clock)
    await projector.start()

    assert projector.floor.state.agents["101"].status == "on"


@pytest.mark.anyio
async def test_a_snapshot_from_a_longer_log_is_not_believed():
    clock = Clock()
    log = MemoryLog(clock)
    await log.append([PhoneReported(extension="101", status="on")])
    await log.save_snapshot(Snapshot(9, msgspec.json.encode(FloorState(seq=9))))

    projector = projector_on(log, clock)
    await projector.start()

    assert projector.applied == 1


@pytest.mark.anyio
async def test_two_viewers_see_the_same_and_a_late_one_sees_the_board_as_it_is():
    clock = Clock()
    log = MemoryLog(clock)
    projector = projector_on(log, clock)
    loop = asyncio.create_task(projector.run())
    screen = projector.screens.screen(BOARD)

    await log.append([PhoneReported(extension="101", status="talk")])
    await asyncio.wait_for(screen.wait(screen.version), 5)
    first, second = screen.since(0), projector.screens.screen(BOARD).since(0)
    loop.cancel()

    late = Projector(log, BusinessDay(UTC), Renderer(UTC), clock)
    await late.start()
    assert first == second
    assert 'id="a-101"' in first
    assert 'id="a-101"' in late.screens.screen(BOARD).since(0)


@pytest.mark.anyio
async def test_a_subscriber_that_is_slow_gets_what_changed_once():
    clock = Clock()
    log = MemoryLog(clock)
    projector = projector_on(log, clock)
    loop = asyncio.create_task(projector.run())

    with projector.subscribe() as subscription:
        for status in ("on", "pause", "on"):
            await log.append([PhoneReported(extension="101", status=status)])
        await log.append([PhoneReported(extension="102", status="on")])
        await applied(projector, log)
        changes = await subscription.take()
    loop.cancel()

    assert changes.agents == {"101", "102"}


class FullDisk(MemoryLog):
    async def append(self, events, rid=None):
        raise LogUnavailable("The disk is full.")


@pytest.mark.anyio
async def test_without_disk_time_stands_still_but_the_loop_lives(caplog):
    projector = projector_on(FullDisk(Clock()), Clock())

    ticking = asyncio.create_task(projector.tick())
    await asyncio.sleep(0.01)

    assert not ticking.done()
    assert "Time stands still" in caplog.text
    ticking.cancel()


@asynccontextmanager
async def due_for_a_snapshot(log: MemoryLog, clock: Clock) -> AsyncIterator[Projector]:
    """It runs, and has applied two records with six minutes between them."""
    projector = projector_on(log, clock)
    loop = asyncio.create_task(projector.run())
    await log.append([Tick()])
    clock.now += 6 * 60 * 1000
    await log.append([Tick()])
    await applied(projector, log)
    yield projector
    loop.cancel()


@pytest.mark.anyio
async def test_a_snapshot_is_kept_when_enough_happened():
    clock = Clock()
    log = MemoryLog(clock)
    async with due_for_a_snapshot(log, clock), asyncio.timeout(10):
        while (snapshot := await log.latest_snapshot()) is None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)

    assert snapshot.seq == 2


class SlowDisk(MemoryLog):
    saving = False

    async def save_snapshot(self, snapshot):
        self.saving = True
        await asyncio.Event().wait()


@pytest.mark.anyio
async def test_a_snapshot_that_takes_long_does_not_hold_up_the_board():
    clock = Clock()
    log = SlowDisk(clock)
    async with due_for_a_snapshot(log, clock) as projector:
        async with asyncio.timeout(5):
            while not log.saving:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.001)

        await log.append([Tick()])
        await applied(projector, log)


class NoRoom(MemoryLog):
    async def save_snapshot(self, snapshot):
        raise LogUnavailable("the disk is full")


@pytest.mark.anyio
async def test_a_floor_that_can_not_be_kept_hinders_no_orderly_end(caplog):
    projector = projector_on(NoRoom(Clock()), Clock())
    await projector.start()

    await projector.keep_snapshot()

    assert "No snapshot was kept" in caplog.text
    assert "the disk is full" in caplog.text
