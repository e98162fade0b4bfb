"""Ownership: what the owner alone runs, and that an owner of yesterday changes nothing."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.events import (
    AlarmSent,
    CallAnswered,
    CallEnded,
    CallRinging,
    Event,
    OwnershipTaken,
    PbxAsked,
    PhoneReported,
    PhoneVerified,
    Tick,
)
from app.domain.floor import Floor
from app.domain.model import FloorState
from app.history.tracker import Tracker
from app.log import LogUnavailable, Record
from app.log.codec import decode, encode
from app.log.memory import MemoryLog
from app.ownership import OwnersLog, Sole, run_while_owned
from app.ownership.leased import hesitation
from tests.logs import NOON, Clock
from tests.owning import DAYS, Local, World, until, world

OLD, NEW = 3, 6


class Loop:
    """Notes when it runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.running = 0

    async def __call__(self) -> None:
        self.runs += 1
        self.running += 1
        try:
            await asyncio.Event().wait()
        finally:
            # What was begun takes a moment to end.
            await asyncio.sleep(0.02)
            self.running -= 1

    def has_run(self, times: int) -> bool:
        return self.runs == times


@pytest.mark.anyio
async def test_the_only_process_owns_everything_and_writes_as_ever() -> None:
    log = MemoryLog(Clock())
    await OwnersLog(log, Sole()).append([PbxAsked(phones=3)])

    assert [record.event for record in await log.records([1])] == [PbxAsked(phones=3)]
    assert encode(PbxAsked(phones=3))[1] == b'{"phones":3}'


@pytest.mark.anyio
async def test_the_only_process_runs_its_loops_until_they_end() -> None:
    async def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await run_while_owned(Sole(), broken)


@pytest.mark.anyio
async def test_the_owner_writes_its_epoch_into_the_log() -> None:
    async with world() as here:
        node = await here.node("a")
        await node.owns()
        await node.owners_log.append([PbxAsked(phones=3)])

        assert await here.stored() == [
            OwnershipTaken(epoch=3, holder="a"),
            PbxAsked(epoch=3, phones=3),
        ]
        assert node.projector.floor.state.owner == "a"


@pytest.mark.anyio
async def test_one_of_two_nodes_runs_the_loop_and_the_other_follows_it() -> None:
    async with world() as here:
        first, second = await here.node("a"), await here.node("b")
        one, other = Loop(), Loop()
        tasks = [
            asyncio.create_task(run_while_owned(first.ownership, one)),
            asyncio.create_task(run_while_owned(second.ownership, other)),
        ]
        await until(lambda: one.running)
        assert other.runs == 0

        await lose(here, first, then="b")
        await until(lambda: other.running and not one.running)

        assert (one.runs, other.runs) == (1, 1)
        await end(tasks)


@pytest.mark.anyio
async def test_a_loop_has_ended_before_it_begins_again() -> None:
    async with world() as here:
        node, loop = await here.node("a"), Loop()
        task = asyncio.create_task(run_while_owned(node.ownership, loop))
        for turn in (1, 2, 3):
            await until(partial(loop.has_run, turn))
            assert loop.running == 1
            await lose(here, node)

        await end([task])
        assert loop.running == 0


@pytest.mark.anyio
async def test_whoever_stops_gives_the_lease_on_at_once() -> None:
    async with world() as here:
        first = await here.node("a")
        await first.owns()
        second = await here.node("b")
        await first.stop()
        await second.owns()

        assert second.projector.floor.state.epoch == second.ownership.epoch == 6


