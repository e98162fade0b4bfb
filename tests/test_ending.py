"""A task that was cancelled ends, whatever in it swallows the cancellation."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import api

from app.ending import end, heeding
from app.log import Snapshot
from app.log.snapshots import Bucket, Snapshots
from app.log.stream import Stream
from tests.logs import soon

pytestmark = pytest.mark.anyio


async def for_ever() -> None:
    await asyncio.Event().wait()


async def swallowing() -> str:
    """As `wait_for` does when the result comes in the same turn of the loop."""
    try:
        await for_ever()
    except asyncio.CancelledError:
        return "as if nothing had been"
    raise AssertionError


async def failing() -> str:
    """As a client does that takes every end for one of the connection."""
    await swallowing()
    raise NatsError


async def cancelled(work: Awaitable[object]) -> asyncio.Task[object]:
    """The task of this work, cancelled once while it waits, when it is done."""
    task = asyncio.ensure_future(work)
    assert isinstance(task, asyncio.Task)
    await asyncio.sleep(0)
    task.cancel()
    await soon(asyncio.wait([task]))
    return task


async def test_one_that_swallows_its_first_cancellations_is_ended() -> None:
    async def stubborn() -> None:
        for _ in range(3):
            await swallowing()
        await for_ever()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)

    await soon(end(task, again_s=0.01))

    assert task.cancelled()


@pytest.mark.parametrize("work", [swallowing, failing])
async def test_what_was_swallowed_is_heeded_at_the_end_of_the_call(
    work: Callable[[], Awaitable[str]],
) -> None:
    task = await cancelled(heeding(work)())

    assert task.cancelled()


async def test_who_is_ending_already_may_still_call() -> None:
    async def with_a_farewell() -> str:
        try:
            await for_ever()
        finally:
            told.append(await heeding(asyncio.sleep)(0, "farewell"))
        return "never"

    told: list[str] = []
    task = await cancelled(with_a_farewell())

    assert (task.cancelled(), told) == (True, ["farewell"])


async def test_a_time_that_is_over_is_no_cancellation() -> None:
    async def hasty() -> None:
        async with asyncio.timeout(0.01):
            await swallowing()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await heeding(swallowing)()
    await heeding(hasty)()


class Swallower:
    """A client whose first answer swallows the cancellation of whoever asks."""

    def __init__(self) -> None:
        self._is_first = True

    def __getattr__(self, name: str) -> Callable[..., Awaitable["Swallower"]]:
        async def asked(*args: object, **options: object) -> Swallower:
            if self._is_first:
                self._is_first = False
                await swallowing()
            return self

        return asked


async def _read_snapshot(stream: Stream) -> object:
    return await Snapshots(Bucket(stream.js, "s", 1), "acme").latest(range(9))


async def _save_snapshot(stream: Stream) -> None:
    await Snapshots(Bucket(stream.js, "s", 1), "acme").save(Snapshot(1, b""))


ASKING: dict[str, Callable[[Stream], Awaitable[object]]] = {
    "open": Stream.open,
    "offer": lambda stream: stream.offer("log.acme", b"", 0, "one"),
    "read": lambda stream: stream.read("log.acme", 1, 1),
    "newest": lambda stream: stream.newest("log.acme"),
    "delete": lambda stream: stream.delete(1),
    "first number": Stream.first_number,
    "read a snapshot": _read_snapshot,
    "save a snapshot": _save_snapshot,
}


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING.keys())
async def test_who_asks_the_servers_of_a_cluster_can_be_cancelled(
    ask: Callable[[Stream], Awaitable[object]],
) -> None:
    stream = Stream(Client(), api.StreamConfig(name="log", subjects=["log.*"], max_age=9.0))
    stream.js = stream.client = Swallower()  # type: ignore[assignment]  # it is none
    stream.client.new_inbox = lambda: "inbox"  # type: ignore[method-assign]  # this one does not wait

    task = await cancelled(ask(stream))

    assert task.cancelled()
