"""The log on NATS: requests of before are read back when somebody writes, and not before."""

import asyncio

import pytest

from app.log import LogUnavailable, jetstream, seen
from app.log.jetstream import JetStreamLog
from app.log.receipts import Receipts
from tests.logs import NOON, Place, call, opened, take, told

pytestmark = pytest.mark.anyio


async def reopened(place: Place, monkeypatch: pytest.MonkeyPatch) -> tuple[JetStreamLog, list[int]]:
    """A program that comes after three requests; the looks it then takes at old messages."""
    log = await opened(place)
    for number in (1, 2, 3):
        await log.append([call(number)], rid=f"r-{number}")
    late, looks = await opened(place), []
    read = late._chain.stream.read

    async def noted(subject: str, number: int, count: int):
        looks.append(number)
        return await read(subject, number, count)

    monkeypatch.setattr(late._chain.stream, "read", noted)
    return late, looks


async def test_who_only_looks_at_a_site_reads_no_old_requests(single, monkeypatch):
    late, looks = await reopened(single, monkeypatch)

    assert late.last_seq == 3
    assert told(await take(late.follow(after=3), 0)) == []
    assert looks == []


async def test_the_first_who_write_read_them_once_for_all(single, monkeypatch):
    late, looks = await reopened(single, monkeypatch)

    answers = await asyncio.gather(
        *(late.append([call(number)], rid=f"r-{number}") for number in (1, 2, 3, 4))
    )

    assert answers == [1, 2, 3, 4]
    assert looks == [1]


async def test_what_came_meanwhile_is_known_as_well(single, monkeypatch):
    late, _ = await reopened(single, monkeypatch)
    other = await opened(single)
    await other.append([call(4)], rid="r-4")
    await take(late.follow(), 4)

    assert await late.append([call(4)], rid="r-4") == 4
    assert await late.append([call(2)], rid="r-2") == 2
    assert await late.append([call(5)], rid="r-5") == 5


async def test_who_was_open_for_two_minutes_has_nothing_to_read(single, monkeypatch):
    late, looks = await reopened(single, monkeypatch)
    monkeypatch.setattr(seen, "RECEIPT_MS", 0)

    assert await late.append([call(4)], rid="r-4") == 4
    assert looks == []


async def test_a_write_whose_requests_cannot_be_read_is_refused(single, monkeypatch):
    late, _ = await reopened(single, monkeypatch)
    monkeypatch.setattr(jetstream, "PATIENCE_S", 0.1)
    answered = asyncio.Event()
    recall = late._seen.know_requests

    async def know_requests() -> None:
        await answered.wait()
        await recall()

    monkeypatch.setattr(late._seen, "know_requests", know_requests)
    with pytest.raises(LogUnavailable, match="have not stored"):
        await late.append([call(2)], rid="r-2")

    answered.set()
    assert await late.append([call(2)], rid="r-2") == 2


def test_what_is_recalled_comes_before_what_is_kept_and_goes_first():
    receipts = Receipts()
    receipts.keep("new", 5, NOON)
    receipts.recall([("old", 3, NOON - 100_000), ("new", 4, NOON - 90_000)])

    assert receipts.find("old", NOON) == 3
    assert receipts.find("new", NOON) == 5
    receipts.keep("newest", 6, NOON + 30_000)
    assert list(receipts._kept) == ["new", "newest"]
