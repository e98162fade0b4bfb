"""R16, R21: nothing can be written for a while, and far more comes than may wait for the disk.

Who sends thousands a second is late itself, so how quick a refusal is shows in another process that
sends little. It begins when the first batch is under way: what refuses it is the full queue.
"""

import asyncio
import contextlib
import http.client
import json
import multiprocessing
import resource
import sqlite3
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from app.log.commits import MOST_WAITING
from app.tuning import allow_connections
from tests.chaos.crowd import forget_peak, peak_mebibytes, resident_mebibytes
from tests.chaos.overload import calls, counted, recovery, stored_calls
from tests.running import Pitwall
from tests.senders import Answers, pace, quantile

API_TOKEN = "a-token-for-programs-only-0123456789"
HALF_FULL = "Half of the queue for the disk is full."
# Each that waits has a connection of its own, at both ends.
DESCRIPTORS = MOST_WAITING + 2000
# By then the batch in front of the queue may have failed, and the queue itself can't have.
LOCKED_S = 9.0
OVERLOADED_S = 12.0
PROBES_PER_S = 50.0


@dataclass
class Health:
    """What a service manager heard: of `ready` when, the status and the reasons."""

    live: Counter[int] = field(default_factory=Counter)
    slowest_live_s: float = 0.0
    ready: list[tuple[float, int, list[str]]] = field(default_factory=list)

    async def watch(self, port: int) -> None:
        """Ask ten times a second, until cancelled."""
        while True:
            began = time.monotonic()
            status, _ = await asyncio.to_thread(_ask, port, "/health/live")
            asked = time.monotonic()
            self.live[status] += 1
            self.slowest_live_s = max(self.slowest_live_s, asked - began)
            status, told = await asyncio.to_thread(_ask, port, "/health/ready")
            self.ready.append((asked, status, told["reasons"]))
            await asyncio.sleep(0.1)

    def told_full(self, since: float, until: float) -> bool:
        """Always between these moments."""
        told = [(status, said) for at, status, said in self.ready if since < at < until]
        return bool(told) and all(status == 503 and HALF_FULL in said for status, said in told)

    def ready_again(self) -> float:
        """Since when it has been ready."""
        at, status, _ = self.ready[-1]
        for earlier, was, _ in reversed(self.ready):
            if was != 200:
                break
            at = earlier
        return at if status == 200 else float("inf")


@dataclass(frozen=True)
class Course:
    """How it went, before the books are compared."""

    answers: Counter[int]
    probes: Answers
    health: Health
    freed_at: float
    recovered_s: float
    grown_mebibytes: float


@dataclass(frozen=True)
class FullQueue:
    """`answers` are all statuses, `probes` how many refusals were heard by who sends little.

    `back_s`: after the lock was gone. `stored` are in the database, `counted` is what the program
    says that it could not store.
    """

    answers: dict[int, int]
    probes: int
    refused_p99_s: float
    live: dict[int, int]
    slowest_live_s: float
    told_full: bool
    back_s: float
    grown_mebibytes: float
    stored: int
    doubled: int
    counted: int

    @property
    def nothing_is_lost_silently(self) -> bool:
        """To the last one: everything was answered, and each answer is true."""
        told = {200: self.stored, 503: self.counted}
        return self.answers == told and not self.doubled


def why_not() -> str:
    """Why no queue can be filled here; "" where one can."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY or most >= DESCRIPTORS:
        return ""
    return f"it takes {DESCRIPTORS} open files, and {most} are allowed"


def full_queue(folder: Path, port: int, rate: float) -> FullQueue:
    """So many webhooks a second while another program holds the database, and a little longer."""
    pitwall = Pitwall(port, folder, PITWALL_API_TOKEN=API_TOKEN)
    pitwall.start()
    try:
        seen = asyncio.run(_fill_up(pitwall, folder / "pitwall.db", rate))
    finally:
        pitwall.stop()
    kept, health = stored_calls(folder), seen.health
    return FullQueue(
        dict(seen.answers),
        len(seen.probes.refused_s),
        quantile(seen.probes.refused_s, 0.99),
        dict(health.live),
        health.slowest_live_s,
        health.told_full(seen.freed_at - 2, seen.freed_at),
        max(seen.recovered_s, health.ready_again() - seen.freed_at),
        seen.grown_mebibytes,
        len(set(kept)),
        len(kept) - len(set(kept)),
        counted(folder),
    )


async def _fill_up(pitwall: Pitwall, database: Path, rate: float) -> Course:
    port, idle, health = pitwall.port, resident_mebibytes(pitwall), Health()
    forget_peak(pitwall)
    loop, spawning = asyncio.get_running_loop(), multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(2, spawning) as apart,
        contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other,
    ):
        # Of no length: from now on the processes are there.
        await loop.run_in_executor(apart, _send, port, "", rate, 0.0)
        watching = asyncio.create_task(health.watch(port))
        other.execute("BEGIN EXCLUSIVE")
        many = loop.run_in_executor(apart, _send, port, "m", rate, OVERLOADED_S)
        await asyncio.sleep(1)
        few = loop.run_in_executor(apart, _send, port, "f", PROBES_PER_S, LOCKED_S - 1)
        await asyncio.sleep(LOCKED_S - 1)
        other.execute("ROLLBACK")
        freed_at = time.monotonic()
        recovered, since = await recovery(port, calls("n"))
        answers, probes = await many, await few
    watching.cancel()
    await asyncio.wait([watching])
    return Course(
        answers.statuses + probes.statuses + since.statuses,
        probes,
        health,
        freed_at,
        recovered,
        peak_mebibytes(pitwall) - idle,
    )


def _send(port: int, mark: str, rate: float, seconds: float) -> Answers:
    allow_connections()
    return asyncio.run(pace(port, calls(mark), rate, seconds))


def _ask(port: int, path: str) -> tuple[int, dict[str, list[str]]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Authorization": f"Bearer {API_TOKEN}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
