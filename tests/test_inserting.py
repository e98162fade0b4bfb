"""Many rows with few statements: all of them, in order, whatever their number."""

import contextlib
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inserting import MOST, insert_all


@contextlib.contextmanager
def table() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE one (number INTEGER PRIMARY KEY, text TEXT)")
        yield connection


@given(st.integers(0, 5 * MOST))
def test_all_rows_are_there_whatever_their_number(count: int) -> None:
    rows = [(number, f"text {number}" if number % 2 else None) for number in range(count)]
    with table() as connection:
        insert_all(connection, "INSERT INTO one", rows)

        assert connection.execute("SELECT * FROM one ORDER BY number").fetchall() == rows


def test_a_thousand_rows_take_few_statements() -> None:
    statements: list[str] = []
    with table() as connection:
        connection.set_trace_callback(statements.append)
        insert_all(connection, "INSERT INTO one", [(number, None) for number in range(1000)])

    assert len([each for each in statements if each.startswith("INSERT")]) <= 1000 / MOST + 6


def test_a_row_that_is_there_already_is_refused_or_replaced_as_asked() -> None:
    with table() as connection:
        insert_all(connection, "INSERT INTO one", [(1, "a")])
        insert_all(connection, "REPLACE INTO one", [(1, "b"), (1, "c")])
        assert connection.execute("SELECT * FROM one").fetchall() == [(1, "c")]
        with pytest.raises(sqlite3.IntegrityError):
            insert_all(connection, "INSERT INTO one", [(2, "d"), (1, "e")])
