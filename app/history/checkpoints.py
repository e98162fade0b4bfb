"""Kept floors: where a replay may begin, for the history after a restart and for looking back."""

from dataclasses import dataclass

import aiosqlite
import msgspec

from app.database import Database
from app.domain.model import FloorState
from app.history.batch import Seen
from app.packing import packed, unpacked

# Each takes a tenth of a second at 5,000 agents, so that a rush must not bring one every few.
EVERY_EVENTS = 50_000
EVERY_MS = 15 * 60_000
# Older ones are thinned to one an hour: a look that far back may take a second.
DENSE_MS = 3 * 24 * 60 * 60_000
HOUR_MS = 60 * 60_000


class Kept(msgspec.Struct):
    """A floor, and what the tracker knew beside it."""

    state: FloorState
    seen: Seen


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The floor after the record `seq`, whose time is `at` (ms)."""

    seq: int
    at: int
    body: bytes

    @classmethod
    async def of(cls, state: FloorState, seen: Seen) -> "Checkpoint":
        """The floor as it is at this call; compressed beside the loop."""
        seq, at = state.seq, state.at
        return cls(seq, at, await packed(Kept(state, seen)))

    def unpack(self) -> Kept | None:
        """None where it can't be read any more."""
        return unpacked(self.body, Kept)


def is_due(state: FloorState, last_seq: int, last_at: int) -> bool:
    """Enough happened, or time passed, since the last one."""
    return state.seq - last_seq >= EVERY_EVENTS or (
        state.seq > last_seq and state.at - last_at >= EVERY_MS
    )


async def save(connection: aiosqlite.Connection, checkpoint: Checkpoint) -> None:
    """Keep it, and thin the old ones."""
    row = (checkpoint.seq, checkpoint.at, checkpoint.body)
    await connection.execute("INSERT OR REPLACE INTO floor_checkpoint VALUES (?, ?, ?)", row)
    await connection.execute(
        "DELETE FROM floor_checkpoint WHERE at < ?1 AND seq NOT IN "
        "(SELECT min(seq) FROM floor_checkpoint WHERE at < ?1 GROUP BY at / ?2)",
        (checkpoint.at - DENSE_MS, HOUR_MS),
    )


async def before_seq(database: Database, seq: int) -> Kept | None:
    """The newest readable floor that is no newer than the record `seq`."""
    where = "seq <= ? ORDER BY seq DESC"
    return await _newest(database, where, seq)


async def before_time(database: Database, at: int, after: int) -> Kept | None:
    """The newest readable floor that is no newer than `at` (ms), but newer than record `after`."""
    where = "at <= ? AND seq > ? ORDER BY at DESC, seq DESC"
    return await _newest(database, where, at, after)


async def _newest(database: Database, where: str, *limits: int) -> Kept | None:
    sql = f"SELECT seq, at, body FROM floor_checkpoint WHERE {where} LIMIT 1 OFFSET ?"  # noqa: S608 (our names)
    unreadable = 0
    while rows := await database.read(sql, (*limits, unreadable)):
        if kept := Checkpoint(*rows[0]).unpack():
            return kept
        unreadable += 1
    return None
