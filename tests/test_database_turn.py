"""Two programs on one database: the running one, and a command beside it."""

import asyncio
import errno
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import aiosqlite
import pytest

from app.database import Database, DatabaseUnavailable
from app.database_turn import Turn

pytestmark = pytest.mark.anyio

STEPS = ["CREATE TABLE word (text TEXT) STRICT"]
OTHER = """
import asyncio, sys
from app.database import Database

async def main():
    database = await Database.open(sys.argv[1])
    for number in range(200):
        async def job(connection):
            await connection.execute("INSERT INTO word VALUES (?)", (str(number) * 500,))
        await database.write(job)
    await database.close()

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pitwall.db"


@pytest.fixture
def turns(path: Path) -> Iterator[Callable[[], Turn]]:
    """Gives one program's turn after another."""
    made: list[Turn] = []

    def turn() -> Turn:
        made.append(Turn(path))
        return made[-1]

    yield turn
    for one in made:
        one.close()


async def say(connection: aiosqlite.Connection) -> None:
    await connection.execute("INSERT INTO word VALUES ('one')")


async def test_while_another_program_has_its_turn_nothing_is_written(path: Path, turns) -> None:
    database = await Database.open(str(path))
    await database.migrate("words", STEPS)
    others = turns()
    async with others.taken():
        write = asyncio.create_task(database.write(say))
        await asyncio.sleep(0.05)
        meanwhile = await database.read("SELECT count(*) FROM word")
    await write

    assert meanwhile == [(0,)]
    assert await database.read("SELECT count(*) FROM word") == [(1,)]
    await database.close()


async def test_a_turn_that_never_comes_is_said_in_words(turns) -> None:
    ours, others = turns(), turns()
    async with others.taken():
        with pytest.raises(DatabaseUnavailable, match="keeps the database locked"):
            await ours.taken(patience_s=0.02).__aenter__()
    async with ours.taken():
        pass


async def test_a_turn_ends_with_what_was_done_in_it_however_it_ended(turns) -> None:
    ours, others = turns(), turns()
    with pytest.raises(ValueError, match="broken"):
        async with ours.taken():
            raise ValueError("broken")
    async with others.taken(patience_s=0):
        pass


async def test_a_turn_ends_with_the_program_that_had_it(path: Path, turns) -> None:
    program = (
        "import fcntl, sys, time\n"
        "lock = open(sys.argv[1], 'wb'); fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "print('mine', flush=True)\n"
        "time.sleep(60)"
    )
    ours = turns()
    other = subprocess.Popen(  # noqa: ASYNC220 - it says one word, and waits
        [sys.executable, "-c", program, f"{path}.turn"], stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"mine\n"
    with pytest.raises(DatabaseUnavailable):
        await ours.taken(patience_s=0).__aenter__()
    other.kill()
    other.communicate()
    async with ours.taken(patience_s=0):
        pass


async def test_a_command_beside_a_busy_program_loses_nothing_of_either(path: Path) -> None:
    database = await Database.open(str(path))
    await database.migrate("words", STEPS)
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", OTHER, str(path))
    ended, written = asyncio.create_task(other.wait()), 0
    while not ended.done():
        await database.write(say)
        written += 1
    await database.close()

    assert ended.result() == 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        [found] = connection.execute("SELECT count(*) FROM word").fetchone()
    assert found == written + 200


async def test_a_drive_without_locks_is_a_database_that_can_not_be_used(tmp_path, monkeypatch):
    turn = Turn(tmp_path / "pitwall.db")

    def refuse(*given):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(DatabaseUnavailable, match="Check the disk"):
        async with turn.taken():
            pass
    turn.close()
