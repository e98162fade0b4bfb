"""The database's file: whose it is, where it can be, and refusals in words."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from app.database import Database, DatabaseUnavailable

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

    with pytest.raises(DatabaseUnavailable, match="not a database"):
        await Database.open(str(path))

    assert path.read_bytes() == b"dear diary " * 100


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
