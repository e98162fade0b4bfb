"""The database's file: whose it is, where it can be, and refusals in words."""

import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Sequence
from pathlib import Path

import aiosqlite
import pytest

from app import database as database_module
from app.database import Database, DatabaseUnavailable
from app.database_connections import connected
from tests.waiting import until

pytestmark = pytest.mark.anyio


async def test_the_file_and_its_new_folder_are_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "pitwall.db"
    database = await Database.open(str(path))
    await database.migrate("words", ["CREATE TABLE word (text TEXT) STRICT"])
    modes = {stat.S_IMODE(os.stat(file).st_mode) for file in path.parent.iterdir()}
    await database.close()

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert modes == {0o600}


@pytest.mark.parametrize("where", ["a-file/pitwall.db", "a-folder"])
async def test_a_place_that_can_not_be_written_is_refused_in_words(
    tmp_path: Path, where: str
) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "a-folder").mkdir()

    with pytest.raises(DatabaseUnavailable, match=r"can't be opened for writing: .*\. Check"):
        await Database.open(str(tmp_path / where))


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pitwall.db"
    path.write_bytes(b"dear diary " * 100)
    before = connections()

    with pytest.raises(DatabaseUnavailable, match="not a database"):
        await Database.open(str(path))

    assert path.read_bytes() == b"dear diary " * 100
    await until(lambda: connections() == before)


async def test_where_it_can_be_written_but_not_read_nothing_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = connections()

    async def one_way(uri: str, pragmas: Sequence[str]) -> aiosqlite.Connection:
        if "mode=ro" in uri:
            raise DatabaseUnavailable("Not today.")
        return await connected(uri, pragmas)

    monkeypatch.setattr(database_module, "connected", one_way)
    with pytest.raises(DatabaseUnavailable, match="Not today"):
        await Database.open(str(tmp_path / "pitwall.db"))

    await until(lambda: connections() == before)


def connections() -> set[threading.Thread]:
    """Each has a thread."""
    return {each for each in threading.enumerate() if "_connection_worker" in each.name}


async def test_a_path_with_odd_letters_is_the_file_of_that_name(tmp_path: Path) -> None:
    path = tmp_path / "sổ 100%?#.db"
    database = await Database.open(str(path))
    await database.migrate("words", ["CREATE TABLE word (text TEXT) STRICT"])
    await database.close()

    assert path.stat().st_size > 0


async def test_an_old_sqlite_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))

    with pytest.raises(DatabaseUnavailable, match="newer is needed"):
        await Database.open(":memory:")


async def word(database: Database, text: str) -> None:
    """Save one."""

    async def job(connection: aiosqlite.Connection) -> None:
        await connection.execute("INSERT INTO word VALUES (?)", (text,))

    await database.write(job)


WAYS = {
    "deleted": lambda path: path.unlink(),
    "moved": lambda path: path.rename(path.with_suffix(".old")),
    "replaced": lambda path: os.replace(shutil.copy(path, f"{path}.copy"), path),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", ["", "-wal"])
async def test_what_would_go_into_a_file_that_is_gone_is_refused(
    tmp_path: Path, way: str, part: str
) -> None:
    path = tmp_path / "pitwall.db"
    database = await Database.open(str(path))
    await database.migrate("words", ["CREATE TABLE word (text TEXT) STRICT"])
    await word(database, "before")
    assert await database.read("SELECT text FROM word") == [("before",)]
    WAYS[way](Path(f"{path}{part}"))

    with pytest.raises(DatabaseUnavailable, match="deleted, moved or replaced while in use"):
        await word(database, "after")
    with pytest.raises(DatabaseUnavailable):
        await database.write_at_once(lambda connection: None)
    assert await database.read("SELECT text FROM word") == [("before",)]
    await database.close()


async def test_saving_goes_on_when_the_file_is_back(tmp_path: Path) -> None:
    path = tmp_path / "pitwall.db"
    database = await Database.open(str(path))
    await database.migrate("words", ["CREATE TABLE word (text TEXT) STRICT"])
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(DatabaseUnavailable):
        await word(database, "lost")
    (tmp_path / "elsewhere").rename(path)
    await word(database, "saved")
    await database.close()

    reopened = await Database.open(str(path))
    assert await reopened.read("SELECT text FROM word") == [("saved",)]
    await reopened.close()
