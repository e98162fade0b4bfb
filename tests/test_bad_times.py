"""Webhooks while the process stops, the database is locked, or the disk is full: a real process."""

import asyncio
import contextlib
import resource
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bad_cases import runs, statuses
from tests.running import TOKEN, Pitwall
from tests.senders import Answers, flood
from tests.served import request_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def pitwall(free_port: int, tmp_path: Path) -> Iterator[Pitwall]:
    running = Pitwall(free_port, tmp_path)
    running.start()
    yield running
    running.stop()


def rings(count: int, prefix: str = "c") -> list[bytes]:
    told = {"phone": "0906000111", "queue": "999", "event": "RING"}
    return [
        request_of("/callcenter/call_in", TOKEN, callid=f"{prefix}{number}", **told)
        for number in range(count)
    ]


def stored(folder: Path, prefix: str) -> list[str]:
    """The call ids in the database, whole events only."""
    with contextlib.closing(sqlite3.connect(folder / "pitwall.db")) as database:
        rows = database.execute(
            "SELECT json_extract(body, '$.callid') FROM event WHERE kind = 'call_ringing'"
        ).fetchall()
        [(verdict,)] = database.execute("PRAGMA integrity_check")
    assert verdict == "ok"
    return [callid for (callid,) in rows if callid.startswith(prefix)]


@runs("webhook-during-shutdown")
async def test_a_stop_in_the_middle_loses_nothing_that_was_answered(
    pitwall: Pitwall, tmp_path: Path
):
    flooding = asyncio.create_task(
        flood(int(pitwall.url.rsplit(":", 1)[1]), rings(4000), lines=100)
    )
    await asyncio.sleep(0.4)
    await asyncio.to_thread(pitwall.stop)
    answers: Answers = await flooding
    kept = stored(tmp_path, "c")

    assert set(answers.statuses) <= set(statuses("webhook-during-shutdown"))
    assert 0 < answers.statuses[200] <= len(kept)
    assert len(kept) == len(set(kept))


@runs("webhook-while-db-locked")
async def test_a_locked_database_is_waited_for(pitwall: Pitwall, tmp_path: Path):
    port = int(pitwall.url.rsplit(":", 1)[1])
    lock = sqlite3.connect(tmp_path / "pitwall.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    flooding = asyncio.create_task(flood(port, rings(50), lines=10))
    await asyncio.sleep(2.0)
    lock.execute("ROLLBACK")
    lock.close()
    answers = await flooding

    assert answers.statuses[200] == 50
    assert time.monotonic() - began < 10
    assert sorted(stored(tmp_path, "c")) == sorted(f"c{number}" for number in range(50))
    assert (await flood(port, rings(1, "after"))).statuses == {200: 1}


@runs("webhook-while-disk-full")
async def test_a_full_disk_is_answered_with_503_and_counted_and_passes(
    pitwall: Pitwall, tmp_path: Path
):
    port = int(pitwall.url.rsplit(":", 1)[1])
    assert (await flood(port, rings(20, "before"))).statuses == {200: 20}
    allow(pitwall, written_ahead(tmp_path) + 64 * 1024)
    answers = await flood(port, rings(400, "during"), lines=4)
    again = await flood(port, rings(20, "full"), lines=1)
    allow(pitwall, resource.RLIM_INFINITY)
    await asyncio.sleep(1.0)
    healed = await flood(port, rings(20, "after"), lines=1)

    assert set(again.statuses) == set(statuses("webhook-while-disk-full"))
    assert set(answers.statuses) <= {200, 503}
    assert healed.statuses == {200: 20}
    kept = stored(tmp_path, "during")
    assert len(kept) == len(set(kept)) == answers.statuses[200]
    assert await unstored(tmp_path) == answers.statuses[503] + again.statuses[503]


async def test_nothing_is_acknowledged_into_a_file_that_was_moved_away(
    pitwall: Pitwall, tmp_path: Path
):
    port = int(pitwall.url.rsplit(":", 1)[1])
    assert (await flood(port, rings(5, "before"))).statuses == {200: 5}
    (tmp_path / "pitwall.db").rename(tmp_path / "elsewhere.db")
    answers = await flood(port, rings(5, "during"))
    ready = await flood(port, [b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n"])
    (tmp_path / "elsewhere.db").rename(tmp_path / "pitwall.db")
    healed = await flood(port, rings(5, "after"))

    assert answers.statuses == {503: 5}
    assert ready.statuses == {503: 1}
    assert healed.statuses == {200: 5}
    assert stored(tmp_path, "during") == []
    assert len(stored(tmp_path, "after")) == 5


def written_ahead(folder: Path) -> int:
    return (folder / "pitwall.db-wal").stat().st_size


async def unstored(folder: Path) -> int:
    """The counter of lost webhooks, which is written half a second later at most."""
    await asyncio.sleep(1.0)
    with contextlib.closing(sqlite3.connect(folder / "pitwall.db")) as database:
        sql = "SELECT value FROM webhook_counter WHERE name = 'unstored'"
        [(value,)] = database.execute(sql).fetchall()
    return int(value)


def allow(pitwall: Pitwall, size: int) -> None:
    """How large a file the process may write from now on: beyond, every write fails."""
    resource.prlimit(pitwall.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
