"""R2: ready within five seconds with a million events stored, thanks to snapshots."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from app.clock import wall_ms
from app.database import Database
from app.domain.days import BusinessDay
from app.domain.events import (
    CallAnswered,
    CallEnded,
    CallRinging,
    Event,
    PhoneReported,
    Tick,
)
from app.domain.floor import Floor
from app.history.follower import History
from app.log.codec import encode
from app.log.sqlite import SqliteLog
from app.projector import SNAPSHOT_EVENTS
from tests.chaos.site import Site

AGENTS = 200
BETWEEN_MS = 500


def ready_after(folder: Path, events: int) -> dict[str, object]:
    """Start on a database of so many events, killed just before its next snapshot was due."""
    site = Site(folder)
    asyncio.run(make_tables(site.database))
    write(site.database, events)
    began = site.start(patience_s=120)
    agents = len(site.floor()["agents"])
    site.kill()
    again = site.start(patience_s=120)
    site.kill()
    return {
        "events": events,
        "replayed after the snapshot": min(events, SNAPSHOT_EVENTS - 1),
        "ready after, s": round(began, 2),
        "ready after a kill, s": round(again, 2),
        "agents on the floor": agents,
        "database, MiB": site.database.stat().st_size // 1024**2,
    }


async def make_tables(path: Path) -> None:
    database = await Database.open(str(path))
    log = await SqliteLog.open(database, wall_ms)
    await History.open(database, log, BusinessDay(ZoneInfo("Asia/Ho_Chi_Minh")))
    await log.close()
    await database.close()


def write(path: Path, events: int) -> None:
    """Rows as the log writes them, a snapshot where the last one would be, no older history."""
    floor = Floor(BusinessDay(ZoneInfo("Asia/Ho_Chi_Minh")))
    first_at, kept = wall_ms() - events * BETWEEN_MS, max(0, events - SNAPSHOT_EVENTS + 1)
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = []
        for seq, event in enumerate(happenings(events), 1):
            at = first_at + seq * BETWEEN_MS
            kind, body = encode(event)
            rows.append((seq, at, kind, body.decode(), None))
            # The floor of the newest hours is what matters; older events only fill the table.
            if kept - 20_000 < seq <= kept:
                floor.apply(seq, at, event)
        connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?)", rows)
        if kept:
            state = floor.state
            connection.execute(
                "INSERT INTO snapshot VALUES (?, ?)", (kept, msgspec.json.encode(state))
            )
            progress = (state.seq, state.at, first_at)
            connection.execute("UPDATE history_progress SET seq = ?, at = ?, began = ?", progress)


def happenings(events: int) -> Iterator[Event]:
    """A working day of `AGENTS` agents: calls ring, are answered and end; time passes."""
    for number in range(events):
        call, step = divmod(number, 5)
        callid, extension = f"{1_700_000_000 + call}.{call % 1000}", str(1000 + call % AGENTS)
        phone = f"09{call % 10**8:08}"
        yield (
            CallRinging(callid=callid, extension=extension, queue="999", phone=phone),
            CallAnswered(callid=callid, extension=extension, queue="999", phone=phone),
            CallEnded(callid=callid),
            PhoneReported(extension=extension, status="on"),
            Tick(),
        )[step]
