"""`make chaos-cluster`: kills servers and nodes at random under load, and judges what is left.

`python -m tests.cluster.chaos [--kills N] [--rate N] [--sites N] [--seed N] [--note FILE]`
"""

import argparse
import asyncio
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.cluster.boards import Boards
from tests.cluster.installation import Installation, Node, Tenant
from tests.cluster.judge import Judged, judge
from tests.cluster.load import Load
from tests.nats_servers import Server
from tests.senders import quantile

NAMES = "acme bravo cedar delta elm fox garnet hazel".split()
# Issue and reliability promise: live again this many seconds after a node's or a server's death.
NODE_S, SERVER_S = 5.0, 10.0
# How long a victim is left as it is. An election takes up to nine seconds.
DEAD_S = (3.0, 12.0)
SITE_TOKEN = "t" * 40
# What a node wrote about something that nobody had thought of: the last line of a traceback.
ERROR = re.compile(r"CRITICAL|[A-Za-z_.]+(Error|Exception|Group)\b")


@dataclass(frozen=True)
class Blow:
    """One kill. `still_s`: for how long the board that fared worst got no frame."""

    victim: str
    manner: str
    still_s: float

    @property
    def kind(self) -> str:
        return "node" if self.victim.startswith("node") else "server"

    @property
    def is_good(self) -> bool:
        return self.still_s <= allowed_s(self)


@dataclass
class Ordeal:
    """What a run did and what came of it."""

    rate: float
    sites: int
    blows: list[Blow] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    slowest_s: float = 0.0
    lasted_s: float = 0.0
    errors: list[str] = field(default_factory=list)
    judged: Judged = field(default_factory=lambda: Judged(0, 0, 0, 0, 0))

    @property
    def is_good(self) -> bool:
        return self.judged.is_good and all(blow.is_good for blow in self.blows)


def allowed_s(blow: Blow) -> float:
    """A node that hangs is its watchdog's affair: its viewers wait until it goes on."""
    if (blow.kind, blow.manner) == ("node", "hang"):
        return DEAD_S[1] + NODE_S
    return NODE_S if blow.kind == "node" else SERVER_S


def sites(count: int) -> list[Tenant]:
    return [Tenant(name, f"{name}-{SITE_TOKEN}") for name in NAMES[:count]]


def blows(chance: random.Random, count: int) -> Iterator[tuple[str, str]]:
    """Who, and how: mostly kill -9; sometimes frozen for some seconds, sometimes ended in order."""
    for _ in range(count):
        kind = chance.choice(("node", "server"))
        manner = chance.choices(("kill", "hang", "stop"), (6, 2, 2))[0]
        yield kind, manner


async def endure(folder: Path, kills: int, rate: float, count: int, seed: int) -> Ordeal:
    """The whole run, on an installation of its own in the folder."""
    chance, ordeal = random.Random(seed), Ordeal(rate, count)
    with Installation.of(folder, sites(count)) as installation:
        boards = Boards.of(installation, 2)
        boards.open()
        load = Load(installation, rate, f"k{seed}")
        sending = asyncio.create_task(load.run())
        began = time.monotonic()
        await boards.wait_open()
        for kind, manner in blows(chance, kills):
            ordeal.blows.append(await strike(installation, boards, chance, kind, manner))
            print(f"{len(ordeal.blows)}: {ordeal.blows[-1]}", flush=True)
        sending.cancel()
        await load.finish()
        ordeal.lasted_s = time.monotonic() - began
        await boards.close()
        ordeal.statuses, ordeal.slowest_s = dict(load.statuses), load.slowest_s
        ordeal.judged = await judge(installation.servers.url("cluster"), load.acknowledged)
        ordeal.errors = [line for node in installation.nodes for line in node.output.splitlines()]
        ordeal.errors = [line for line in ordeal.errors if ERROR.match(line)]
    return ordeal


async def strike(
    installation: Installation, boards: Boards, chance: random.Random, kind: str, manner: str
) -> Blow:
    """Kill one, bring it back after a while, and say how long boards stood still meanwhile."""
    every: list[Node | Server] = [*installation.nodes, *installation.servers.each]
    victim = chance.choice([one for one in every if isinstance(one, Node) is (kind == "node")])
    boards.stood_still_s()
    await asyncio.to_thread(hurt, victim, manner)
    await asyncio.sleep(chance.uniform(*DEAD_S))
    await asyncio.to_thread(heal, victim, manner)
    # A cluster that lacks one must not lose another: that is the next trial's.
    await asyncio.sleep(chance.uniform(0.5, 2))
    return Blow(victim.name, manner, boards.stood_still_s())


def hurt(victim: Node | Server, manner: str) -> None:
    if manner == "hang" and victim.process is not None:
        victim.process.send_signal(signal.SIGSTOP)
    else:
        victim.end(signal.SIGKILL if manner == "kill" else signal.SIGTERM)


def heal(victim: Node | Server, manner: str) -> None:
    if manner == "hang" and victim.process is not None:
        victim.process.send_signal(signal.SIGCONT)
    else:
        victim.start()
    victim.wait()


def written(ordeal: Ordeal) -> str:
    """The result as a part of `docs/cluster.md`."""
    rows = [
        "| what | times | no frame: median, s | longest, s | allowed, s |",
        "|---|---:|---:|---:|---:|",
    ]
    for kind in ("node", "server"):
        for manner in ("kill", "hang", "stop"):
            some = [one for one in ordeal.blows if (one.kind, one.manner) == (kind, manner)]
            if some:
                times = [blow.still_s for blow in some]
                rows.append(
                    f"| {kind}: {manner} | {len(some)} | {quantile(times, 0.5):.1f} "
                    f"| {max(times):.1f} | {allowed_s(some[0]):.0f} |"
                )
    answers = ", ".join(
        f"{status or 'connection ended'}: {count}"
        for status, count in sorted(ordeal.statuses.items())
    )
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return "\n".join(
        [
            f"{datetime.now(UTC):%Y-%m-%d}: {len(ordeal.blows)} blows in "
            f"{ordeal.lasted_s / 60:.0f} minutes at {ordeal.rate:g} webhooks a second to "
            f"{ordeal.sites} sites, three servers, "
            f"three nodes and nginx on {os.cpu_count()} cores (load {load}).",
            "",
            f"{ordeal.judged}. Answers: {answers}. Slowest {ordeal.slowest_s:.1f} s.",
            "",
            *rows,
            "",
            *(f"`{line[:200]}`: {count}" for line, count in Counter(ordeal.errors).items()),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.chaos")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--sites", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--note", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pitwall-cluster-") as folder:
        ordeal = asyncio.run(
            endure(Path(folder), options.kills, options.rate, options.sites, options.seed)
        )
    text = written(ordeal)
    print(text)
    if options.note is not None:
        options.note.write_text(text, encoding="utf-8")
    return 0 if ordeal.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
