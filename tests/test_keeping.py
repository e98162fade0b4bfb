"""Backup, restore, damage and the lock, without a running server."""

import errno
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.database import Database
from app.keeping import KeepingError, backup
from app.keeping.ballast import BYTES, Ballast
from app.keeping.holding import holding
from app.keeping.room import little_room
from app.keeping.soundness import damaged_files, ensure_sound, problem_of
from app.keeping.upkeep import Upkeep
from app.keeping.wal import Frames, frames_of
from tests.history_setup import NINE, ZONE

MIB = 1024**2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pitwall.db"


def made(path: Path, rows: int = 200) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE word (text TEXT) STRICT")
        connection.executemany("INSERT INTO word VALUES (?)", [("x" * 100,)] * rows)
    return path


def words_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM word").fetchone()[0])


# Backups


def test_a_backup_is_whole_and_for_its_owner_alone(path, tmp_path):
    backup.back_up(made(path), tmp_path / "safe.db")

    assert words_in(tmp_path / "safe.db") == 200
    assert stat.S_IMODE((tmp_path / "safe.db").stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["pitwall.db", "safe.db"]


def test_a_backup_overwrites_nothing(path, tmp_path):
    (tmp_path / "safe.db").write_text("precious")

    with pytest.raises(KeepingError, match="overwrites nothing"):
        backup.back_up(made(path), tmp_path / "safe.db")

    assert (tmp_path / "safe.db").read_text() == "precious"


def test_of_a_damaged_database_no_backup_is_left(path, tmp_path):
    made(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)

    with pytest.raises(KeepingError):
        backup.back_up(path, tmp_path / "safe.db")

    assert [each.name for each in tmp_path.iterdir()] == ["pitwall.db"]


def test_old_backups_go_but_never_the_last(path):
    made(path)
    day = 86_400_000
    for number in range(20):
        backup.nightly(path, NINE + number * day)

    assert backup.forget_old(path, NINE + 19 * day, days=14) == 5
    assert len(backup.backups(path)) == 15
    backup.forget_old(path, NINE + 999 * day, days=14)
    assert len(backup.backups(path)) == 1


def test_a_restore_keeps_what_was_there(path, tmp_path):
    backup.back_up(made(path), tmp_path / "safe.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO word VALUES ('newer')")

    aside = backup.restore(tmp_path / "safe.db", path, NINE)

    assert words_in(path) == 200
    assert aside is not None
    assert words_in(aside) == 201


def test_a_damaged_backup_is_not_restored(path, tmp_path):
    made(path)
    (tmp_path / "bad.db").write_bytes(b"SQLite format 3\0" + b"?" * 8000)

    with pytest.raises(KeepingError, match="nothing was changed"):
        backup.restore(tmp_path / "bad.db", path, NINE)

    assert words_in(path) == 200


# Damage


def test_a_sound_database_is_left_alone(path):
    before = made(path).read_bytes()

    assert ensure_sound(str(path), NINE) == ""
    assert path.read_bytes() == before


def test_a_damaged_one_is_moved_aside_and_the_newest_good_backup_serves(path):
    made(path)
    backup.nightly(path, NINE)
    bad = path.parent / "backups" / "pitwall-20990101-000000.db"
    bad.write_bytes(b"newer, and broken")
    path.write_bytes(b"\0" * 9000)

    told = ensure_sound(str(path), NINE)

    assert "was damaged" in told
    assert words_in(path) == 200
    assert [each.read_bytes() for each in damaged_files(str(path))] == [b"\0" * 9000]


def test_without_a_backup_the_place_is_empty(path):
    path.write_bytes(b"dear diary " * 500)

    assert "an empty one" in ensure_sound(str(path), NINE)
    assert path.read_bytes() == b""


def test_two_damages_in_one_second_overwrite_nothing(path):
    for content in (b"one " * 500, b"two " * 500):
        path.write_bytes(content)
        ensure_sound(str(path), NINE)

    assert len(damaged_files(str(path))) == 2


def test_a_check_that_takes_too_long_is_given_up(path):
    made(path, rows=200_000)

    assert problem_of(path, patience_s=0.0) == ""


def test_the_nightly_check_changes_nothing_of_a_database_in_use(path):
    with closing(sqlite3.connect(made(path), isolation_level=None)) as in_use:
        in_use.execute("PRAGMA journal_mode = WAL")
        in_use.execute("INSERT INTO word VALUES ('new')")
        before = path.read_bytes()

        assert problem_of(path, patience_s=9) == ""
        assert path.read_bytes() == before
        assert frames_of(path).commits


def test_no_database_is_no_damage(path):
    assert ensure_sound(str(path), NINE) == ""
    assert ensure_sound(":memory:", NINE) == ""
    assert frames_of(path) == Frames()


# The lock and the ballast


def test_a_database_is_held_by_one(path):
    with holding(str(path)):
        second = holding(str(path))
        with pytest.raises(KeepingError, match="Stop it first"):
            second.__enter__()
    with holding(str(path)):
        pass


def test_ballast_takes_room_and_gives_it_back(path):
    ballast = Ballast(path)

    assert ballast.make()
    assert ballast.make()
    [file] = path.parent.iterdir()
    assert file.stat().st_blocks * 512 >= BYTES
    ballast.give_up()
    ballast.give_up()
    assert list(path.parent.iterdir()) == []


def test_ballast_that_was_half_made_is_made_anew(path):
    ballast = Ballast(path)
    file = path.with_name("pitwall.db.ballast")
    file.touch()

    assert ballast.make()
    assert file.stat().st_size == BYTES


def test_a_backup_folder_that_can_not_be_used_is_said_in_words(path, tmp_path, monkeypatch):
    made(path)

    def refuse(*given, **more):
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("unlink", "open"):
        monkeypatch.setattr(os, name, refuse)
    with pytest.raises(KeepingError, match="Read-only file system"):
        backup.back_up(path, tmp_path / "copy.db")
    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(KeepingError, match="Read-only file system"):
        backup.back_up(path, tmp_path / "copy.db")


def test_a_disk_that_refuses_everything_is_no_reason_to_stop(path, monkeypatch, caplog):
    ballast = Ballast(path)
    ballast.make()

    def refuse(*given, **more):
        raise OSError(errno.EIO, "Input/output error")

    for name in ("unlink", "stat", "open", "posix_fallocate", "statvfs"):
        monkeypatch.setattr(os, name, refuse)
    ballast.give_up()
    assert not ballast.make()
    monkeypatch.undo()

    # Nothing was given up, so nothing is said to have been.
    assert not caplog.records
    assert ballast.make()


@pytest.mark.parametrize(
    ("total_mib", "free_mib", "told"),
    [(100_000, 10_001, None), (100_000, 9_999, 9_999), (2_000, 501, None), (2_000, 499, 499)],
)
def test_a_tenth_of_the_disk_or_half_a_gibibyte_is_little(
    path, monkeypatch, total_mib, free_mib, told
):
    def usage(folder):
        return SimpleNamespace(total=total_mib * MIB, free=free_mib * MIB)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    found = little_room(path.parent)

    assert (found and found // MIB) == told


@pytest.mark.anyio
async def test_that_a_disk_is_nearly_full_is_said_once_until_it_is_not(path, monkeypatch, caplog):
    database = await Database.open(str(path))
    upkeep = await Upkeep.open(database, str(path), ZONE, lambda: NINE)
    rooms = iter([None, 5 * MIB, 4 * MIB, None, 3 * MIB])
    monkeypatch.setattr("app.keeping.upkeep.little_room", lambda folder: next(rooms))
    for _ in range(5):
        upkeep.look_at_the_disk()
    await database.close()

    assert [record.args for record in caplog.records] == [(5,), (3,)]
