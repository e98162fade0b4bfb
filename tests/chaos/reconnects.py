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

from tests.chaos.crowd import Crowd, sign_in
from tests.chaos.exchange import changing, fill
from tests.chaos.site import free_port
from tests.chaos.verdict import ACK_S, Judged, told
from tests.live_viewer import CLOSE, Viewer, reset
from tests.running import Pitwall
from tests.senders import Answers
from tests.soak.samples import API_TOKEN, Sample, sample

VIEWERS = 50
# One person has ten boards, and for a moment one that is lost is among them.
ROOM = 3
AT_ONCE = 8
GOING_AWAY = (1001).to_bytes(2, "big")
# What the first ones make is there once for all that follow.
WARM = 0.1
AN_HOUR = 3600
# MiB in an hour of one a second, as R19 allows.
MOST_GROWN = 1.0
MOST_LEFT = 10
# By then the process has let go of a board that leaves.
CLOSED_S = 3.0


@dataclass(frozen=True)
class Reconnected:
    """Before and after `count` of them; the PBX went on all the time.

    `lost`: boards that ended by themselves.
    """

    count: int
    early: Sample
    late: Sample
    refused: int
    lost: int
    pbx: Answers

    @property
    def a_second(self) -> float:
        return self.count / (self.late.at_s - self.early.at_s)

    @property
    def grown_an_hour(self) -> float:
        """MiB for 3,600 reconnects."""
        return (self.late.resident - self.early.resident) / self.count * AN_HOUR

    @property
    def left(self) -> int:
        """Descriptors or tasks, whichever are more."""
        return max(
            abs(self.late.descriptors - self.early.descriptors),
            abs(self.late.tasks - self.early.tasks),
        )


def reconnect(folder: Path, port: int, count: int) -> Reconnected:
    """So many boards are lost, as often by a cut as in an orderly way, and opened again."""
    cookies = sign_in(folder, VIEWERS * ROOM)
    # What is let in is limited by default: as many come in a second here as else in a minute.
    pitwall = Pitwall(port, folder, PITWALL_API_TOKEN=API_TOKEN, PITWALL_TEST_BOARDS_PER_S="10000")
    pitwall.start()
    try:
        return asyncio.run(_reconnect(pitwall, folder, cookies, count))
    finally:
        pitwall.stop()


async def _reconnect(pitwall: Pitwall, folder: Path, cookies: list[str], count: int) -> Reconnected:
    await fill(pitwall.port)
    crowd = Crowd(pitwall.port, cookies)
    crowd.viewers = await asyncio.gather(*(crowd.enter(n * ROOM) for n in range(VIEWERS)))
    first, began = int(count * WARM), time.monotonic()
    async with changing(pitwall.port) as pbx:
        lost = await come_and_go(crowd, first)
        early = await weigh(pitwall, folder, began)
        lost += await come_and_go(crowd, count - first)
        late = await weigh(pitwall, folder, began)
    crowd.close()
    return Reconnected(count - first, early, late, crowd.refused, lost, await pbx)


async def come_and_go(crowd: Crowd, count: int) -> int:
    """So many, some at a time, each of them its own boards. How many had ended by themselves."""
    each = [count // AT_ONCE + (number < count % AT_ONCE) for number in range(AT_ONCE)]
    turns = (_in_turns(crowd, place, left) for place, left in enumerate(each))
    return sum(await asyncio.gather(*turns))


async def _in_turns(crowd: Crowd, place: int, left: int) -> int:
    mine, lost = range(place, len(crowd.viewers), AT_ONCE), 0
    for _ in range(left):
        number = random.choice(mine)
        viewer = crowd.viewers[number]
        lost += not viewer.is_open
        if viewer.is_open:
            await asyncio.wait_for(leave(viewer), CLOSED_S)
        crowd.viewers[number] = await crowd.enter(number * ROOM)
    return lost


async def leave(viewer: Viewer) -> None:
    """As a page does that is closed, or as often as that by a cut."""
    if random.random() < 0.5:
        reset(viewer)
    else:
        viewer.say(GOING_AWAY, CLOSE)
    await viewer.gone


async def weigh(pitwall: Pitwall, folder: Path, began: float) -> Sample:
    """The process, with all boards open and none coming or going."""
    await asyncio.sleep(CLOSED_S)
    return await asyncio.to_thread(sample, pitwall, folder, began)


def r19_reconnects(folder: Path, options: argparse.Namespace) -> Judged:
    seen = reconnect(folder, free_port(), options.reconnects)
    good = (
        seen.grown_an_hour <= MOST_GROWN
        and seen.left <= MOST_LEFT
        and not seen.refused
        and not seen.lost
        and seen.pbx.statuses == {200: seen.pbx.sent}
        and seen.pbx.p99() <= ACK_S
    )
    return good, told(
        {
            "reconnects": seen.count,
            "a second": seen.a_second,
            "MiB": (round(seen.early.resident, 1), round(seen.late.resident, 1)),
            "MiB an hour of one a second": seen.grown_an_hour,
            "descriptors": (seen.early.descriptors, seen.late.descriptors),
            "tasks": (seen.early.tasks, seen.late.tasks),
            "boards refused": seen.refused,
            "boards lost": seen.lost,
            "the PBX beside": dict(seen.pbx.statuses),
            "p99 of its webhooks, ms": seen.pbx.p99() * 1000,
        }
    )


TRIALS = (r19_reconnects,)
