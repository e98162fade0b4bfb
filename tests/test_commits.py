"""Group commit: who waits together is written together, and nobody waits for ever."""

import asyncio
from collections.abc import Sequence

import pytest

from app.log import LogUnavailable, commits
from app.log.commits import CROWD, GroupCommit, Waiting
from tests.logs import NOON, call, soon

pytestmark = pytest.mark.anyio


def waiting(number: int, rid: str | None = None) -> Waiting:
    return Waiting([call(number)], [("call_ended", "{}")], NOON, NOON, rid)


async def send(queue: GroupCommit, number: int) -> None:
    entry = waiting(number)
    queue.add(entry)
    await entry.stored


async def test_all_that_wait_share_one_commit_and_one_is_under_way() -> None:
    batches: list[list[str]] = []
    gate = asyncio.Semaphore(0)

    async def write(batch: Sequence[Waiting]) -> None:
        batches.append([entry.rid or "" for entry in batch])
        await gate.acquire()
        for entry in batch:
            entry.stored.set_result(1)

    queue = GroupCommit(write)
    entries = [waiting(number, str(number)) for number in range(6)]
    for entry in entries[:2]:
        queue.add(entry)
    await asyncio.sleep(0)
    for entry in entries[2:]:
        queue.add(entry)
    await asyncio.sleep(0)
    assert batches == [["0", "1"]]

    gate.release()
    gate.release()
    await soon(asyncio.gather(*(entry.stored for entry in entries)))

    assert batches == [["0", "1"], ["2", "3", "4", "5"]]
    assert queue.find("5") is None
    assert not queue._by_rid


@pytest.mark.parametrize(("senders", "batches"), [(CROWD, [16, 16]), (CROWD - 1, [15, 8, 7])])
async def test_after_a_large_batch_the_next_one_waits_for_those_who_were_answered(
    senders: int, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(batch: Sequence[Waiting]) -> None:
        written.append(len(batch))
        for entry in batch:
            entry.stored.set_result(1)

    async def send_two(number: int) -> None:
        await send(queue, number)
        # Some have their next word ready when they are answered, others a moment later.
        if number % 2:
            await a_moment_later.wait()
        await send(queue, number)

    monkeypatch.setattr(commits, "GATHER_S", 60.0)
    written: list[int] = []
    queue, a_moment_later = GroupCommit(write), asyncio.Event()

    sending = asyncio.gather(*(send_two(number) for number in range(senders)))
    for _ in range(100):
        await asyncio.sleep(0)
    a_moment_later.set()
    await soon(sending)

    assert written == batches


async def test_who_comes_alone_after_a_large_batch_waits_for_a_moment_only() -> None:
    async def write(batch: Sequence[Waiting]) -> None:
        for entry in batch:
            entry.stored.set_result(1)

    queue = GroupCommit(write)
    await soon(asyncio.gather(*(send(queue, number) for number in range(CROWD))))

    await soon(send(queue, CROWD))


async def test_what_waits_behind_a_batch_that_met_a_bug_is_written_all_the_same() -> None:
    gate = asyncio.Semaphore(0)

    async def write(batch: Sequence[Waiting]) -> None:
        await gate.acquire()
        if batch == [first]:
            raise ValueError("a bug")
        for entry in batch:
            entry.stored.set_result(1)

    queue = GroupCommit(write)
    first, second = waiting(1), waiting(2)
    queue.add(first)
    await asyncio.sleep(0)
    queue.add(second)
    gate.release()
    gate.release()

    with pytest.raises(LogUnavailable, match="broke off"):
        await soon(first.stored)
    assert await soon(second.stored) == 1


async def test_a_request_that_is_repeated_after_an_early_refusal_is_found_by_its_name() -> None:
    batches: list[Sequence[Waiting]] = []
    gate = asyncio.Semaphore(0)

    async def write(batch: Sequence[Waiting]) -> None:
        batches.append(batch)
        if batch == [first]:
            # One of a batch may be refused while the others are still on their way.
            first.stored.set_exception(LogUnavailable("not now"))
        await gate.acquire()

    queue = GroupCommit(write)
    first, again = waiting(1, "r"), waiting(1, "r")
    queue.add(first)
    with pytest.raises(LogUnavailable):
        await soon(first.stored)
    queue.add(again)
    gate.release()
    while len(batches) < 2:  # noqa: ASYNC110 - the queue's own task comes between
        await asyncio.sleep(0)

    assert queue.find("r") is again


async def test_closing_refuses_what_a_hung_disk_never_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "CLOSE_PATIENCE_S", 0.02)

    async def write(batch: object) -> None:
        await asyncio.Event().wait()

    queue = GroupCommit(write)
    under_way, behind = waiting(1), waiting(2, "r")
    queue.add(under_way)
    await asyncio.sleep(0)
    queue.add(behind)
    await queue.close()

    for entry in (under_way, behind):
        with pytest.raises(LogUnavailable, match=r"broke off|before these events"):
            await soon(entry.stored)