@pytest.mark.anyio
async def test_the_site_is_owned_when_the_floor_says_so_and_not_before(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with world() as here:
        node = Local("a", here)
        node.gate.hears.clear()
        here.nodes.append(await node.start())
        await until(lambda: here.log.last_seq)
        await asyncio.sleep(0.01)
        assert not node.ownership.is_held
        with pytest.raises(LogUnavailable, match="Another node"):
            await node.owners_log.append([PbxAsked()])

        node.gate.hears.set()
        await node.owns()
        assert "older backup" not in caplog.text
        assert node.ownership.is_held


@pytest.mark.anyio
async def test_a_site_that_can_not_be_told_of_it_is_taken_over_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.ownership.site.RETRY_S", 0.01)
    async with world() as here:
        node = Local("a", here)
        failures = iter([LogUnavailable("no servers")])

        async def append(events: list[Event], rid: str | None = None) -> int:
            for failure in failures:
                raise failure
            return await here.log.append(events, rid)

        monkeypatch.setattr(node.gate, "append", append)
        here.nodes.append(await node.start())
        await node.owns()


@pytest.mark.anyio
async def test_an_owner_that_slept_through_its_end_changes_nothing() -> None:
    async with world() as here:
        old, new = await here.node("a"), await here.node("b")
        await old.owns()
        await here.log.append([PhoneReported(extension="101", status="on")])
        old.gate.hears.clear()
        here.leases.hand_to("b")
        await new.owns()
        # It still believes: neither the lease nor the log has told it anything.
        assert old.ownership.is_held
        late = PhoneVerified(extension="101", status="off", paused=False)
        await old.owners_log.append([late, PbxAsked(error="The PBX is silent.")])
        await new.owners_log.append([PbxAsked(phones=7)])

        old.gate.hears.set()
        await until(lambda: not old.ownership.is_held)
        for node in (old, new):
            await node.projector.wait_for(here.log.last_seq)
            state = node.projector.floor.state
            assert (state.agents["101"].status, state.reconciled.error) == ("on", "")
            assert state.reconciled.phones == 7
        with pytest.raises(LogUnavailable, match="Another node"):
            await old.owners_log.append([late])


@pytest.mark.anyio
async def test_leases_older_than_the_log_are_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    async with world() as here:
        await here.log.append([OwnershipTaken(epoch=99, holder="z")])
        node = await here.node("a")
        await until(lambda: "restored from an older backup" in caplog.text)

        assert not node.ownership.is_held


@pytest.mark.anyio
async def test_of_all_ticks_of_five_seconds_the_log_keeps_one() -> None:
    async with world() as here:
        nodes = [await here.node(name) for name in "abc"]
        await nodes[0].owns()
        for _ in range(2):
            ticking = [asyncio.create_task(node.projector.tick()) for node in nodes]
            await until(lambda: here.log.last_seq == 2)
            await end(ticking)
        assert [type(event) for event in await here.stored()] == [OwnershipTaken, Tick]

        here.pass_s(5)
        ticking = [asyncio.create_task(node.projector.tick()) for node in nodes]
        await until(lambda: here.log.last_seq == 3)
        await end(ticking)
        assert here.log.last_seq == 3


@pytest.mark.anyio
async def test_the_owner_keeps_the_snapshots() -> None:
    async with world() as here:
        owner, other = await here.node("a"), await here.node("b")
        await owner.owns()
        await other.projector.wait_for(here.log.last_seq)
        await other.projector.save_snapshot()
        assert await here.log.latest_snapshot() is None

        await owner.projector.save_snapshot()
        kept = await here.log.latest_snapshot()
        assert kept is not None
        assert kept.seq == 1


def test_nodes_are_differently_eager_for_each_partition() -> None:
    nodes = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
    first = [min(nodes, key=lambda node: hesitation(f"p{part}", node)) for part in range(32)]

    assert min(first.count(node) for node in nodes) >= 5
    assert hesitation("p1", "a") == hesitation("p1", "a")


# The fence, for any order of the records

ANYBODY = (
    CallRinging(callid="1", extension="101", queue="600"),
    CallAnswered(callid="1", extension="101", queue="600"),
    CallEnded(callid="1"),
    PhoneReported(extension="101", status="on"),
    PhoneReported(extension="102", status="pause"),
    Tick(),
)
OWNERS = (
    PhoneVerified(extension="101", status="off", queues=("600",)),
    PhoneVerified(extension="102", status="on", paused=False),
    PhoneVerified(extension="103", status="talk", paused=True),
    PbxAsked(phones=4),
    PbxAsked(error="silent"),
    AlarmSent(channel="1", entries=(1,)),
    OwnershipTaken(holder="again"),
)


def written_by(epoch: int) -> st.SearchStrategy[Event]:
    return st.sampled_from(OWNERS).map(lambda event: replace(event, epoch=epoch))


anybody = st.sampled_from(ANYBODY)
before_it = st.lists(anybody | written_by(OLD), max_size=12)
after_it = st.lists(anybody | written_by(OLD) | written_by(NEW), max_size=20)


@given(before_it, after_it)
@settings(max_examples=200, deadline=None)
def test_from_the_takeover_on_the_old_owner_might_as_well_be_silent(
    before: list[Event], after: list[Event]
) -> None:
    taken = OwnershipTaken(epoch=NEW, holder="new")
    told = numbered([*before, taken, *after, Tick()])
    heard = told[: len(before)]
    heard += [one for one in told[len(before) :] if one.event.epoch != OLD]

    assert seen_by_all(told) == seen_by_all(heard)


def numbered(events: list[Event]) -> list[Record]:
    stored = [decode(*encode(event)) for event in events]
    return [Record(seq, NOON + 1000 * seq, event) for seq, event in enumerate(stored, 1)]


def seen_by_all(records: list[Record]) -> tuple[FloorState, object]:
    """The floor, and what the history writes of it."""
    floor = Floor(DAYS)
    tracker = Tracker(floor.state)
    for record in records:
        changes = floor.apply(record.seq, record.at, record.event)
        tracker.note(record, changes, floor.state)
    rows = tracker.batch.rows()
    return floor.state, (rows, tracker.seen)


async def lose(here: World, node: Local, then: str = "") -> None:
    lease = here.leases.held
    here.leases.wanted = then
    assert lease is not None
    assert lease.holder == node.name
    await lease.release()


async def end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
