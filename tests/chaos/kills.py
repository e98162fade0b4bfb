"""R1, R2: killed at random and at every named point, it loses nothing that was acknowledged.

Each run goes on with the database that the last kill left behind.
"""

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.floors import follows
from tests.chaos.load import Load
from tests.chaos.site import Site, is_whole, stored_calls

# After so many kills each time, the floor of the next start against a replay of all events.
COMPARED_EACH = 10
RANDOM, CHECKPOINT, SNAPSHOT = "at random", "in checkpoint", "snapshot"
POINTS = (
    "parsed",
    "begun",
    "inserted",
    "before commit",
    "after commit",
    "before answer",
    SNAPSHOT,
    CHECKPOINT,
)


@dataclass
class Kills:
    """What became of it: `lost` and `doubled` are call ids, `kills` counts by point."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    stored: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    damaged: int = 0
    compared: int = 0
    unequal: int = 0
    missed: list[str] = field(default_factory=list)
    slowest_start_s: float = 0.0

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.damaged or self.unequal or self.missed)

    def __str__(self) -> str:
        return (
            f"{sum(self.kills.values())} kills ({dict(self.kills)}), {self.acknowledged} "
            f"acknowledged, {self.stored} stored, {len(self.lost)} lost, {len(self.doubled)} "
            f"doubled, {self.damaged} damaged files, {self.unequal} of "
            f"{self.compared} floors unequal to a replay, "
            f"points not reached: {self.missed or 'none'}; "
            f"slowest start {self.slowest_start_s:.1f} s"
        )


def kill_often(folder: Path, runs: int, seed: int = 1) -> Kills:
    """Kill `runs` times, half of them at the named points."""
    chance, site, kills = random.Random(seed), Site(folder), Kills()
    acknowledged: set[str] = set()
    for run in range(runs):
        point = POINTS[run // 2 % len(POINTS)] if run % 2 else RANDOM
        fault = {} if point in (RANDOM, CHECKPOINT) else fault_at(point, chance)
        kills.slowest_start_s = max(kills.slowest_start_s, launched(site, point, fault))
        with Load(site, f"r{run}") as load:
            if not die(site, point, chance):
                kills.missed.append(point)
            site.kill()
        kills.kills[point] += 1
        acknowledged.update(load.acknowledged)
        check(site, acknowledged, kills)
        if run % COMPARED_EACH == COMPARED_EACH - 1 or run == runs - 1:
            site.start()
            kills.compared += 1
            kills.unequal += not follows(site.floor(), site)
            site.stop()
    kills.acknowledged = len(acknowledged)
    return kills


def fault_at(point: str, chance: random.Random) -> dict[str, str]:
    """Not the first time: then the start itself would die, which is tried often enough."""
    times = 1 if point == SNAPSHOT else chance.randint(1, 120)
    return {"PITWALL_TEST_FAULT": f"{point}:{times}"}


def launched(site: Site, point: str, fault: dict[str, str]) -> float:
    began = time.monotonic()
    site.launch(**fault)
    while site.is_running and site.status("/health/ready") != 200:
        assert time.monotonic() < began + 60, site.said[-3000:]
        time.sleep(0.02)
    return time.monotonic() - began


def die(site: Site, point: str, chance: random.Random) -> bool:
    """Wait for, or bring about, the moment of the kill; False where it never came."""
    if point == RANDOM:
        time.sleep(chance.uniform(0, 3.0))
        return True
    if point == CHECKPOINT:
        return kill_in_checkpoint(site)
    if point == SNAPSHOT:
        time.sleep(chance.uniform(0.1, 0.4))
        if site.is_running:
            site.process.send_signal(signal.SIGTERM)
    return site.wait_for_death(20) and site.process.returncode == -signal.SIGKILL


def kill_in_checkpoint(site: Site) -> bool:
    """Only a checkpoint writes into the database's own file: kill when its time stamp moves."""
    before, deadline = os.stat(site.database).st_mtime_ns, time.monotonic() + 60
    while os.stat(site.database).st_mtime_ns == before:
        if time.monotonic() > deadline:
            return False
    site.process.kill()
    return True


def check(site: Site, acknowledged: set[str], kills: Kills) -> None:
    """Every acknowledged call is there once, and the file is whole."""
    with site.copy() as connection:
        kills.damaged += not is_whole(connection)
        counts = Counter(stored_calls(connection))
    kills.stored = sum(counts.values())
    kills.lost += sorted(acknowledged - counts.keys())
    kills.doubled += [callid for callid, count in counts.items() if count > 1]
