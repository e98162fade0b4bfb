"""Nothing can be written for a while, and more webhooks come than may wait for the disk.

`make chaos` does the same with the queue as large as it is, and looks at the clock.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.log import commits
from tests.chaos.full_queue import HALF_FULL
from tests.chaos.overload import calls
from tests.senders import pace
from tests.served import TOKEN, Served
from tests.waiting import until

pytestmark = pytest.mark.anyio

MOST = 60
API_TOKEN = "a-token-for-programs"
READY = "/health/ready"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(commits, "MOST_WAITING", MOST)
    with Served(tmp_path, PITWALL_API_TOKEN=API_TOKEN) as running:
        yield running


@pytest.fixture
def database(served: Served) -> Iterator[sqlite3.Connection]:
    """The file, as another program has it open."""
    path = served.parts.settings.log.removeprefix("sqlite:")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


async def asked(served: Served, path: str) -> tuple[int, str]:
    lines = (f"GET {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {API_TOKEN}", "", "")
    answer = await asyncio.to_thread(served.exchange, "\r\n".join(lines).encode())
    return answer.status, answer.text


async def test_what_may_not_wait_is_refused_and_counted_and_the_rest_is_stored(
    served: Served, database: sqlite3.Connection
):
    database.execute("BEGIN EXCLUSIVE")
    sending = asyncio.create_task(pace(served.port, calls("c", TOKEN), 300, 1.0))
    await until(lambda: served.parts.journal.unstored > MOST)
    alive, (status, reasons) = await asked(served, "/health/live"), await asked(served, READY)
    database.execute("ROLLBACK")
    answers = await sending
    [(stored,)] = database.execute("SELECT count(*) FROM event WHERE kind LIKE 'call_%'")

    assert alive[0] == 200
    assert status == 503
    assert HALF_FULL in reasons
    assert answers.statuses == {200: stored, 503: served.parts.journal.unstored}
    assert stored > MOST / 2
    assert (await asked(served, READY))[0] == 200


async def test_half_a_queue_that_waits_is_told_before_anything_is_refused(
    served: Served, database: sqlite3.Connection
):
    database.execute("BEGIN EXCLUSIVE")
    sending = asyncio.create_task(pace(served.port, calls("c", TOKEN), 300, MOST * 0.75 / 300))
    await until(lambda: served.parts.log.waiting >= 0.5)
    status, reasons = await asked(served, READY)
    database.execute("ROLLBACK")
    answers = await sending

    assert status == 503
    assert HALF_FULL in reasons
    assert answers.statuses == {200: answers.sent}
