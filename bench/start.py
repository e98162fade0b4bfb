"""How long a start takes, and what an agent, a call and an event cost in memory and on disk.

As a program, `python -m bench.start replay FOLDER`: replays a stored log in a process of its own.
"""

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import uvloop

from app.database import Database
from app.domain.days import BusinessDay
from app.domain.events import Event, Tick
from app.domain.floor import Floor
from app.log.codec import encode
from app.log.open import open_log
from app.main import wall_clock
from app.pbx.voicecloud import decode
from app.projector import Projector
from app.render import Renderer
from app.tuning import tune_process
from bench.ingest import settings
from bench.measure import memory_kib, typical
from bench.processes import free_port, running, say
from bench.traffic import Traffic

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
AGENTS = 1000
BATCH = 20_000
ROUNDS = 3
TICK_MS = 5000
# A day of a busy floor: so the oldest calls are as old as a floor ever remembers.
SPAN_MS = 20 * 3_600_000


@dataclass(frozen=True)
class Started:
    """Events replayed per CPU second, seconds until ready, and sizes."""

    events: int
    events_per_s: float
    ready_s: float
    snapshot_mib: float
    disk_bytes_per_event: float
    memory_mib: float


async def measure(events: int) -> Started:
    """Store so many events, replay them all, then start from the snapshot that this left."""
    with tempfile.TemporaryDirectory(prefix="pitwall-bench-") as name:
        folder = Path(name)
        await fill(folder, events)
        size = (folder / "pitwall.db").stat().st_size
        async with running("bench.start", "replay", folder, start_s=600.0) as (_, replayed):
            pass
        began = time.monotonic()
        environ = settings(free_port(), folder)
        async with running("bench.pitwall", "whole", environ=environ) as (process, _):
            ready_s = time.monotonic() - began
            memory = process.memory_kib() / 1024
    return Started(
        events=replayed["events"],
        events_per_s=replayed["events"] / replayed["cpu_s"],
        ready_s=ready_s,
        snapshot_mib=replayed["snapshot_bytes"] / 2**20,
        disk_bytes_per_event=size / events,
        memory_mib=memory,
    )


async def fill(folder: Path, events: int) -> None:
    """A log that ends now."""
    database = await Database.open(str(folder / "pitwall.db"))
    await (await open_log(f"sqlite:{folder}/pitwall.db", database, wall_clock)).close()
    rows = numbered(events, wall_clock() - SPAN_MS)
    while batch := list(itertools.islice(rows, BATCH)):
        await database.write_at_once(
            lambda connection, batch=batch: connection.executemany(  # type: ignore[misc]
                "INSERT INTO event VALUES (?, ?, ?, ?, NULL)", batch
            )
        )
    await database.close()


def numbered(count: int, began: int) -> Iterator[tuple[int, int, str, str]]:
    """Rows of the log: the traffic of a day, and its ticks."""
    for seq, (at, event) in enumerate(itertools.islice(day(count, began), count), 1):
        kind, body = encode(event)
        yield seq, at, kind, body.decode()


def day(count: int, began: int) -> Iterator[tuple[int, Event]]:
    """Events with their times (ms), spread over the span."""
    traffic, next_tick = Traffic(AGENTS), began
    hooks = itertools.chain(traffic.opening(), traffic.turns())
    for number in range(count):
        at = began + SPAN_MS * number // count
        while next_tick <= at:
            yield next_tick, Tick()
            next_tick += TICK_MS
        path, parameters = next(hooks)
        yield at, decode(path, parameters, now=at, zone=ZONE)


async def replay(folder: str) -> None:
    """Bring a floor to the log's end, keep its snapshot, say what it took."""
    tune_process()
    database = await Database.open(f"{folder}/pitwall.db")
    log = await open_log(f"sqlite:{folder}/pitwall.db", database, wall_clock)
    costs = []
    for _ in range(ROUNDS):
        # None was kept yet, so each of them replays everything.
        projector = Projector(log, BusinessDay(ZONE), Renderer(ZONE), wall_clock)
        cpu = time.process_time()
        await projector.start()
        costs.append(time.process_time() - cpu)
    await projector.save_snapshot()
    snapshot = await log.latest_snapshot()
    size = len(snapshot.body) if snapshot else 0
    await log.close()
    await database.close()
    say(events=projector.applied, cpu_s=typical(costs), snapshot_bytes=size)


def memory_each(count: int) -> tuple[float, float]:
    """(KiB per agent with its first call, KiB per call that is over and remembered)."""
    floor, traffic, seq = Floor(BusinessDay(ZONE)), Traffic(count), 0
    now, own = wall_clock(), 0
    sizes = []
    calls = count
    for hooks in ((), traffic.opening(), itertools.islice(traffic.turns(), calls * 6)):
        for path, parameters in hooks:
            seq, own = seq + 1, own + 1
            floor.apply(seq, now, decode(path, parameters, now=now, zone=ZONE))
        sizes.append(memory_kib(_own_pid()))
    return (sizes[1] - sizes[0]) / count, (sizes[2] - sizes[1]) / calls


def _own_pid() -> int:
    return int(Path("/proc/self").resolve().name)


async def main(words: list[str]) -> None:
    if words[0] == "replay":
        await replay(words[1])
    else:
        agent, call = await asyncio.to_thread(memory_each, int(words[1]))
        say(agent_kib=agent, call_kib=call)


async def sizes(count: int = 5000) -> dict[str, float]:
    """KiB of memory per agent and per remembered call."""
    async with running("bench.start", "sizes", count) as (_, said):
        return said


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
