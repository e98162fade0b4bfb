"""Migrations: each step once, in order, all or nothing, and never backwards."""

import sqlite3
from collections.abc import AsyncIterator

import pytest

from app.database import Database, DatabaseTooNew

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await Database.open(":memory:")
    await opened.migrate("words", ["CREATE TABLE word (text TEXT PRIMARY KEY) STRICT"])
    yield opened
    await opened.close()


async def test_each_step_is_run_once_and_in_order(database: Database) -> None:
    first = "CREATE TABLE a (x TEXT) STRICT; INSERT INTO a VALUES (';');"
    second = """
        -- Two statements; the second holds semicolons of its own.
        INSERT INTO a VALUES ('2');
        CREATE TRIGGER t AFTER INSERT ON word BEGIN
            INSERT INTO a VALUES ('3'); INSERT INTO a VALUES ('4');
        END
    """
    await database.migrate("a", [first])
    await database.migrate("a", [first, second])
    await database.migrate("a", [first, second])
    await database.write(lambda connection: connection.execute("INSERT INTO word VALUES ('go')"))

    assert await database.read("SELECT x FROM a") == [(";",), ("2",), ("3",), ("4",)]


async def test_a_step_that_fails_is_undone_whole(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError):
        await database.migrate("a", ["CREATE TABLE a (x TEXT) STRICT", "CREATE TABLE a (x TEXT)"])

    await database.migrate("a", ["CREATE TABLE a (x TEXT) STRICT"])


async def test_a_step_that_breaks_off_is_an_error(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match=r"syntax error|incomplete"):
        await database.migrate("a", ["CREATE TRIGGER t AFTER INSERT ON word BEGIN SELECT 1;"])


async def test_a_database_of_a_newer_version_is_refused_in_words(database: Database) -> None:
    await database.migrate("a", ["SELECT 1", "SELECT 2"])

    with pytest.raises(DatabaseTooNew, match=r"'a' is at step 2, this version knows 1\. Start"):
        await database.migrate("a", ["SELECT 1"])
