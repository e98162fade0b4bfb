"""Erases one telephone number wherever it is stored, because its owner asked for that.

Not from the audit, which can't be changed and is written without numbers: only three digits and a
keyed hash. While nobody uses the database, and so that no freed page and no write-ahead log still
has it. What it is still in afterwards, the answer says.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.numbers import FEWEST_DIGITS, caller_key, digits_of
from app.keeping import KeepingError
from app.keeping.backup import FOLDER, backups
from app.keeping.clearing import Clearing
from app.keeping.replacing import finish

# Beside the database and without anything that was in it.
EMPTY = frozenset({".lock", ".turn", ".ballast", ".suspect"})
FLOORS = ("snapshot", "floor_checkpoint")
AUDIT = "audit"

CALLS = """
UPDATE call SET
    phone = iif(caller = ?1, '', phone),
    backwards = iif(caller = ?1, '', backwards),
    caller = iif(caller = ?1, '#' || callid, caller),
    did = iif(holds(did), '', did),
    recording = iif(holds(recording), '', recording)
WHERE caller = ?1 OR holds(did) OR holds(recording)
"""
DEEDS = """
UPDATE abandon_deed SET
    caller = iif(caller = ?1, '#' || callid, caller), reason = cleared(reason)
WHERE caller = ?1 OR holds(reason)
"""
SPANS = "UPDATE agent_span SET reason = cleared(reason) WHERE holds(reason)"
# A sample has its last digits only, whoever else's number ends like it; but a number in a
# field where none belongs was kept whole.
SAMPLES = """
DELETE FROM rejected_webhook
WHERE sample LIKE '%phone=%' || ? || '%'
    OR holds(endpoint) OR holds(field) OR holds(reason) OR holds(sample)
"""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done: how many rows of what lost the number, and what may still hold it.

    `left` are rows that still hold it, by table; `beside` names of other databases.
    """

    events: int
    floors: int
    calls: int
    deeds: int
    samples: int
    spans: int
    left: dict[str, int]
    backups: int
    beside: tuple[str, ...]

    def __str__(self) -> str:
        done = (
            f"The number was erased from {self.events} events, {self.floors} kept floors, "
            f"{self.calls} calls, {self.deeds} entries of the worklist and {self.spans} notes of "
            f"pauses; {self.samples} samples of refused webhooks that end like it were deleted."
        )
        parts = (done, self._of_audit(), self._of_tables(), self._of_backups(), self._of_beside())
        return " ".join(part for part in parts if part)

    def _of_audit(self) -> str:
        if rows := self.left.get(AUDIT):
            return (
                f"{rows} rows of the audit name it, in words that an earlier version kept or as "
                "an id; they can't be changed, and go when they are too old (PITWALL_KEEP_AUDIT)."
            )
        return "The audit holds no numbers, only three digits and a keyed hash, and was left alone."

    def _of_tables(self) -> str:
        tables = [f"{table} ({rows})" for table, rows in self.left.items() if table != AUDIT]
        if not tables:
            return ""
        return (
            "It still stands in names, addresses or ids that were left alone; these tables have "
            f"so many such rows: {', '.join(tables)}."
        )

    def _of_backups(self) -> str:
        if not self.backups:
            return ""
        return (
            f"{self.backups} nightly backups may still hold it: they are deleted when they are "
            "too old (PITWALL_KEEP_BACKUPS), or delete them yourself now."
        )

    def _of_beside(self) -> str:
        if not self.beside:
            return ""
        return (
            f"{len(self.beside)} other databases beside it, such as were moved aside, may still "
            f"hold it, and nothing deletes them but you: {', '.join(self.beside)}."
        )


def erase(path: Path, phone: str, now: int) -> Erased:
    """Erase the number, however it was written (+84 938…, 0938…). Raises KeepingError.

    Nobody else may use the database meanwhile. `now` is ms since the epoch.
    """
    if len(digits_of(phone)) < FEWEST_DIGITS:
        raise KeepingError(f"A number has {FEWEST_DIGITS} digits or more; nothing was erased.")
    try:
        # Else the next start would put another in the place of this one, with the number.
        finish(path, now)
        if not path.exists():
            raise KeepingError(f"There is no database {path}.")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            erased = _erase_in(connection, Clearing(caller_key(phone, "")), path)
            connection.execute("COMMIT")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return erased
    except (OSError, sqlite3.DatabaseError) as error:
        raise KeepingError(f"The number was not erased: {error}.") from error


def other_databases(path: Path) -> list[Path]:
    """What this one was once, or a copy of it: beside it, or half a backup. The newest first."""
    files = [each for each in path.parent.iterdir() if each.suffix not in EMPTY]
    found = {each for each in files if each.name.lstrip(".").startswith(f"{path.name}.")}
    found.update(set((path.parent / FOLDER).glob("*")) - set(backups(path)))
    # What SQLite keeps beside one of them is a part of it.
    pieces = {each.with_name(each.name + piece) for each in found for piece in ("-wal", "-shm")}
    return sorted(found - pieces, reverse=True)


def _erase_in(connection: sqlite3.Connection, number: Clearing, path: Path) -> Erased:
    connection.create_function("holds", 1, number.is_in, deterministic=True)
    connection.create_function("cleared", 1, number.words, deterministic=True)
    return Erased(
        events=_rewrite(connection, "event", number.body),
        floors=sum(_rewrite(connection, table, number.floor) for table in FLOORS),
        calls=_run(connection, "call", CALLS, number.key),
        deeds=_run(connection, "abandon_deed", DEEDS, number.key),
        samples=_run(connection, "rejected_webhook", SAMPLES, number.key[-3:]),
        spans=_run(connection, "agent_span", SPANS),
        left=_left(connection),
        backups=len(backups(path)),
        beside=tuple(str(each.relative_to(path.parent)) for each in other_databases(path)),
    )


def _run(connection: sqlite3.Connection, table: str, sql: str, *values: str) -> int:
    return connection.execute(sql, values).rowcount if _has(connection, table) else 0


def _rewrite(
    connection: sqlite3.Connection, table: str, change: Callable[[Any], str | bytes | None]
) -> int:
    """Give each row's body to `change`; the new body is stored where there is one."""
    if not _has(connection, table):
        return 0
    changed = 0
    for seq, body in connection.execute(f"SELECT seq, body FROM {table}"):  # noqa: S608 ours
        new = change(body)
        if new is not None:
            sql = f"UPDATE {table} SET body = ? WHERE seq = ?"  # noqa: S608 our own names
            connection.execute(sql, (new, seq))
            changed += 1
    return changed


def _has(connection: sqlite3.Connection, table: str) -> bool:
    sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return connection.execute(sql, (table,)).fetchone() is not None


def _left(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows of each table hold it still; of bodies that were rewritten nothing is asked."""
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    tables = [name for (name,) in connection.execute(sql) if name not in {"event", *FLOORS}]
    counted = {table: _holding(connection, table) for table in tables}
    return {table: rows for table, rows in counted.items() if rows}


def _holding(connection: sqlite3.Connection, table: str) -> int:
    columns = connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,))
    held = " OR ".join(f'holds("{name}")' for name, kind in columns if kind == "TEXT")
    sql = f'SELECT count(*) FROM "{table}" WHERE {held or "false"}'  # noqa: S608 names of the schema
    return int(connection.execute(sql).fetchone()[0])
