"""The database: all or nothing, one job after the other, and faults in words."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiosqlite
import pytest

from app import database as module
from app.database import Database, DatabaseUnavailable
from app.database_connections import PRAGMAS

pytestmark = pytest.mark.anyio

STEPS = ["CREATE TABLE word (text TEXT PRIMARY KEY) STRICT"]


@pytest.fixture(params=["memory", "file"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    path = ":memory:" if request.param == "memory" else str(tmp_path / "pitwall.db")
    opened = await Database.open(path)
    await opened.migrate("words", STEPS)
    yield opened
    await opened.close()


def says(*words: str) -> Callable[[aiosqlite.Connection], Awaitable[int]]:
    async def job(connection: aiosqlite.Connection) -> int:
        for word in words:
            await connection.execute("INSERT INTO word VALUES (?)", (word,))
        return len(words)

    return job


def names_in(folder: Path) -> list[str]:
    """But for the file that says whose turn it is, which stays."""
    return [file.name for file in folder.iterdir() if file.suffix != ".turn"]


async def words(database: Database) -> list[str]:
    return [text for (text,) in await database.read("SELECT text FROM word ORDER BY rowid")]


async def test_a_write_returns_what_the_job_returns_and_is_read(database: Database) -> None:
    assert await database.write(says("một", "hai")) == 2
    assert await words(database) == ["một", "hai"]


async def test_a_read_takes_parameters(database: Database) -> None:
    await database.write(says("một", "hai"))

    rows = await database.read("SELECT count(*) FROM word WHERE text = ?", ("hai",))

    assert rows == [(1,)]


async def test_a_job_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(says("one", "one"))

    assert await words(database) == []
    assert await database.write(says("two")) == 1


async def test_a_bug_in_a_statement_is_not_called_a_fault_of_the_disk(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await database.read("SELECT * FROM nowhere")


async def test_a_cancelled_caller_neither_loses_nor_doubles_its_write(database: Database) -> None:
    callers = [asyncio.create_task(database.write(says(str(number)))) for number in range(20)]
    await asyncio.sleep(0)
    for caller in callers[::2]:
        caller.cancel()
    await asyncio.wait(callers)

    await database.write(says("last"))

    assert await words(database) == [*map(str, range(20)), "last"]


async def test_jobs_never_mix(database: Database) -> None:
    inside = 0

    async def job(connection: aiosqlite.Connection) -> int:
        nonlocal inside
        inside += 1
        await connection.execute("SELECT 1")
        seen, inside = inside, inside - 1
        return seen

    assert await asyncio.gather(*(database.write(job) for _ in range(10))) == [1] * 10


async def test_a_read_never_sees_half_a_job(database: Database) -> None:
    write = asyncio.create_task(database.write(says(*map(str, range(50)))))
    seen = set()
    while not write.done():
        seen.add(len(await words(database)))

    assert seen | {50} <= {0, 50}


async def test_a_commit_that_fails_leaves_no_open_transaction(database: Database) -> None:
    await database.migrate(
        "letters",
        [
            "CREATE TABLE letter (word TEXT REFERENCES word (text)"
            " DEFERRABLE INITIALLY DEFERRED) STRICT"
        ],
    )

    async def orphan(connection: aiosqlite.Connection) -> None:
        await connection.execute("INSERT INTO letter VALUES ('nobody')")

    with pytest.raises(sqlite3.IntegrityError):
        await database.write(orphan)

    assert await database.write(says("next")) == 1
    assert await database.read("SELECT * FROM letter") == []


async def test_a_closed_database_says_so(database: Database) -> None:
    await database.close()
    await database.close()

    with pytest.raises(DatabaseUnavailable, match="closed"):
        await database.write(says("late"))
    with pytest.raises(DatabaseUnavailable, match="closed"):
        await database.read("SELECT 1")


async def test_closing_lets_the_jobs_under_way_finish(tmp_path: Path) -> None:
    database = await Database.open(str(tmp_path / "pitwall.db"))
    await database.migrate("words", STEPS)
    jobs = [asyncio.create_task(database.write(says(str(number)))) for number in range(5)]
    await asyncio.sleep(0)
    await database.close()

    assert await asyncio.gather(*jobs) == [1] * 5
    database = await Database.open(str(tmp_path / "pitwall.db"))
    assert await words(database) == list("01234")
    await database.close()


async def test_a_closed_database_is_one_file(tmp_path: Path) -> None:
    database = await Database.open(str(tmp_path / "pitwall.db"))
    await database.migrate("words", STEPS)
    await database.read("SELECT * FROM word")
    await database.close()

    assert names_in(tmp_path) == ["pitwall.db"]


@pytest.mark.parametrize("steps", range(1, 6))
async def test_whoever_is_cancelled_while_closing_leaves_a_closed_file(
    tmp_path: Path, steps: int
) -> None:
    database = await Database.open(str(tmp_path / "pitwall.db"))
    await database.migrate("words", STEPS)
    write = asyncio.create_task(database.write(says("one")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(database.close())
    for _ in range(steps):
        await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, write, return_exceptions=True)

    async with asyncio.timeout(5):
        while names_in(tmp_path) != ["pitwall.db"]:  # noqa: ASYNC110 - a thread closes it
            await asyncio.sleep(0.01)


async def test_closing_does_not_wait_for_a_long_read(tmp_path: Path) -> None:
    database = await Database.open(str(tmp_path / "pitwall.db"))
    numbers = (
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    )
    endless = asyncio.create_task(database.read(numbers))
    await asyncio.sleep(0.01)
    await asyncio.wait_for(database.close(), 5)

    with pytest.raises(DatabaseUnavailable, match="closed before"):
        await endless


async def test_closing_gives_up_on_a_job_that_never_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSE_PATIENCE_S", 0.05)
    database = await Database.open(str(tmp_path / "pitwall.db"))

    async def endless(connection: aiosqlite.Connection) -> None:
        await asyncio.Event().wait()

    job = asyncio.create_task(database.write(endless))
    await asyncio.sleep(0)
    await database.close()

    assert job.cancelled()


def test_a_forgotten_close_does_not_keep_the_process_alive(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys; from app.database import Database\n"
        "async def main():\n"
        "    global database; database = await Database.open(sys.argv[1])\n"
        "asyncio.run(main())"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "pitwall.db")]
    assert subprocess.run(command, timeout=10, check=False).returncode == 0


async def test_settings_that_keep_answered_writes_are_on(tmp_path: Path) -> None:
    database = await Database.open(str(tmp_path / "pitwall.db"))

    async def settings(connection: aiosqlite.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        return [
            value
            for name in names
            for (value,) in await connection.execute_fetchall(f"PRAGMA {name}")
        ]

    assert await database.write(settings) == ["wal", 2, 5000, 1]
    await database.close()


async def test_the_reading_connection_can_not_write(tmp_path: Path) -> None:
    database = await Database.open(str(tmp_path / "pitwall.db"))
    await database.migrate("words", STEPS)

    with pytest.raises(DatabaseUnavailable, match="read-only"):
        await database.read("INSERT INTO word VALUES ('no')")
    await database.close()


async def test_a_lock_that_stays_is_said_in_words_and_then_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PRAGMAS", ("busy_timeout=50", *PRAGMAS[1:]))
    database = await Database.open(str(tmp_path / "pitwall.db"))
    await database.migrate("words", STEPS)
    other = sqlite3.connect(tmp_path / "pitwall.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(DatabaseUnavailable, match=r"locked.*SQLITE_BUSY"):
        await database.write(says("now"))

    other.execute("ROLLBACK")
    other.close()
    assert await database.write(says("then")) == 1
    assert await words(database) == ["then"]
    await database.close()


async def test_a_job_that_only_read_so_far_already_holds_the_lock(tmp_path: Path) -> None:
    database = await Database.open(str(tmp_path / "pitwall.db"))
    await database.migrate("words", STEPS)
    other = sqlite3.connect(tmp_path / "pitwall.db", timeout=0, isolation_level=None)

    async def job(connection: aiosqlite.Connection) -> None:
        await connection.execute_fetchall("SELECT * FROM word")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO word VALUES ('theirs')")

    await database.write(job)
    other.close()
    await database.close()
