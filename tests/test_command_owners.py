"""Commands whose owner dies, sleeps or is late: at most one call, and an end that is told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.domain.events import (
    CommandClaimed,
    CommandRequested,
    Tick,
)
from tests.owning import Local, World, until, world
from tests.test_commanding import PAUSE, RESUME, SPY, pause, problem, spy

# Owners that go


async def claimed_by_the_dead(
    here: World, asked: Callable[[Local], Awaitable[None]], *, is_done: bool
) -> tuple[Local, asyncio.Future[None]]:
    """Owner a dies with a claim in the log, before or after the call; b asked for it."""
    owner, other = await here.node("a"), await here.node("b")
    await owner.owns()
    if is_done:
        here.pbx.waits_s = 60.0
    else:
        owner.gate.hears.clear()
        monkey_claim(owner)
    future = asyncio.ensure_future(asked(other))
    await until(lambda: other.commands and other.commands[0].claimed)
    if is_done:
        await until(lambda: here.pbx.calls)
    await owner.die()
    here.pbx.waits_s = 0.0
    return other, future


def monkey_claim(owner: Local) -> None:
    """It hears of the request, but not any more of its own claim."""
    owner.gate.hears.set()
    append = owner.gate.append

    async def append_and_go_deaf(events: Any, rid: str | None = None) -> int:
        if isinstance(events[0], CommandClaimed):
            owner.gate.hears.clear()
        return await append(events, rid)

    owner.gate.append = append_and_go_deaf  # type: ignore[method-assign]


@pytest.mark.anyio
@pytest.mark.parametrize("is_done", [False, True])
async def test_a_spy_whose_owner_died_is_not_repeated_but_unknown(is_done: bool) -> None:
    async with world() as here:
        other, asked = await claimed_by_the_dead(here, spy, is_done=is_done)
        here.leases.hand_to("b")
        await other.owns()
        error = await problem(asked)

        assert error.unknown
        assert "the node that was doing it is gone" in str(error).lower()
        assert here.pbx.calls == [SPY] * is_done


@pytest.mark.anyio
@pytest.mark.parametrize("is_done", [False, True])
async def test_a_pause_whose_owner_died_is_set_again(is_done: bool) -> None:
    async with world() as here:
        other, asked = await claimed_by_the_dead(here, pause, is_done=is_done)
        here.leases.hand_to("b")
        await other.owns()
        await asked

        assert here.pbx.calls == [PAUSE] * (1 + is_done)


@pytest.mark.anyio
async def test_what_is_done_is_not_done_again_by_the_next_owner() -> None:
    async with world() as here:
        owner, other = await here.node("a"), await here.node("b")
        await owner.owns()
        await pause(owner)
        await owner.die()
        here.leases.hand_to("b")
        await other.owns()
        await spy(other)

        assert here.pbx.calls == [PAUSE, SPY]


@pytest.mark.anyio
async def test_a_pause_is_not_set_again_over_a_later_wish() -> None:
    async with world() as here:
        other, asked = await claimed_by_the_dead(here, pause, is_done=False)
        resumed = asyncio.ensure_future(other.asking.pause("101", False))
        await until(lambda: len(other.commands) == 2)
        here.leases.hand_to("b")
        await resumed

        assert (await problem(asked)).unknown
        assert here.pbx.calls == [RESUME]


@pytest.mark.anyio
async def test_a_pause_of_long_ago_is_not_set_again() -> None:
    async with world() as here:
        other, asked = await claimed_by_the_dead(here, pause, is_done=False)
        here.pass_s(31)
        here.leases.hand_to("b")

        assert (await problem(asked)).unknown
        assert here.pbx.calls == []
        await until(lambda: other.doubted == ["101"])


@pytest.mark.anyio
async def test_an_owner_that_stops_finishes_what_it_began() -> None:
    async with world() as here:
        owner, other = await here.node("a"), await here.node("b")
        await owner.owns()
        here.pbx.waits_s = 0.2
        asked = asyncio.ensure_future(spy(other))
        await until(lambda: here.pbx.calls)
        await owner.stop()
        await asked

        assert here.pbx.calls == [SPY]


@pytest.mark.anyio
async def test_an_owner_that_slept_before_its_claim_was_stored_does_nothing() -> None:
    async with world() as here:
        old, new = await here.node("a"), await here.node("b")
        await old.owns()
        old.gate.speaks.clear()
        asked = asyncio.ensure_future(spy(new))
        await until(lambda: old.executor._tasks)
        here.leases.hand_to("b")
        await asked
        assert here.pbx.calls == [SPY]

        # Now its claim arrives after all, in the name of an owner that is none any more.
        old.gate.speaks.set()
        await until(lambda: not old.executor._tasks)
        assert here.pbx.calls == [SPY]
        assert [type(event) for event in await here.stored()].count(CommandClaimed) == 2


@pytest.mark.anyio
async def test_an_owner_that_slept_after_its_claim_was_stored_does_it_late_or_not_at_all() -> None:
    async with world() as here:
        old, new = await here.node("a"), await here.node("b")
        await old.owns()
        monkey_claim(old)
        asked = asyncio.ensure_future(spy(new))
        await until(lambda: new.commands and new.commands[0].claimed)
        here.leases.hand_to("b")
        assert (await problem(asked)).unknown

        # It wakes up: by its own floor it sees first its claim, then the end of its ownership.
        old.gate.hears.set()
        await until(lambda: not old.executor._tasks)
        assert here.pbx.calls in ([], [SPY])
        assert new.commands[0].conclusion is not None
        assert new.commands[0].conclusion.kind == "orphaned"


@pytest.mark.anyio
async def test_an_owner_whose_lease_ran_out_while_its_claim_travelled_does_nothing() -> None:
    async with world() as here:
        owner, other = await here.node("a"), await here.node("b")
        await owner.owns()
        monkey_claim(owner)
        asked = asyncio.ensure_future(spy(other))
        await until(lambda: other.commands and other.commands[0].claimed)
        here.leases.wanted = "nobody"
        assert here.leases.held is not None
        here.leases.held.lost.set()
        owner.gate.hears.set()

        assert (await problem(asked)).unknown
        assert here.pbx.calls == []


# Time


@pytest.mark.anyio
async def test_what_has_expired_is_never_done() -> None:
    async with world() as here:
        await here.log.append([CommandRequested(command="1", action="pause", agent="101")])
        here.pass_s(11)
        node = await here.node("a")
        await node.owns()
        await here.log.append([Tick()])
        await until(lambda: node.commands[0].conclusion)

        assert node.commands[0].conclusion is not None
        assert node.commands[0].conclusion.kind == "expired"
        assert here.pbx.calls == []


@pytest.mark.anyio
async def test_what_expires_between_claim_and_call_is_not_done() -> None:
    async with world() as here:
        owner, other = await here.node("a"), await here.node("b")
        await owner.owns()
        monkey_claim(owner)
        asked = asyncio.ensure_future(spy(other))
        await until(lambda: other.commands and other.commands[0].claimed)
        here.pass_s(11)
        owner.gate.hears.set()
        error = await problem(asked)

        assert (error.kind, error.unknown, here.pbx.calls) == ("timeout", False, [])
        assert "nothing was done" in str(error)
