"""What is too old goes: events, numbers, calls, refused webhooks, the audit. A few rows at a time.

The log never loses its beginning: before events go, the floor that they led to becomes a snapshot
from which everything that replays the log (a start, the history, looking back) begins.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiosqlite
import msgspec

from app.audit import Audit
from app.database import Database
from app.domain.numbers import digits_of
from app.history.checkpoints import Checkpoint
from app.masking import masked_number, masked_words
from app.settings import Keep

DAY_MS = 24 * 60 * 60_000
# Rows in one transaction: webhooks wait for it. And rows that one search finds.
CHUNK, SOUGHT = 2_000, 20_000

# Tables of the history with the column that says how old a row is.
HISTORY = (
    ("call", "first_seen"),
    ("visit", "first_seen"),
    ("leg", "first_seen"),
    ("agent_span", "since"),
    ("gap", "began"),
    ("abandon_deed", "at"),
)
KEYS = {
    "call": "first_seen, callid",
    "visit": "first_seen, callid, n",
    "leg": "first_seen, callid, extension",
    "agent_span": "extension, since",
    "gap": "began, kind",
    "abandon_deed": "seq",
    "event": "seq",
    "call_event": "callid, seq",
    "agent_event": "extension, seq",
    "floor_checkpoint": "seq",
    "rejected_webhook": "id",
}


@dataclass(slots=True)
class Purged:
    """How many rows went or were masked, by what they are."""

    counts: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        said = ", ".join(f"{count} {what}" for what, count in self.counts.items() if count)
        return said or "nothing"


class Retention:
    """Purges `database`. `clock` gives ms since the epoch."""

    def __init__(
        self, database: Database, audit: Audit, keep: Keep, clock: Callable[[], int]
    ) -> None:
        self._database = database
        self._audit = audit
        self._keep = keep
        self._clock = clock

    def before(self, days: int) -> int:
        """What is older than so many days is older than this (ms)."""
        return self._clock() - days * DAY_MS

    async def purge(self) -> Purged:
        """Delete and mask what is due. Raises DatabaseUnavailable; what was done stays done."""
        counts = {"events": await self._purge_events()}
        counts["numbers masked"] = await self._mask_numbers()
        oldest = self.before(self._keep.history)
        counts["rows of history"] = 0
        for table, column in HISTORY:
            counts["rows of history"] += await self._delete(table, f"{column} < ?", oldest)
        counts["refused webhooks"] = await self._delete(
            "rejected_webhook", "at < ?", self.before(self._keep.rejected)
        )
        counts["rows of the audit"] = await self._audit.forget(self.before(self._keep.audit))
        return Purged(counts)

    async def _purge_events(self) -> int:
        """Up to the newest kept floor that is old enough: what comes after it can be replayed."""
        found = await self._database.read(
            "SELECT seq, at, body FROM floor_checkpoint WHERE at < ? "
            "AND seq < (SELECT max(seq) FROM event) ORDER BY seq DESC LIMIT 1",
            (self.before(self._keep.events),),
        )
        kept = Checkpoint(*found[0]).unpack() if found else None
        if kept is None:
            return 0
        seq = kept.state.seq
        await self._begin_at(seq, msgspec.json.encode(kept.state))
        events = await self._delete("event", "seq <= ?", seq)
        for table in ("call_event", "agent_event"):
            await self._delete(table, "seq <= ?", seq)
        await self._delete("floor_checkpoint", "seq < ?", seq)
        return events

    async def _begin_at(self, seq: int, floor: bytes) -> None:
        """From now on the log begins after `seq`, with that floor."""

        async def job(connection: aiosqlite.Connection) -> None:
            await connection.execute("INSERT OR REPLACE INTO snapshot VALUES (?, ?)", (seq, floor))
            await connection.execute("DELETE FROM snapshot WHERE seq < ?", (seq,))

        await self._database.write(job)

    async def _mask_numbers(self) -> int:
        """Of calls too old to be called back: the last three digits stay, nobody is found by them.

        A key that is the call's own marks those that are done.
        """
        masked, oldest = 0, self.before(self._keep.numbers)
        sql = (
            "SELECT phone, caller, recording, first_seen, callid FROM call "
            "WHERE first_seen < ? AND caller NOT LIKE '#%' LIMIT ?"
        )
        while rows := await self._database.read(sql, (oldest, CHUNK)):
            await self._mask([_masked(*row) for row in rows])
            masked += len(rows)
        await self._hide_callers(oldest)
        return masked

    async def _mask(self, rows: Sequence[tuple[str, str, int, str]]) -> None:
        async def job(connection: aiosqlite.Connection) -> None:
            await connection.executemany(
                "UPDATE call SET phone = ?, recording = ?, caller = '#' || callid, backwards = '' "
                "WHERE first_seen = ? AND callid = ?",
                rows,
            )

        await self._database.write(job)

    async def _hide_callers(self, oldest: int) -> None:
        """Of what was done about those who gave up: whom, and numbers that somebody noted.

        Notes are looked through each time: a caller without a number has no key that tells.
        """
        sql = (
            "SELECT seq, caller, reason FROM abandon_deed WHERE at < ? AND seq > ? "
            "ORDER BY seq LIMIT ?"
        )
        last = -1
        while rows := await self._database.read(sql, (oldest, last, CHUNK)):
            last = rows[-1][0]
            await self._hide(
                [
                    (words, seq)
                    for seq, caller, reason in rows
                    if (words := masked_words(reason)) != reason or not caller.startswith("#")
                ]
            )

    async def _hide(self, rows: Sequence[tuple[str, int]]) -> None:
        async def job(connection: aiosqlite.Connection) -> None:
            await connection.executemany(
                "UPDATE abandon_deed SET reason = ?, caller = '#' || callid WHERE seq = ?", rows
            )

        if rows:
            await self._database.write(job)

    async def _delete(self, table: str, where: str, limit: int) -> int:
        """Delete those rows, some at a time; how many there were.

        They are sought beside the writer: webhooks wait for a transaction, not for a search.
        """
        key = KEYS[table]
        columns = key.count(",") + 1
        seek = f"SELECT {key} FROM {table} WHERE {where} LIMIT ?"  # noqa: S608 our own names
        sql = f"DELETE FROM {table} WHERE ({key}) = ({', '.join('?' * columns)})"  # noqa: S608 as above
        deleted = 0
        while rows := await self._database.read(seek, (limit, SOUGHT)):
            for first in range(0, len(rows), CHUNK):
                deleted += await self._delete_rows(sql, rows[first : first + CHUNK])
        return deleted

    async def _delete_rows(self, sql: str, rows: Sequence[tuple[object, ...]]) -> int:
        async def job(connection: aiosqlite.Connection) -> int:
            return (await connection.executemany(sql, rows)).rowcount

        return await self._database.write(job)


def _masked(
    phone: str, caller: str, recording: str, first_seen: int, callid: str
) -> tuple[str, str, int, str]:
    """The call without its number; a recording whose address tells it can't be found any more."""
    tells = caller in digits_of(recording)
    return masked_number(phone), "" if tells else recording, first_seen, callid
