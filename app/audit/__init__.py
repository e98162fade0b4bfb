"""Who listened to whom, and everything else that was done or refused: written first, never changed.

Where an `intent` raises the action must not happen: no row on disk, no call to the PBX.
Rows are chained by their hashes; triggers refuse to change one. So no number is in any: in the
words of people and of the PBX it is masked before it is written.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import aiosqlite

from app.audit.rows import (
    COLUMNS,
    FIRST_HASH,
    INSERT,
    LONGEST_OUTCOME,
    LONGEST_REASON,
    NO_DELETE,
    POLICY,
    STEPS,
    Actor,
    AuditRow,
    Deed,
    digits_of,
    number_hmac,
    plain,
    row_of,
    values_of,
    without_numbers,
)
from app.tables import Job, Tables

__all__ = ["Actor", "Audit", "AuditRow", "Deed", "Wanted"]

PAGE = 100
STRIDE = 1000

MOST_PAIRS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: those before `before` (a seq; None: from the newest), and of what."""

    before: int | None = None
    action: str = ""
    actor: str = ""
    extension: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Often:
    """How many times a person began something with an agent's phone, whatever came of it."""

    actor_name: str
    extension: str
    agent_name: str
    times: int


class Audit:
    """The audit in `database`. `clock` gives ms since the epoch.

    The key of the number hashes is kept beside them: it protects an exported audit, not a stolen
    database.
    """

    def __init__(self, database: Tables, clock: Callable[[], int], key: bytes) -> None:
        self._database = database
        self._clock = clock
        self._key = key

    @classmethod
    async def open(cls, database: Tables, clock: Callable[[], int]) -> "Audit":
        await database.migrate("audit", STEPS)
        return cls(database, clock, await database.write(_the_key))

    async def intent(self, actor: Actor, deed: Deed) -> int:
        """Say what is about to be done; returns the row's seq once it is on disk.

        Raises DatabaseUnavailable: then it must not be done.
        """
        return await self._append("intent", actor, deed, "")

    async def intents(self, actor: Actor, deeds: Sequence[Deed]) -> list[int]:
        """The same of several deeds: of all or, where it raises, of none."""
        rows = [self._row("intent", actor, deed, "") for deed in deeds]

        async def job(connection: aiosqlite.Connection) -> list[int]:
            return [await self._chain(connection, row) for row in rows]

        return await self._database.write(job)

    async def result(self, intent: int, outcome: str) -> int:
        """Say how an intended deed ended, as a further row with the same particulars."""
        return (await self.results([intent], outcome))[0]

    async def results(self, intents: Sequence[int], outcome: str) -> list[int]:
        """The same of several deeds that ended alike."""
        said = without_numbers(outcome, LONGEST_OUTCOME)

        async def job(connection: aiosqlite.Connection) -> list[int]:
            return [await self._conclude(connection, intent, said) for intent in intents]

        return await self._database.write(job)

    async def denied(self, actor: Actor, deed: Deed, why: str) -> int:
        """Say that somebody was refused, and why."""
        return await self._append("denied", actor, deed, without_numbers(why, LONGEST_OUTCOME))

    async def done(self, actor: Actor, deed: Deed, outcome: str = "done") -> int:
        """Say what was done where no telephone is touched: a sign-in, a changed user, an export."""
        return await self._append("done", actor, deed, outcome)

    def along(self, actor: Actor, deed: Deed, outcome: str = "done") -> Job:
        """The row of `done` as a job for the transaction of the deed itself: both or neither."""
        row = self._row("done", actor, deed, outcome)
        return lambda connection: self._chain(connection, row)

    async def page(self, wanted: Wanted = Wanted(), size: int = PAGE) -> list[AuditRow]:
        """Rows, the newest first; the next page is the one before the last row's seq."""
        sql, parameters = self._query(wanted)
        return [row_of(row) for row in await self._database.read(sql, (*parameters, size))]

    async def actions(self) -> list[str]:
        """The actions there are rows of."""
        return [
            row[0]
            for row in await self._database.read("SELECT DISTINCT action FROM audit ORDER BY 1")
        ]

    async def often(self, actions: Sequence[str], since: int, until: int) -> list[Often]:
        """How often who began one of these with whom in that time (ms), the most first."""
        marks = ", ".join("?" * len(actions))
        rows = await self._database.read(
            "SELECT max(actor_name), extension, max(agent_name), count(*) FROM audit "  # noqa: S608 (marks)
            f"WHERE kind = 'intent' AND action IN ({marks}) AND at >= ? AND at < ? "
            "GROUP BY actor_id, extension ORDER BY 4 DESC, 1, 2 LIMIT ?",
            (*actions, since, until, MOST_PAIRS),
        )
        return [Often(*row) for row in rows]

    async def verify(self) -> int | None:
        """The seq of the first row that is not as it was written (or is missing); None: all are."""
        seq, previous = await self._beginning()
        while rows := await self._after(seq):
            for row in rows:
                if row.seq != seq + 1 or row.previous != previous or row.hash != row.digest:
                    return seq + 1
                seq, previous = row.seq, row.hash
        return None

    async def anchor(self) -> tuple[int, str]:
        """The last row's seq and hash. In the log once a day, it shows later if the end was cut."""
        rows = await self._database.read("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        return (int(rows[0][0]), str(rows[0][1])) if rows else (0, FIRST_HASH)

    async def forget(self, before: int) -> int:
        """Delete the rows from before that moment (ms), but never the newest; returns how many.

        The chain goes on from the last of them, whose hash is kept. Nothing else may delete: the
        trigger that forbids it is away only inside this one transaction.
        """
        return await self._database.write(
            lambda connection: self._purge(connection, before, self._clock())
        )

    # Inside

    async def _beginning(self) -> tuple[int, str]:
        rows = await self._database.read(
            "SELECT seq, hash FROM audit_anchor ORDER BY seq DESC LIMIT 1"
        )
        return (int(rows[0][0]), str(rows[0][1])) if rows else (0, FIRST_HASH)

    async def _purge(self, connection: aiosqlite.Connection, before: int, now: int) -> int:
        sql = (
            "SELECT seq, hash FROM audit WHERE at < ? AND seq < (SELECT max(seq) FROM audit) "
            "ORDER BY seq DESC LIMIT 1"
        )
        last = list(await connection.execute_fetchall(sql, (before,)))
        if not last:
            return 0
        seq, kept = last[0]
        await connection.execute("DROP TRIGGER audit_no_delete")
        deleted = await connection.execute("DELETE FROM audit WHERE seq <= ?", (seq,))
        await connection.execute(NO_DELETE)
        await connection.execute("INSERT INTO audit_anchor VALUES (?, ?, ?)", (seq, kept, now))
        return deleted.rowcount

    async def _append(self, kind: str, actor: Actor, deed: Deed, outcome: str) -> int:
        row = self._row(kind, actor, deed, outcome)
        return await self._database.write(lambda connection: self._chain(connection, row))

    def _row(self, kind: str, actor: Actor, deed: Deed, outcome: str) -> AuditRow:
        return AuditRow(
            seq=0,
            at=0,
            kind=kind,
            intent=None,
            actor_id=actor.user_id,
            actor_name=plain(actor.name),
            actor_role=plain(actor.role),
            # Enough to tell sessions apart, too little to find one by.
            session=plain(actor.session[:12]),
            address=plain(actor.address, 64),
            action=plain(deed.action, 64),
            mode=plain(deed.mode, 32),
            extension=plain(deed.extension),
            agent_name=plain(deed.agent_name),
            callid=plain(deed.callid),
            queue=plain(deed.queue),
            direction=plain(deed.direction, 32),
            number_end=digits_of(deed.phone)[-3:],
            number_hmac=number_hmac(self._key, deed.phone),
            reason=without_numbers(deed.reason, LONGEST_REASON),
            outcome=plain(outcome, LONGEST_OUTCOME),
            policy=POLICY,
            previous="",
        )

    async def _conclude(self, connection: aiosqlite.Connection, intent: int, outcome: str) -> int:
        sql = f"SELECT {COLUMNS} FROM audit WHERE seq = ?"  # noqa: S608 (a constant)
        [stored] = await connection.execute_fetchall(sql, (intent,))
        row = replace(row_of(stored), kind="result", intent=intent, outcome=outcome)
        return await self._chain(connection, row)

    async def _chain(self, connection: aiosqlite.Connection, row: AuditRow) -> int:
        sql = "SELECT seq, at, hash FROM audit ORDER BY seq DESC LIMIT 1"
        last = list(await connection.execute_fetchall(sql))
        seq, at, previous = last[0] if last else (0, 0, FIRST_HASH)
        # A clock that was set back must not make a later row look earlier.
        placed = replace(row, seq=seq + 1, at=max(at, self._clock()), previous=previous)
        await connection.execute(INSERT, values_of(replace(placed, hash=placed.digest)))
        return placed.seq

    async def _after(self, seq: int) -> list[AuditRow]:
        sql = f"SELECT {COLUMNS} FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 (our names)
        return [row_of(row) for row in await self._database.read(sql, (seq, STRIDE))]

    def _query(self, wanted: Wanted) -> tuple[str, tuple[object, ...]]:
        conditions = dict(self._conditions(wanted)) or {"1": None}
        where = " AND ".join(conditions)
        sql = f"SELECT {COLUMNS} FROM audit WHERE {where} ORDER BY seq DESC LIMIT ?"  # noqa: S608 (our names)
        return sql, tuple(value for value in conditions.values() if value is not None)

    def _conditions(self, wanted: Wanted) -> Iterator[tuple[str, object]]:
        """Conditions as constant texts, with the value each of them binds."""
        if wanted.before is not None:
            yield "seq < ?", wanted.before
        if wanted.action:
            yield "action = ?", wanted.action
        if wanted.actor:
            yield "actor_name = ?", wanted.actor
        if wanted.extension:
            yield "extension = ?", wanted.extension
        if wanted.phone:
            yield "number_hmac = ?", number_hmac(self._key, wanted.phone)


async def _the_key(connection: aiosqlite.Connection) -> bytes:
    await connection.execute(
        "INSERT OR IGNORE INTO audit_key (number, key) VALUES (1, ?)", (secrets.token_bytes(32),)
    )
    [[key]] = await connection.execute_fetchall("SELECT key FROM audit_key")
    return bytes(key)
