"""What a transaction would change: run it, look, take it back.

Triggers note the keys that were touched; the rows before and after are compared, so that what was
written without a change is none.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

import aiosqlite

from app.domain.table_changes import RowsChanged
from app.sharing.cells import told
from app.sharing.schema import Table

T = TypeVar("T")
Key = tuple[Any, ...]
Rows = dict[Key, tuple[Any, ...]]
SETTINGS = (
    # Or else a row that INSERT OR REPLACE pushes out goes unnoticed.
    "PRAGMA recursive_triggers=ON",
    # What is noted is little, and a site's memory is counted in pages.
    "PRAGMA temp.page_size=512",
)
# Which of the two rows that a trigger sees were touched.
SIDES = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


def touched_in(table: Table) -> str:
    """The name of the table where the touched keys are noted, on the writing connection only."""
    return f"touched_{table.name}"


def watch(connection: sqlite3.Connection, tables: Mapping[str, Table]) -> None:
    """From now on note what this connection touches."""
    statements = [statement for table in tables.values() for statement in _triggers(table)]
    # A script, because each statement of its own would be kept prepared, and a site has many of
    # them; it ends the transaction that is open, which has nothing in it yet.
    connection.executescript(";\n".join((*SETTINGS, *statements, "BEGIN IMMEDIATE")))


def _triggers(table: Table) -> Iterator[str]:
    notes = touched_in(table)
    places = ", ".join(f"k{number}" for number, _ in enumerate(table.keys))
    yield f"CREATE TEMP TABLE IF NOT EXISTS {notes} ({places})"
    for deed, sides in SIDES.items():
        noted = " ".join(
            f"INSERT INTO {notes} VALUES ({', '.join(f'{side}.{key}' for key in table.keys)});"  # noqa: S608 (our names)
            for side in sides
        )
        yield (
            f"CREATE TEMP TRIGGER IF NOT EXISTS shared_{table.name}_{deed.lower()} "
            f"AFTER {deed} ON main.{table.name} BEGIN {noted} END"
        )


async def captured(
    connection: aiosqlite.Connection,
    tables: Mapping[str, Table],
    job: Callable[[aiosqlite.Connection], Awaitable[T]],
) -> tuple[T, tuple[RowsChanged, ...]]:
    """The job's result and what it changed; afterwards all is as it was before."""
    await connection.execute("SAVEPOINT job")
    result = await job(connection)
    touched = await _touched(connection, tables)
    after = [await _state(connection, table) for table in touched]
    keys = [await _noted(connection, table) for table in touched]
    await connection.execute("ROLLBACK TO job")
    changes: list[RowsChanged] = []
    for table, noted, (rows, sequence) in zip(touched, keys, after, strict=True):
        await _note_again(connection, table, noted)
        before, old_sequence = await _state(connection, table)
        changes += _differences(table, before, rows, sequence if sequence != old_sequence else 0)
    if not any(change.rows or change.gone or change.gone_runs for change in changes):
        return result, ()
    return result, tuple(changes)


async def _touched(
    connection: aiosqlite.Connection, tables: Mapping[str, Table]
) -> Sequence[Table]:
    sql = " UNION ALL ".join(
        f"SELECT '{table.name}' WHERE EXISTS (SELECT 1 FROM temp.{touched_in(table)})"  # noqa: S608 (our names)
        for table in tables.values()
    )
    return [tables[name] for [name] in await connection.execute_fetchall(sql)]


async def _noted(connection: aiosqlite.Connection, table: Table) -> list[Key]:
    sql = f"SELECT DISTINCT * FROM temp.{touched_in(table)}"  # noqa: S608 (our names)
    return [tuple(key) for key in await connection.execute_fetchall(sql)]


async def _note_again(connection: aiosqlite.Connection, table: Table, keys: list[Key]) -> None:
    """The notes were taken back as well."""
    sql = f"INSERT INTO temp.{touched_in(table)} VALUES ({', '.join('?' * len(table.keys))})"  # noqa: S608 (our names)
    await connection.executemany(sql, keys)


async def _state(connection: aiosqlite.Connection, table: Table) -> tuple[Rows, int]:
    """The touched rows that there are, by key, and the highest number given so far."""
    wanted = ", ".join(f"t.{name}" for name in (*table.keys, *table.columns))
    same = " AND ".join(f"t.{key} IS d.k{number}" for number, key in enumerate(table.keys))
    found = await connection.execute_fetchall(
        f"SELECT {wanted} FROM temp.{touched_in(table)} AS d "  # noqa: S608 (our names)
        f"CROSS JOIN main.{table.name} AS t ON {same}"
    )
    size = len(table.keys)
    return {tuple(row[:size]): tuple(row[size:]) for row in found}, await _sequence(
        connection, table
    )


async def _sequence(connection: aiosqlite.Connection, table: Table) -> int:
    if not table.counts:
        return 0
    sql = "SELECT seq FROM main.sqlite_sequence WHERE name = ?"
    found = list(await connection.execute_fetchall(sql, (table.name,)))
    return int(found[0][0]) if found else 0


def _differences(table: Table, before: Rows, after: Rows, sequence: int) -> Iterator[RowsChanged]:
    gone = [key for key in before if key not in after]
    runs, singles = _runs(gone) if len(table.keys) == 1 else ([], gone)
    if gone or sequence:
        yield RowsChanged(
            table=table.name,
            keys=table.keys,
            gone=tuple(told(key) for key in singles),
            gone_runs=tuple(runs),
            sequence=sequence,
        )
    changed = [(_changed(before.get(key), row), key) for key, row in after.items()]
    news = [each for each in changed if each[0] or each[1] not in before]
    for numbers, group in groupby(sorted(news, key=_columns_of), _columns_of):
        yield RowsChanged(
            table=table.name,
            keys=table.keys,
            columns=tuple(table.columns[number] for number in numbers),
            rows=tuple(told((*key, *(after[key][n] for n in numbers))) for _, key in group),
        )


def _columns_of(change: tuple[tuple[int, ...], Key]) -> tuple[int, ...]:
    return change[0]


def _changed(before: tuple[Any, ...] | None, after: tuple[Any, ...]) -> tuple[int, ...]:
    """The numbers of the columns that differ; all of them for a new row."""
    if before is None:
        return tuple(range(len(after)))
    pairs = zip(before, after, strict=True)
    # 1 and 1.0 are equal, and not the same.
    return tuple(n for n, (old, new) in enumerate(pairs) if (type(old), old) != (type(new), new))


def _runs(keys: list[Key]) -> tuple[list[tuple[int, int]], list[Key]]:
    """Whole numbers that follow each other as first and last; and the keys that are none."""
    numbers = sorted(key for [key] in keys if isinstance(key, int))
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs, [key for key in keys if not isinstance(key[0], int)]
