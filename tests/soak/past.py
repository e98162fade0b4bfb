"""A floor that has hours behind it: what grows until it is full is full when the soak begins.

Calls that are over are remembered by name, so that a late copy can't bring them back: fifty
thousand of them, which a floor of 500 agents reaches after five hours. A dictionary from which the
oldest always go is as large as it gets after as many again. What grows after that leaks.
"""

import asyncio
from pathlib import Path

from app.clock import wall_ms
from app.database import Database
from app.domain.caps import USUAL
from app.domain.events import CallRecorded, Event, Tick
from app.log.open import open_log

CALLS = 2 * USUAL.tombstones
HOURS = 6
HOUR_MS = 3_600_000
AT_ONCE = 200


def live_through(folder: Path) -> None:
    """Fill the log with calls that ended some hours ago; the process must not run yet."""
    asyncio.run(_live_through(folder))


async def _live_through(folder: Path) -> None:
    now = wall_ms() - HOURS * HOUR_MS
    database = await Database.open(str(folder / "pitwall.db"))
    log = await open_log(f"sqlite:{folder / 'pitwall.db'}", database, lambda: now)
    for first in range(0, CALLS, AT_ONCE):
        await log.append([*map(_ended, range(first, first + AT_ONCE)), Tick()])
        now += (HOURS - 2) * HOUR_MS * AT_ONCE // CALLS
    await log.close()
    await database.close()


def _ended(number: int) -> Event:
    """A call to the switchboard that nobody took: no agent and no queue has to do with it."""
    return CallRecorded(
        callid=f"1764300000.{number:06d}",
        status="NOANSWER",
        phone=f"09{number:08d}",
        direction="inbound",
        duration=5,
        billsec=0,
    )
