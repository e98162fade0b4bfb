"""What only a log on disk can be asked: restarts, crashes, disks that refuse, other programs."""

import asyncio
import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app import database as database_module
from app.database import DatabaseTooNew
from app.database_connections import PRAGMAS
from app.domain.events import Tick
from app.log import LogUnavailable, Snapshot
from app.log.codec import EventUnreadable
from tests.logs import NOON, Place, call, calls, soon, take, told

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "pitwall.db")


@pytest.fixture
async def place(path: str) -> AsyncIterator[Place]:
    place = Place(f"sqlite:{path}")
    yield place
    await place.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    short = ("busy_timeout=50", *PRAGMAS[1:])
    monkeypatch.setattr(database_module, "PRAGMAS", short)


@contextlib.contextmanager
def another_program(path: str) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@contextlib.contextmanager
def locked_by_another_process(path: str) -> Iterator[None]:
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN EXCLUSIVE'); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, path]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout
        process.stdout.readline()
        yield
        process.communicate()


def stored_callids(path: str) -> list[str]:
    with another_program(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute("SELECT seq, body ->> 'callid' FROM event ORDER BY seq")
        numbered = rows.fetchall()
    assert [seq for seq, _ in numbered] == list(range(1, len(numbered) + 1))
    return [callid for _, callid in numbered]


async def test_a_restart_sees_everything_and_goes_on_counting(place: Place) -> None:
    log = await place.open()
    await log.append(calls(1, 1500))
    await log.save_snapshot(Snapshot(7, b"seven"))
    await place.close()
    place.clock.now -= 60_000

    log = await place.open()
    assert log.last_seq == 1500
    assert await log.latest_snapshot() == Snapshot(7, b"seven")
    assert await log.append([call(1501)]) == 1501
    records = await take(log.follow(), 1501)
    assert told(records) == calls(1, 1501)
    assert {record.at for record in records} == {NOON}


async def test_requests_are_remembered_across_a_restart(place: Place) -> None:
    log = await place.open()
    await log.append([call(0)], rid="old")
    place.clock.now += 1
    await log.append([call(1), call(2)], rid="first")
    await asyncio.gather(*(log.append([Tick()], rid=f"tick-{n}") for n in range(2000)))
    await place.close()

    place.clock.now += 120_000
    log = await place.open()
    assert await log.append([call(1), call(2)], rid="first") == 3
    assert await log.append([call(0)], rid="old") == 2004


async def test_only_new_requests_are_remembered_across_a_restart(place: Place) -> None:
    log = await place.open()
    await log.append(calls(1, 1200), rid="old")
    place.clock.now += 120_001
    await log.append([call(1201)], rid="new")
    await place.close()

    log = await place.open()
    assert await log.append([call(1201)], rid="new") == 1201
    assert await log.append([call(1)], rid="old") == 1202


def test_five_kills_lose_and_double_nothing_that_was_answered(path: str) -> None:
    answered: list[str] = []
    for name in "abcde":
        command = [sys.executable, "-m", "tests.log_process", "write", path, name]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout
            first = process.stdout.readline()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(random.uniform(0, 0.2))
            process.send_signal(signal.SIGKILL)
            answered += (first + process.stdout.read()).decode().split("\n")[:-1]

    stored = stored_callids(path)
    assert len(stored) == len(set(stored))
    assert set(answered) <= set(stored)
    assert {callid[0] for callid in answered} == set("abcde")


def test_a_file_that_may_not_grow_refuses_and_loses_nothing(path: str) -> None:
    command = [sys.executable, "-m", "tests.log_process", "full", path]
    process = subprocess.run(command, capture_output=True, timeout=60, check=True)
    answered = process.stdout.decode().split("\n")[:-1]

    assert process.stderr.startswith(b"The events could not be saved. The disk refuses")
    assert len(answered) > 5
    assert answered[-1] == "after"
    assert stored_callids(path) == answered


async def test_a_lock_that_goes_away_is_waited_for(place: Place, path: str) -> None:
    log = await place.open()
    with locked_by_another_process(path):
        waiting = asyncio.create_task(log.append([call(1)]))
        await asyncio.sleep(0.1)
        assert not waiting.done()

    assert await soon(waiting) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_lock_that_stays_refuses_all_that_wait_and_is_then_over(
    place: Place, path: str
) -> None:
    log = await place.open()
    with locked_by_another_process(path):
        appends = [log.append([call(n)], rid=str(n)) for n in range(50)]
        answers = await soon(asyncio.gather(*appends, return_exceptions=True))
        assert {type(answer) for answer in answers} == {LogUnavailable}
        with pytest.raises(LogUnavailable, match="snapshot could not be saved"):
            await log.save_snapshot(Snapshot(1, b""))

    assert log.last_seq == 0
    assert await log.append([call(7)], rid="7") == 1
    assert told(await take(log.follow(), 1)) == [call(7)]


@pytest.mark.usefixtures("impatient")
async def test_a_refused_repeat_is_refused_like_the_first(place: Place, path: str) -> None:
    log = await place.open()
    with locked_by_another_process(path):
        first, again = log.append([call(1)], rid="r"), log.append([call(1)], rid="r")
        answers = await soon(asyncio.gather(first, again, return_exceptions=True))

    assert [type(answer) for answer in answers] == [LogUnavailable] * 2


async def test_a_second_program_that_appends_is_found_out(place: Place, path: str) -> None:
    log = await place.open()
    with another_program(path) as other:
        other.execute("INSERT INTO event VALUES (1, 0, 'tick', '{}', NULL)")

    with pytest.raises(LogUnavailable, match="Another program appends"):
        await log.append([call(1)])


async def test_what_left_memory_is_read_from_the_disk(place: Place) -> None:
    log = await place.open()
    slow = log.follow()
    await log.append(calls(1, 1200))
    seen = list(await soon(anext(slow)))
    await log.append(calls(1201, 7200))
    await log.append(calls(7201, 13200))

    assert told(seen + await take(slow, 13200 - len(seen))) == calls(1, 13200)
    assert told(await take(log.follow(8000), 5200)) == calls(8001, 13200)


@pytest.mark.parametrize("kept", [0, 1500])
async def test_events_that_were_deleted_are_passed_over(place: Place, path: str, kept: int) -> None:
    log = await place.open()
    await log.append(calls(1, 2000))
    await place.close()
    log = await place.open()
    with another_program(path) as other:
        other.execute("DELETE FROM event WHERE seq <= ?", (2000 - kept,))
    follower = log.follow()
    await log.append([call(2001)])

    assert told(await take(follower, kept + 1)) == calls(2001 - kept, 2001)


async def test_an_event_of_a_newer_version_stops_the_reader_with_words(
    place: Place, path: str
) -> None:
    await place.open()
    with another_program(path) as other:
        other.execute("INSERT INTO event VALUES (1, 0, 'moon_landed', '{}', NULL)")
    await place.close()

    log = await place.open()
    with pytest.raises(EventUnreadable, match="moon_landed"):
        await soon(anext(log.follow()))


async def test_a_log_of_a_newer_version_is_refused(place: Place, path: str) -> None:
    await place.open()
    with another_program(path) as other:
        other.execute("INSERT INTO migration VALUES ('log', 99)")
    await place.close()

    with pytest.raises(DatabaseTooNew, match="'log' is at step 99"):
        await place.open()


async def test_a_disk_that_can_not_be_read_is_said_in_words(place: Place) -> None:
    log = await place.open()
    await log.append([call(1)])
    await place.close()

    with pytest.raises(LogUnavailable, match="could not be read"):
        await log.latest_snapshot()


async def test_the_two_newest_snapshots_are_kept_and_the_oldest(place: Place, path: str) -> None:
    log = await place.open()
    await log.append(calls(1, 5))
    for seq in (1, 2, 5, 9):
        await log.save_snapshot(Snapshot(seq, b"floor"))

    assert await log.latest_snapshot() == Snapshot(5, b"floor")
    assert await log.latest_snapshot(before=6) == Snapshot(5, b"floor")
    assert await log.latest_snapshot(before=5) == Snapshot(1, b"floor")
    assert await log.latest_snapshot(before=1) is None
    with another_program(path) as other:
        assert other.execute("SELECT seq FROM snapshot").fetchall() == [(1,), (5,), (9,)]


async def test_too_many_waiting_events_are_refused(place: Place) -> None:
    log = await place.open()
    waiting = asyncio.create_task(log.append(calls(1, 9_999)))
    await asyncio.sleep(0)
    with pytest.raises(LogUnavailable, match="More than 10000 events wait"):
        await log.append(calls(1, 2))

    assert await soon(waiting) == 9_999
    assert await log.append(calls(1, 2)) == 10_001


async def test_a_bug_leaves_nobody_waiting(
    place: Place, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = await place.open()
    with another_program(path) as other:
        other.execute("ALTER TABLE event RENAME TO elsewhere")
        with pytest.raises(LogUnavailable, match="error log says why"):
            await soon(log.append([call(1)]))
        other.execute("ALTER TABLE elsewhere RENAME TO event")

    assert await log.append([call(1)]) == 1
    assert "no such table: event" in caplog.text
