"""Looking back: the floor of any moment is the floor as it was then."""

import asyncio
import random
from threading import Event

import msgspec
import pytest

from app.domain.floor import Floor
from app.history.follower import History
from app.rewind import MOMENTS_KEPT, NothingRecorded, Rewind
from tests.history_setup import DAYS, NINE, TRACES, Timed, of_story, of_trace, simulated, site
from tests.waiting import until

pytestmark = pytest.mark.anyio


def as_it_was(events: list[Timed], moments: list[int]) -> dict[int, bytes]:
    """The floor's state at each of the moments, from one pass through everything."""
    floor, found, left = Floor(DAYS), {}, sorted(moments, reverse=True)
    for seq, (at, event) in enumerate(events, 1):
        while left and left[-1] < at:
            found[left.pop()] = state_of(floor)
        floor.apply(seq, at, event)
    return {**found, **dict.fromkeys(left, state_of(floor))}


def state_of(floor: Floor) -> bytes:
    """Sets have no order in a snapshot, so there are none in a state: bytes can be compared."""
    return msgspec.json.encode(floor.state)


def itself(floor: Floor) -> Floor:
    """To look into it."""
    return floor


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.stem)
async def test_a_trace_is_seen_again_at_any_second(trace):
    events = of_trace(trace)
    moments = list(range(events[0][0], events[-1][0], 7000))
    true = as_it_was(events, moments)
    random.Random(1).shuffle(moments)
    async with site() as place:
        await place.told(events)
        rewind = Rewind(place.database, place.log, DAYS)
        for moment in moments:
            assert await rewind.shown(moment, state_of) == true[moment]


async def test_a_busy_hour_is_seen_again_from_kept_floors(tmp_path, monkeypatch):
    monkeypatch.setattr("app.history.checkpoints.EVERY_EVENTS", 900)
    events = simulated(hours=0.5)
    chance = random.Random(2)
    moments = [chance.randrange(events[0][0], events[-1][0]) for _ in range(25)]
    true = as_it_was(events, moments)
    async with site(f"sqlite:{tmp_path / 'pitwall.db'}") as place:
        for first in range(0, len(events), 600):
            place.history = await History.open(place.database, place.log, DAYS)
            await place.told(events[first : first + 600])
        [(kept,)] = await place.database.read("SELECT count(*) FROM floor_checkpoint")
        rewind = Rewind(place.database, place.log, DAYS)
        for moment in moments:
            assert await rewind.shown(moment, state_of) == true[moment]

    assert kept >= 3


async def test_a_slider_that_moves_on_and_back_shows_each_moment_as_it_was():
    events = simulated(hours=0.1)
    moments = [events[0][0] + second * 1000 for second in range(0, 120, 20)]
    true = as_it_was(events, moments)
    async with site() as place:
        await place.told(events)
        rewind = Rewind(place.database, place.log, DAYS)
        for moment in [*moments, *reversed(moments), *moments]:
            assert await rewind.shown(moment, state_of) == true[moment]


async def test_a_slider_that_moves_on_copies_no_floor_and_reads_no_kept_one(monkeypatch):
    monkeypatch.setattr("app.history.checkpoints.EVERY_EVENTS", 900)
    events = simulated(hours=0.2)
    began, ended = events[0][0], events[-1][0]
    async with site() as place:
        await place.told(events)
        rewind = Rewind(place.database, place.log, DAYS)
        # After the newest kept one.
        first = await rewind.shown(ended - 2000, itself)
        monkeypatch.delattr("app.history.checkpoints.Checkpoint.unpack")

        assert await rewind.shown(ended - 1000, itself) is first
        assert await rewind.shown(ended, itself) is first
        with pytest.raises(AttributeError, match="unpack"):
            await rewind.shown(began + 1000, itself)


async def test_the_same_moment_is_replayed_once_and_few_are_kept(monkeypatch):
    async with site() as place:
        await place.told(of_story("101 on, +5m"))
        rewind = Rewind(place.database, place.log, DAYS)
        once = await rewind.shown(NINE + 3_700_000, itself)
        assert await rewind.shown(NINE + 3_700_000, itself) is once
        for second in range(2 * MOMENTS_KEPT):
            await rewind.shown(NINE + 3_700_000 - second, itself)
        assert await rewind.shown(NINE + 3_700_000, itself) is not once


@pytest.mark.parametrize(("moment", "why"), [(NINE - 1, "before"), (NINE * 2, "later")])
async def test_of_a_moment_without_a_record_nothing_is_shown(moment, why):
    async with site() as place:
        await place.told(of_story("101 on, +1m"))
        with pytest.raises(NothingRecorded, match=why):
            await Rewind(place.database, place.log, DAYS).shown(moment, itself)


async def test_of_an_empty_log_nothing_is_shown():
    async with site() as place:
        with pytest.raises(NothingRecorded):
            await Rewind(place.database, place.log, DAYS).shown(NINE, itself)


async def test_a_floor_that_is_drawn_for_nobody_any_more_does_not_move_on():
    drawing, let_go = Event(), Event()
    drawn: list[Floor] = []

    def draw(floor: Floor) -> None:
        drawn.append(floor)
        drawing.set()
        let_go.wait(10)

    async with site() as place:
        await place.told(of_story("101 on, +1m"))
        rewind = Rewind(place.database, place.log, DAYS)
        looking = asyncio.create_task(rewind.shown(NINE + 3_700_000, draw))
        await until(drawing.is_set)
        looking.cancel()
        await asyncio.wait([looking])
        let_go.set()

        assert await rewind.shown(NINE + 3_701_000, itself) is not drawn[0]


async def test_webhooks_go_on_while_a_floor_of_the_past_is_drawn():
    drawing, let_go = Event(), Event()

    def draw(floor: Floor) -> bool:
        drawing.set()
        return let_go.wait(10)

    async with site() as place:
        await place.told(of_story("101 on, +1m"))
        looking = asyncio.create_task(
            Rewind(place.database, place.log, DAYS).shown(NINE + 3_700_000, draw)
        )
        await until(drawing.is_set)
        await place.told(of_story("102 on"))
        let_go.set()
        assert await looking
