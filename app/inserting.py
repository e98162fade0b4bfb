"""Many rows with few statements: SQLite gives Python's lock away before each one.

Beside a loop that is never idle a thread waits for that lock after each statement (`app.tuning`),
so a row each would take as many waits as there are rows.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache

# Powers of two, so that few different statements are prepared and all are kept.
MOST = 64


def insert_all(
    connection: sqlite3.Connection, insert: str, rows: Sequence[Sequence[object]]
) -> None:
    """`insert`, as "INSERT INTO event", for these rows in their order; all have as many values."""
    for some in _pieces(rows):
        values = [value for each in some for value in each]
        connection.execute(_statement(insert, len(some[0]), len(some)), values)


@cache
def _statement(insert: str, width: int, count: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"{insert} VALUES {', '.join([row] * count)}"


def _pieces(rows: Sequence[Sequence[object]]) -> Iterator[Sequence[Sequence[object]]]:
    first, size = 0, MOST
    while first < len(rows):
        while size > len(rows) - first:
            size //= 2
        yield rows[first : first + size]
        first += size
