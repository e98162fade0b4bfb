"""Deletes what has ended: a failed write leaves it to the next sweep, and forgets none."""

import aiosqlite

from app.tables import Tables


async def delete_rows(database: Tables, table: str, keys: set[str]) -> None:
    """Delete the rows with these keys; once that is on disk they leave the set.

    Raises DatabaseUnavailable.
    """
    gone = [(key,) for key in keys]
    if not gone:
        return

    async def delete(connection: aiosqlite.Connection) -> None:
        await connection.executemany(f"DELETE FROM {table} WHERE key = ?", gone)  # noqa: S608 our own names

    await database.write(delete)
    keys.difference_update(key for (key,) in gone)
