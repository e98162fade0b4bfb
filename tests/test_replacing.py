"""A database in another's place: whole or not at all, wherever it is interrupted."""

import errno
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from app.keeping import KeepingError, backup, soundness
from app.keeping.soundness import damaged_files, ensure_sound
from tests.history_setup import NINE

ZEROS = b"\0" * 9000
RENAMES = ("nothing", "the new one made ready", "the log moved", "the old one moved", "all")


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A damaged database, and a good backup of it."""
    path = tmp_path / "pitwall.db"
    made(path, "kept")
    backup.nightly(path, NINE)
    path.write_bytes(ZEROS)
    return path


def made(path: Path, word: str) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE word (text TEXT) STRICT")
        connection.execute("INSERT INTO word VALUES (?)", (word,))
    return path


def made_with_a_log(path: Path, word: str) -> Path:
    """What is in the write-ahead log is in no page of the database yet."""
    busy = made(path.with_name("busy.db"), "older")
    with closing(sqlite3.connect(busy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE word SET text = ?", (word,))
        for piece in ("", "-wal"):
            shutil.copy(f"{busy}{piece}", f"{path}{piece}")
    return path


def word_in(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT text FROM word").fetchone()[0])


def killed_after(renames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the process has so many renames left."""
    left, rename = [renames], Path.rename

    def counted(self, target):
        if not left[0]:
            raise Killed
        left[0] -= 1
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", counted)


@pytest.mark.parametrize("renames", range(len(RENAMES)), ids=RENAMES)
def test_a_start_that_is_killed_while_it_replaces_is_ended_by_the_next(path, renames, monkeypatch):
    with monkeypatch.context() as patched, suppress(Killed):
        killed_after(renames, patched)
        ensure_sound(str(path), NINE)

    ensure_sound(str(path), NINE + 5000)

    assert word_in(path) == "kept"
    assert [each.read_bytes() for each in damaged_files(str(path))] == [ZEROS]
    assert not list(path.parent.glob("*.replacement"))


@pytest.mark.parametrize("renames", range(len(RENAMES)), ids=RENAMES)
def test_a_restore_that_is_killed_leaves_the_old_or_the_new(tmp_path, renames, monkeypatch):
    path, safe = tmp_path / "pitwall.db", made(tmp_path / "safe.db", "new")
    made_with_a_log(path, "old")
    with monkeypatch.context() as patched, suppress(Killed):
        killed_after(renames, patched)
        backup.restore(safe, path, NINE)

    ensure_sound(str(path), NINE + 5000)

    assert word_in(path) == ("old" if not renames else "new")
    assert not damaged_files(str(path))
    assert not list(tmp_path.glob("*.replacement"))


def restored(path: Path) -> None:
    backup.restore(backup.backups(path)[0], path, NINE)


def started(path: Path) -> None:
    ensure_sound(str(path), NINE)


@pytest.mark.parametrize("replacing", [started, restored])
def test_without_room_for_the_new_one_the_old_one_stays(path, replacing, monkeypatch):
    def full(source, copy):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    for _ in range(2):
        with pytest.raises(KeepingError, match="No space left"):
            replacing(path)

    assert path.read_bytes() == ZEROS
    assert {each.name for each in path.parent.iterdir()} == {"pitwall.db", "backups"}


def test_what_is_suspect_is_looked_at_to_the_end_once(path, monkeypatch):
    restored(path)
    patience, look = [], soundness._problem_at_start

    def looked(file, seconds):
        patience.append(seconds)
        return look(file, seconds)

    monkeypatch.setattr(soundness, "_problem_at_start", looked)
    soundness.suspect(path)
    for _ in range(2):
        assert ensure_sound(str(path), NINE) == ""

    assert patience == [float("inf"), soundness.START_PATIENCE_S]


def test_a_file_with_a_name_of_its_own_is_no_nightly_backup(path):
    shutil.copy(backup.backups(path)[0], path.parent / "backups" / "pitwall-zero.db")

    assert [each.name for each in backup.backups(path)] == ["pitwall-20260302-090000.db"]
