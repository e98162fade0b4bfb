"""Puts changed rows into the tables, the same on every node.

First all that is gone or replaced is taken away, then all is put in: whatever the order of the
rows, no rule about unique values is broken on the way.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.database import DatabaseTooNew
from app.domain.table_changes import RowsChanged
from app.sentences import Sentence
from app.sharing.capture import touched_in
from app.sharing.cells import meant
from app.sharing.schema import Table

Row = dict[str, Any]


def refuse_unknown(tables: Mapping[str, Table], changes: Iterable[RowsChanged]) -> None:
    """Raises DatabaseTooNew for what only a newer version has."""
    for change in changes:
        table = tables.get(change.table)
        if table is None:
            raise DatabaseTooNew(_too_new(f"the table '{change.table}'"))
        if change.keys != table.keys:
            raise DatabaseTooNew(_too_new(f"other keys of the table '{change.table}'"))
        if unknown := sorted(set(change.columns) - set(table.columns)):
            raise DatabaseTooNew(_too_new(f"the column '{change.table}.{unknown[0]}'"))


def _too_new(what: str) -> Sentence:
    return Sentence(
        "Another node runs a newer version: it wrote {what}, which this one does not know. "
        "Users, walls and the audit stand still here until this node has that version too.",
        what=what,
    )


def apply(
    connection: sqlite3.Connection, tables: Mapping[str, Table], changes: Sequence[RowsChanged]
) -> None:
    """Change the rows, within the transaction that is open."""
    names = sorted({change.table for change in changes})
    triggers = [trigger for name in names for trigger in _triggers(connection, name)]
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER main.{name}")
    whole = [(tables[change.table], list(_whole(connection, tables, change))) for change in changes]
    for change in changes:
        _take_away(connection, tables[change.table], change)
    for table, rows in whole:
        _put_in(connection, table, rows)
    for change in changes:
        _count(connection, change)
    for _, made_by in triggers:
        connection.execute(made_by)
    for name in names:
        connection.execute(f"DELETE FROM temp.{touched_in(tables[name])}")  # noqa: S608 (our names)


def _triggers(connection: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    """The table's own triggers: what they refuse was judged where the change was made."""
    sql = "SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?"
    return connection.execute(sql, (table,)).fetchall()


def _whole(
    connection: sqlite3.Connection, tables: Mapping[str, Table], change: RowsChanged
) -> Iterator[Row]:
    """The rows with the values that the change leaves as they were."""
    table = tables[change.table]
    names = (*change.keys, *change.columns)
    is_whole = set(change.columns) == set(table.columns)
    for cells in change.rows:
        row = dict(zip(names, meant(cells), strict=True))
        yield row if is_whole else _stored(connection, table, row) | row


def _stored(connection: sqlite3.Connection, table: Table, row: Row) -> Row:
    names = (*table.keys, *table.columns)
    found = connection.execute(
        f"SELECT {', '.join(names)} FROM main.{table.name} WHERE {_is_key(table)}",  # noqa: S608 (our names)
        [row[key] for key in table.keys],
    ).fetchone()
    return dict(zip(names, found, strict=True)) if found else {}


def _is_key(table: Table) -> str:
    return " AND ".join(f"{key} IS ?" for key in table.keys)


def _take_away(connection: sqlite3.Connection, table: Table, change: RowsChanged) -> None:
    size = len(table.keys)
    keys = [meant(cells) for cells in change.gone]
    keys += [meant(cells[:size]) for cells in change.rows]
    delete = f"DELETE FROM main.{table.name} WHERE "  # noqa: S608 (our names)
    connection.executemany(delete + _is_key(table), keys)
    connection.executemany(f"{delete}{table.keys[0]} BETWEEN ? AND ?", change.gone_runs)


def _put_in(connection: sqlite3.Connection, table: Table, rows: Iterable[Row]) -> None:
    for row in rows:
        places = ", ".join("?" * len(row))
        connection.execute(
            f"INSERT INTO main.{table.name} ({', '.join(row)}) VALUES ({places})",  # noqa: S608 (our names)
            list(row.values()),
        )


def _count(connection: sqlite3.Connection, change: RowsChanged) -> None:
    """Numbers of rows that were added and deleted at once are not given again either."""
    if not change.sequence:
        return
    counted = connection.execute(
        "UPDATE main.sqlite_sequence SET seq = max(seq, ?) WHERE name = ?",
        (change.sequence, change.table),
    )
    if not counted.rowcount:
        connection.execute(
            "INSERT INTO main.sqlite_sequence VALUES (?, ?)", (change.table, change.sequence)
        )
