"""Erases one telephone number wherever it is stored, because its owner asked for that.

Not from the audit, which never held it: only three digits and a keyed hash. While nobody uses the
database, and so that no freed page and no write-ahead log still has it.
"""

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.numbers import FEWEST_DIGITS, caller_key, digits_of
from app.keeping import KeepingError
from app.keeping.backup import backups
from app.packing import compressed, text_of


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done: how many rows of what lost the number, and backups that may still hold it."""

    events: int
    floors: int
    calls: int
    deeds: int
    samples: int
    backups: int

    def __str__(self) -> str:
        left = (
            f" {self.backups} nightly backups may still hold it: they are deleted when they are "
            "too old (PITWALL_KEEP_BACKUPS), or delete them yourself now."
            if self.backups
            else ""
        )
        return (
            f"The number was erased from {self.events} events, {self.floors} kept floors, "
            f"{self.calls} calls and {self.deeds} entries of the worklist; {self.samples} samples "
            "of refused webhooks that end like it were deleted. The audit holds no numbers, only "
            f"three digits and a keyed hash, and was left alone.{left}"
        )


def erase(path: Path, phone: str) -> Erased:
    """Erase the number, however it was written (+84 938…, 0938…). Raises KeepingError.

    Nobody else may use the database meanwhile.
    """
    if len(digits_of(phone)) < FEWEST_DIGITS:
        raise KeepingError(f"A number has {FEWEST_DIGITS} digits or more; nothing was erased.")
    if not path.exists():
        raise KeepingError(f"There is no database {path}.")
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            erased = _erase_in(connection, caller_key(phone, ""), len(backups(path)))
            connection.execute("COMMIT")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return erased
    except sqlite3.DatabaseError as error:
        raise KeepingError(f"The number was not erased: {error}.") from error


def _erase_in(connection: sqlite3.Connection, key: str, kept_backups: int) -> Erased:
    return Erased(
        events=_rewrite(connection, "event", str, lambda body: _without(body, key)),
        floors=sum(
            _rewrite(connection, table, bytes, lambda body: _in_floor(body, key))
            for table in ("snapshot", "floor_checkpoint")
        ),
        calls=_run(
            connection,
            "call",
            "UPDATE call SET phone = '', caller = '#' || callid, backwards = '' WHERE caller = ?",
            key,
        ),
        deeds=_run(
            connection,
            "abandon_deed",
            "UPDATE abandon_deed SET caller = '#' || callid WHERE caller = ?",
            key,
        ),
        samples=_run(
            connection,
            "rejected_webhook",
            "DELETE FROM rejected_webhook WHERE sample LIKE '%phone=%' || ? || '%'",
            key[-3:],
        ),
        backups=kept_backups,
    )


def _run(connection: sqlite3.Connection, table: str, sql: str, value: str) -> int:
    return connection.execute(sql, (value,)).rowcount if _has(connection, table) else 0


def _rewrite(
    connection: sqlite3.Connection,
    table: str,
    kind: type[str] | type[bytes],
    change: Callable[[Any], Any],
) -> int:
    """Give each row's body to `change`; the new body is stored where there is one."""
    if not _has(connection, table):
        return 0
    changed = 0
    for seq, body in connection.execute(f"SELECT seq, body FROM {table}"):  # noqa: S608 ours
        new = change(kind(body) if kind is bytes else body)
        if new is not None:
            sql = f"UPDATE {table} SET body = ? WHERE seq = ?"  # noqa: S608 our own names
            connection.execute(sql, (new, seq))
            changed += 1
    return changed


def _has(connection: sqlite3.Connection, table: str) -> bool:
    sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return connection.execute(sql, (table,)).fetchone() is not None


def _in_floor(body: bytes, key: str) -> bytes | None:
    try:
        new = _without(text_of(body), key)
    except zlib.error:
        return None
    return None if new is None else compressed(new)


def _without(body: Any, key: str) -> Any:
    """The JSON without the number, of the same type; None where it does not hold it."""
    text = body.decode() if isinstance(body, bytes) else body
    if '"phone"' not in text:
        return None
    value = json.loads(text)
    held = [each for each in _holders(value) if caller_key(str(each["phone"]), "") == key]
    for each in held:
        each["phone"] = ""
    if not held:
        return None
    new = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return new.encode() if isinstance(body, bytes) else new


def _holders(value: Any) -> Iterator[dict[str, Any]]:
    """Every object, however deep, that has a text called `phone`."""
    if isinstance(value, dict):
        if isinstance(value.get("phone"), str):
            yield value
        for inner in value.values():
            yield from _holders(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _holders(inner)
