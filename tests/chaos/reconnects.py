"""R19: a day's reconnects, one a second, made in minutes: what each of them leaves behind.

The soak makes three thousand of them beside its floor. A leak of a few hundred bytes each shows in
a day's 86,400 only.
"""

import argparse
import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.crowd import Crowd, descriptors, resident_mebibytes, sign_in
from tests.chaos.exchange import changing, fill
from tests.chaos.site import free_port
from tests.chaos.verdict import ACK_S, Judged, told
from tests.live_viewer import reset
from tests.running import Pitwall
from tests.senders import Answers
from tests.soak.samples import API_TOKEN, fetch, metrics

VIEWERS = 50
# One person has ten boards, and for a moment one that is lost is among them.
ROOM = 3
AT_ONCE = 8
# What the first ones make is there once for all that follow.
WARM = 0.1
AN_HOUR = 3600
# MiB in an hour of one a second, as R19 allows.
MOST_GROWN = 1.0
# By then the process has let go of the last ones that left.
CLOSED_S = 3.0


@dataclass(frozen=True)
class Weight:
    """The process at one moment, with as many boards as at the others."""

    resident: float
    descriptors: int
    tasks: int


@dataclass(frozen=True)
class Reconnected:
    """After the first tenth and after all of them; the PBX went on all the time."""

    count: int
    seconds: float
    early: Weight
    late: Weight
    refused: int
    pbx: Answers

    @property
    def grown_an_hour(self) -> float:
        """MiB for 3,600 reconnects."""
        return (self.late.resident - self.early.resident) / (self.count * (1 - WARM)) * AN_HOUR


def reconnect(folder: Path, port: int, count: int) -> Reconnected:
    """So many boards are lost, as often by a cut as in an orderly way, and opened again."""
    cookies = sign_in(folder, VIEWERS * ROOM)
    # What is let in is limited by default: as many come in a second here as else in a minute.
    pitwall = Pitwall(port, folder, PITWALL_API_TOKEN=API_TOKEN, PITWALL_TEST_BOARDS_PER_S="10000")
    pitwall.start()
    try:
        return asyncio.run(_reconnect(pitwall, cookies, count))
    finally:
        pitwall.stop()


async def _reconnect(pitwall: Pitwall, cookies: list[str], count: int) -> Reconnected:
    await fill(pitwall.port)
    crowd = Crowd(pitwall.port, cookies)
    crowd.viewers = await asyncio.gather(*(crowd.enter(n * ROOM) for n in range(VIEWERS)))
    first = int(count * WARM)
    async with changing(pitwall.port) as pbx:
        began = time.monotonic()
        await come_and_go(crowd, first)
        early = await weigh(pitwall)
        await come_and_go(crowd, count - first)
        seconds = time.monotonic() - began
        late = await weigh(pitwall)
    crowd.close()
    return Reconnected(count, seconds, early, late, crowd.refused, await pbx)


async def come_and_go(crowd: Crowd, count: int) -> None:
    """So many, some at a time, each of them its own boards."""
    each = [count // AT_ONCE + (number < count % AT_ONCE) for number in range(AT_ONCE)]
    await asyncio.gather(*(_in_turns(crowd, place, left) for place, left in enumerate(each)))


async def _in_turns(crowd: Crowd, place: int, left: int) -> None:
    mine = range(place, len(crowd.viewers), AT_ONCE)
    for _ in range(left):
        number = random.choice(mine)
        viewer = crowd.viewers[number]
        if random.random() < 0.5:
            reset(viewer)
        else:
            viewer.transport.close()
        await viewer.gone
        crowd.viewers[number] = await crowd.enter(number * ROOM)


async def weigh(pitwall: Pitwall) -> Weight:
    """The process, with all boards open and none coming or going."""
    await asyncio.sleep(CLOSED_S)
    tasks = int(metrics(await asyncio.to_thread(fetch, pitwall.port, "/metrics"))["pitwall_tasks"])
    return Weight(resident_mebibytes(pitwall), descriptors(pitwall), tasks)


def r19_reconnects(folder: Path, options: argparse.Namespace) -> Judged:
    seen = reconnect(folder, free_port(), options.reconnects)
    good = (
        seen.grown_an_hour <= MOST_GROWN
        and abs(seen.late.descriptors - seen.early.descriptors) <= 10
        and abs(seen.late.tasks - seen.early.tasks) <= 10
        and not seen.refused
        and seen.pbx.statuses == {200: seen.pbx.sent}
        and seen.pbx.p99() <= ACK_S
    )
    return good, told(
        {
            "reconnects": seen.count,
            "a second": seen.count / seen.seconds,
            "MiB": (round(seen.early.resident, 1), round(seen.late.resident, 1)),
            "MiB an hour of one a second": seen.grown_an_hour,
            "descriptors": (seen.early.descriptors, seen.late.descriptors),
            "tasks": (seen.early.tasks, seen.late.tasks),
            "boards refused": seen.refused,
            "the PBX beside": dict(seen.pbx.statuses),
            "p99 of its webhooks, ms": seen.pbx.p99() * 1000,
        }
    )


TRIALS = (r19_reconnects,)
