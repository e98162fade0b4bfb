"""R3: power is cut. The order of `fdatasync` and answer on a traced process, and torn WAL files."""

import asyncio
import os
import random
import shutil
import sqlite3
import struct
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.database import Database
from app.domain.events import CallRinging
from app.keeping.soundness import ensure_sound
from app.log.sqlite import SqliteLog
from tests.chaos.site import Site, is_whole, stored_calls
from tests.chaos.tracing import Done, traced
from tests.logs import NOON

WAL_HEADER, FRAME_HEADER = 32, 24


def answers_before_sync(folder: Path, webhooks: int = 30) -> tuple[int, int]:
    """Trace a server under some webhooks: (answers seen, those not preceded by a sync).

    Between a webhook's arrival and its answer the WAL must be written, and then synced.
    """
    return judged(traced(Site(folder), webhooks))


def judged(calls: Iterable[Done]) -> tuple[int, int]:
    answers = early = 0
    is_asked = is_written = is_synced = False
    for call in calls:
        is_wal = call.path.endswith("-wal")
        if b"GET /hook/" in call.data:
            is_asked, is_written, is_synced = True, False, False
        elif call.name == "pwrite64" and is_wal:
            is_written, is_synced = is_asked, False
        elif call.name == "fdatasync" and is_wal:
            is_synced = is_written
        elif call.is_answer:
            answers, early = answers + 1, early + (not is_synced)
            is_asked = False
    return answers, early


@dataclass
class Torn:
    """`cuts` and `flips` that were tried; what went wrong; how often a loss was said."""

    tried: int = 0
    not_opened: int = 0
    not_whole: int = 0
    no_prefix: int = 0
    silent: int = 0
    said: int = 0
    fewest: int = 1_000_000

    @property
    def is_good(self) -> bool:
        return not (self.not_opened or self.not_whole or self.no_prefix or self.silent)

    def __str__(self) -> str:
        return (
            f"{self.tried} torn logs: {self.not_opened} not opened, {self.not_whole} not whole, "
            f"{self.no_prefix} not a prefix, {self.silent} silent about a loss, {self.said} told "
            f"of one; fewest calls left {self.fewest}"
        )


def tear(folder: Path, random_cuts: int, flips: int, every_edge: int = 1, seed: int = 2) -> Torn:
    """Cut a WAL at each frame's edge ± 1 and at random, and flip bits; open what is left."""
    chance, torn = random.Random(seed), Torn()
    source = folder / "whole"
    source.mkdir()
    before = make_log(source / "pitwall.db", 60)
    wal = (source / "pitwall.db-wal").read_bytes()
    frame = FRAME_HEADER + struct.unpack_from(">I", wal, 8)[0]
    edges = range(WAL_HEADER, len(wal) + 1, frame * every_edge)
    cuts = {edge + step for edge in edges for step in (-1, 0, 1) if 0 <= edge + step <= len(wal)}
    cuts |= {chance.randrange(len(wal)) for _ in range(random_cuts)}
    for cut in sorted(cuts):
        open_torn(folder, source, wal[:cut], before, torn)
    for _ in range(flips):
        place = chance.randrange(len(wal))
        flipped = bytearray(wal)
        flipped[place] ^= 1 << chance.randrange(8)
        open_torn(folder, source, bytes(flipped), before, torn)
    return torn


def make_log(path: Path, calls: int) -> list[str]:
    """A database whose events are all in the WAL, as a crash leaves it; the calls in it."""

    async def fill() -> None:
        database = await Database.open(str(path))
        log = await SqliteLog.open(database, lambda: NOON)
        for number in range(calls):
            await log.append([CallRinging(callid=f"c{number}", queue="999")])
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{path}.left{suffix}")
        await log.close()
        await database.close()

    asyncio.run(fill())
    for suffix in ("", "-wal"):
        os.replace(f"{path}.left{suffix}", f"{path}{suffix}")
    return [f"c{number}" for number in range(calls)]


def open_torn(folder: Path, source: Path, wal: bytes, before: list[str], torn: Torn) -> None:
    """The program's own start on the torn files: the check, the tables, the log."""
    here = folder / "torn"
    here.mkdir(exist_ok=True)
    for old in here.iterdir():
        old.unlink()
    path = here / "pitwall.db"
    shutil.copyfile(source / "pitwall.db", path)
    path.with_name("pitwall.db-wal").write_bytes(wal)
    torn.tried += 1
    told = ensure_sound(str(path), NOON)
    try:
        left = asyncio.run(reopened(path))
    except Exception:  # noqa: BLE001 whatever it is, the start failed
        torn.not_opened += 1
        return
    with closing(sqlite3.connect(path)) as connection:
        torn.not_whole += not is_whole(connection)
    torn.no_prefix += left != before[: len(left)]
    torn.said += bool(told)
    torn.fewest = min(torn.fewest, len(left))
    # A file that ends before a transaction's last frame began to be written holds no trace of it.
    torn.silent += len(left) < traces(wal, source) and not told


def traces(wal: bytes, source: Path) -> int:
    """How many calls' transactions end in a frame of which at least the header is left."""
    whole = (source / "pitwall.db-wal").read_bytes()
    frame = FRAME_HEADER + struct.unpack_from(">I", whole, 8)[0]
    ends = [
        start
        for start in range(WAL_HEADER, len(whole), frame)
        if struct.unpack_from(">I", whole, start + 4)[0]
    ]
    kept = [start for start in ends if start + FRAME_HEADER <= len(wal)]
    return max(0, 60 - (len(ends) - len(kept)))


async def reopened(path: Path) -> list[str]:
    database = await Database.open(str(path))
    try:
        log = await SqliteLog.open(database, lambda: NOON)
        await log.close()
    finally:
        await database.close()
    with closing(sqlite3.connect(path)) as connection:
        return stored_calls(connection)
