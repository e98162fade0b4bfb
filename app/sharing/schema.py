"""Which tables the parts of the app have, and by what a row of each is told from the others."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Part = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Table:
    """One shared table. `keys` find a row; `columns` are the others; `fresh` its first rows.

    `counts`: it has AUTOINCREMENT, so that the number of a deleted row is never given again.
    """

    name: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    counts: bool
    fresh: tuple[tuple[Any, ...], ...]

    @property
    def everything(self) -> str:
        """The query for all of it, in the order of the keys; each row's key comes first."""
        wanted, order = ", ".join((*self.keys, *self.columns)), ", ".join(self.keys)
        return f"SELECT {wanted} FROM main.{self.name} ORDER BY {order}"  # noqa: S608 (our names)


def tables_of(parts: Mapping[str, Sequence[str]]) -> Mapping[str, Table]:
    """The tables that these steps make, by name. Raises ValueError for one that can't be shared."""
    return _made(tuple((name, tuple(steps)) for name, steps in parts.items()))


@lru_cache(maxsize=8)
def _made(parts: tuple[Part, ...]) -> Mapping[str, Table]:
    # SQLite reads its own language best: the steps are run once, in memory.
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for _, steps in parts:
            for script in steps:
                connection.executescript(script)
        return {table.name: table for table in _tables(connection)}


def _tables(connection: sqlite3.Connection) -> Iterator[Table]:
    sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    for name, made_by in connection.execute(sql).fetchall():
        if connection.execute(f"PRAGMA foreign_key_list({name})").fetchall():
            raise ValueError(f"The table {name} has foreign keys: rows are shared one by one.")
        keys, columns = _columns(connection, name)
        table = Table(name, keys, columns, "AUTOINCREMENT" in made_by.upper(), ())
        fresh = tuple(connection.execute(table.everything).fetchall())
        yield Table(name, keys, columns, table.counts, fresh)


def _columns(connection: sqlite3.Connection, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    told = connection.execute(f"PRAGMA table_info({name})").fetchall()
    # A hidden row number is no key where there is another: VACUUM may give new ones.
    keys = tuple(row[1] for row in sorted(told, key=lambda row: row[5]) if row[5])
    return keys or ("rowid",), tuple(row[1] for row in told if not row[5])
