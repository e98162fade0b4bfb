"""All that is in the shared tables: as one change, and as a digest to compare nodes by."""

import hashlib
from collections.abc import Mapping
from typing import Any

import aiosqlite

from app.domain.table_changes import RowsChanged
from app.sharing.cells import told
from app.sharing.follower import VERSION
from app.sharing.schema import Table

COUNTED = "SELECT name, seq FROM main.sqlite_sequence"


async def version_of(connection: aiosqlite.Connection) -> int:
    """The seq of the change that these tables are after."""
    [[version]] = await connection.execute_fetchall(VERSION)
    return int(version)


async def is_fresh(connection: aiosqlite.Connection, tables: Mapping[str, Table]) -> bool:
    """Nothing was written since the tables were made."""
    for table in tables.values():
        sql = f"{table.everything} LIMIT {len(table.fresh) + 1}"
        if tuple(map(tuple, await connection.execute_fetchall(sql))) != table.fresh:
            return False
    return True


async def everything(
    connection: aiosqlite.Connection, tables: Mapping[str, Table]
) -> list[RowsChanged]:
    """Every row, as a change that puts it into fresh tables."""
    counted = await _counted(connection)
    return [
        RowsChanged(
            table=table.name,
            keys=table.keys,
            columns=table.columns,
            rows=tuple(map(told, await _rows(connection, table))),
            sequence=counted.get(table.name, 0),
        )
        for table in tables.values()
    ]


async def digest_of(connection: aiosqlite.Connection, tables: Mapping[str, Table]) -> str:
    """SHA-256 in hexadecimal: equal for tables with the same rows and the same numbering."""
    digest = hashlib.sha256()
    counted = await _counted(connection)
    for name in sorted(tables):
        rows = await _rows(connection, tables[name])
        digest.update(repr((name, counted.get(name, 0), rows)).encode())
    return digest.hexdigest()


async def _rows(connection: aiosqlite.Connection, table: Table) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.execute_fetchall(table.everything)]


async def _counted(connection: aiosqlite.Connection) -> dict[str, int]:
    sql = "SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence'"
    if not list(await connection.execute_fetchall(sql)):
        return {}
    return {name: int(seq) for name, seq in await connection.execute_fetchall(COUNTED)}
